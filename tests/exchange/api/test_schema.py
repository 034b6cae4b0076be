"""The schema is whole, its page loads nothing from elsewhere, and the service answers what it says."""

import re
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, seed, settings

from tests import cast, schema
from tests.api_fixtures import *  # noqa: F403

EXAMPLES = 3  # of each operation by each user
OPERATIONS = [operation for _, _, operation in schema.operations()]


def test_schema_is_generated_without_a_warning(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))
    assert "/api/v2/blobs/missing/" in (tmp_path / "schema.yml").read_text()


def test_page_to_read_it_loads_nothing_from_elsewhere(db):
    page = cast.client().get("/api/v2/docs/").content.decode()
    assert "swagger" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


@pytest.mark.parametrize("username", ["root", "bob"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_answers_to_generated_requests_follow_the_schema(submission, operation, username):
    cast.give_back(submission, "alice")
    existing = {
        "course": quote(cast.COURSE),
        "assignment": "ps1",
        "username": "bob",
        "id": submission.pk,
        "number": "latest",
        "sha256": cast.sha256(cast.WORK["ps1.ipynb"]),
    }
    names = re.findall(r"\{(\w+)\}", operation.path)
    requests = operation.as_strategy(path_parameters={name: existing[name] for name in names})

    @seed(7)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False
    )
    @given(requests)
    def run(request):
        with transaction.atomic():  # of which nothing stays for the next request
            send(request, username)
            transaction.set_rollback(True)

    run()


def send(request, username):
    """Send a generated request, and check the answer's status and body with all checks of schemathesis."""
    response = request.call(headers={"Authorization": f"token {username}"})
    assert response.status_code < 500, response.text
    schema.check(request.method.upper(), request.operation.path, response)
