"""Seeded random requests to every address, as everybody: never a 5xx, and a refusal changes nothing.

Their number comes from NGSHARE_TEST_FUZZ: a few hundred in `make test`, 40,000 in `make fuzz`.
"""

import os
from random import Random

import pytest
from django.db import connection, transaction
from django.test import Client

from exchange import services
from tests import cast
from tests.fuzz import FORM, Generator, patterns

pytestmark = pytest.mark.wide

NUMBER = int(os.environ.get("NGSHARE_TEST_FUZZ", "1200"))
ROUND = 25  # requests, after which everything is as it was at first
PAGES = ("login/", "logout/", "oauth_callback", "view/", "healthz", "readyz")


def api_of(pattern):
    if pattern.startswith("api/v2/"):
        return "v2"
    if pattern.startswith("admin/"):
        return "admin"
    return "pages" if not pattern or pattern.startswith(PAGES) else "v1"


ADDRESSES = {api: [one for one in patterns() if api_of(one) == api] for api in ("v1", "v2", "pages", "admin")}


@pytest.fixture
def existing(two_courses, settings):
    """The names and numbers of what is there, by the names of the parameters."""
    settings.NGSHARE_STANDALONE = True
    rows = list(two_courses.values())
    numbers = sorted({row.pk for row in rows})
    upload, _ = services.begin_upload(two_courses["course"], cast.sha256(b"abc"), 3, by=cast.actor("bob"))
    return {
        "course": [cast.COURSE, cast.COURSE, cast.ELSEWHERE],
        "assignment": ["ps1", "ps1", "lab 1"],
        "username": ["bob", "dave", "gina", "zoe"],
        "number": ["1", "latest"],
        "pk": [*numbers, str(upload.pk)],
        "upload": [str(upload.pk)],
        "object_id": numbers,
        "content_type_id": numbers,
        "sha256": [cast.sha256(content) for content in (*cast.WORK.values(), *cast.PLANS.values(), b"nothing")],
        "student": ["bob", "dave", "gina", "zoe"],
        "path": ["ps1.ipynb", "data/numbers.csv", "ps1.html"],
        "act": ["rename", "merge", "anonymise", "deactivate"],
        "app_label": ["courses", "exchange", "notices"],
        "url": ["", "nothing"],
    }


@pytest.fixture
def writes():
    """The statements that changed something but sessions, since the list was cleared."""
    found = []

    def note(execute, sql, params, many, context):
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and "django_session" not in sql:
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


@pytest.fixture
def send(existing):
    """Sends a request with the user's token and session; [] for nobody. Returns the response and its whole content."""
    clients = {}
    for who in cast.CALLERS.values():
        clients[who] = Client(raise_request_exception=False)
        if who:
            clients[who].force_login(cast.person(who))

    def send(request):
        headers = dict(request.headers)
        if request.who:
            headers["Authorization"] = f"token {request.who}"
        client = clients[request.who]
        kept = dict(client.cookies)
        response = client.generic(
            request.method, request.path, request.body, content_type=request.content_type, headers=headers
        )
        content = b"".join(response.streaming_content) if response.streaming else response.content
        client.cookies.clear()  # a log-out is taken back
        client.cookies.update(kept)
        return response, content

    return send


@pytest.mark.parametrize("api", ADDRESSES)
def test_no_request_ends_in_a_5xx_and_no_refusal_changes_anything(existing, writes, send, api):
    generator = Generator(Random(api), existing)
    statuses = {}
    for _ in range(NUMBER // len(ADDRESSES) // ROUND):
        savepoint = transaction.savepoint()
        state = cast.everything()
        for _ in range(ROUND):
            request = generator.request(generator.random.choice(ADDRESSES[api]), api)
            if request.method == "POST" and request.content_type == FORM and api in ("admin", "pages"):
                page, content = send(type(request)(request.who, "GET", request.path))
                if page.status_code == 200:
                    request.body, _ = generator.filled_in(content.decode(errors="replace"))
            writes.clear()
            response, content = send(request)
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            assert response.status_code < 500 or is_busy(response), (request, content[:500])
            if writes:
                now = cast.everything()
                assert response.status_code < 400 or now == state, (request, writes)
                state = now
        transaction.savepoint_rollback(savepoint)
    assert statuses[200] > 0 and statuses[404] > 0, statuses


def is_busy(response):
    """Whether this says that something else does not answer just now, as /readyz does of a Hub that is not there."""
    return response.status_code == 503 and response.request["PATH_INFO"] == "/readyz"
