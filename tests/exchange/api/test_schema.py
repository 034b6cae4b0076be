"""The schema is whole, its page loads nothing from elsewhere, and the service answers what it says."""

import json
import re
from urllib.parse import quote, urlencode

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core import NOT_SET

from tests import cast, schema
from tests.api_fixtures import *  # noqa: F403

EXAMPLES = 3  # of each operation by each user
OPERATIONS = [operation for _, _, operation in schema.operations()]


def test_schema_is_generated_without_a_warning(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))
    assert "/api/v2/blobs/missing/" in (tmp_path / "schema.yml").read_text()


def test_schema_is_in_english_for_every_reader(db):
    english, german = (
        cast.client().get(f"/api/v2/schema/{query}", headers={"accept-language": language})
        for language, query in (("en", "?format=json"), ("de", "?format=json&lang=de"))
    )
    assert english.content == german.content and "user name" in english.content.decode()
    assert '<html lang="en">' in cast.client().get("/api/v2/docs/", headers={"accept-language": "de"}).content.decode()


def test_page_to_read_it_loads_nothing_from_elsewhere(db):
    page = cast.client().get("/api/v2/docs/").content.decode()
    assert "swagger" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_page_to_read_it_answers_no_options(db):
    assert cast.client().options("/api/v2/docs/").status_code == 405


@pytest.mark.wide
@pytest.mark.parametrize("username", ["root", "bob"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_answers_to_generated_requests_follow_the_schema(submission, operation, username):
    cast.return_feedback(submission, "alice")
    large = {"sha256": cast.sha256(b"large"), "size": 5}
    upload = cast.client("bob").post(cast.v2("courses", cast.COURSE, "uploads"), large, format="json").json()
    existing = {
        "course": quote(cast.COURSE),
        "assignment": "ps1",
        "username": "bob",
        "id": submission.pk,
        "number": 1 if "{upload}" in operation.path else "latest",
        "upload": upload["id"],
        "sha256": cast.sha256(cast.WORK["ps1.ipynb"]),
    }
    names = re.findall(r"\{(\w+)\}", operation.path)
    options = {"path_parameters": {name: existing[name] for name in names}}
    if "application/x-tar" in operation.get_request_payload_content_types():  # schemathesis makes no bundles
        files = cast.manifest(cast.WORK)
        feedback = [{"submission": submission.pk, "files": files}, {"submission": 2**40, "files": files}]
        options |= {"body": cast.bundle(cast.WORK, feedback=feedback), "media_type": "application/x-tar"}
    requests = operation.as_strategy(**options)

    @seed(7)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def run(request):
        with transaction.atomic():  # of which nothing stays for the next request
            send(request, username)
            transaction.set_rollback(True)

    run()


def send(request, username):
    """Send a generated request; the client compares the answer with the schema."""
    path = request.operation.path
    for name, value in request.path_parameters.items():
        path = path.replace(f"{{{name}}}", str(value))
    body = "" if request.body is NOT_SET else request.body
    if request.media_type == "application/json":
        body = json.dumps(body)
    elif isinstance(body, str):
        body = body.encode(errors="surrogateescape")
    elif not isinstance(body, bytes):
        body = b""  # a stream of which the schema says nothing more
    headers = {name: value for name, value in (request.headers or {}).items() if name == "Idempotency-Key"}
    query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
    response = cast.client(username).generic(
        request.method, path + query, body, content_type=request.media_type or "application/json", headers=headers
    )
    assert response.status_code < 500


@pytest.mark.parametrize("page", ["docs", "schema"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_page_and_schema_are_there_to_be_read_alone(db, client, page, method):
    answer = client.generic(method, f"/api/v2/{page}/")
    assert answer.status_code == (200 if (method, page) == ("OPTIONS", "schema") else 405)
