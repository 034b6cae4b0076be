"""What is refused before any view, and the policy of our pages."""

import pytest

from ngshare_site.middleware import PAGE_POLICY
from tests.cast import everything

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("address", "code"), [("/api/v2/courses/", "length_required"), ("/course/new", None)])
def test_body_without_a_length_is_refused(client, address, code):
    before = everything()
    reply = client.generic("POST", address, headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    assert reply.status_code == 411 and everything() == before
    assert reply.json().get("code") == code and "Content-Length" in reply.json()["message"]


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/api/v2/courses/a%00b/", {"code": "bad_request", "details": {}}),
        ("/api/v2/courses/?x=a%00b", {"code": "bad_request", "details": {}}),
        ("/assignments/a%00b", {"success": False}),
        ("/assignments/x?user=%00", {"success": False}),
    ],
)
def test_nul_in_an_address_is_refused(client, address, body):
    reply = client.get(address)
    assert reply.status_code == 400
    assert reply.json() == {**body, "message": "An address may not hold a NUL character."}


@pytest.mark.parametrize("address", ["/", "/admin/"])
def test_our_pages_have_the_policy_and_may_not_be_framed(course, browse, address):
    headers = browse("alice").get(address).headers
    assert headers["Content-Security-Policy"] == PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY and "default-src 'self'" in PAGE_POLICY
    assert headers["X-Frame-Options"] == "DENY"


def test_json_needs_no_policy(client):
    assert "Content-Security-Policy" not in client.get("/healthz").headers


@pytest.mark.parametrize("path", ["/view/course/api/ps1/", "/view/course/x/api/"])
def test_page_of_something_called_api_has_the_policy_of_pages(course, browser, path):
    page = browser("alice").get(path)
    assert page.status_code == 404 and page.headers["Content-Security-Policy"] == PAGE_POLICY
