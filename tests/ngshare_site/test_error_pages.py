"""Unknown addresses and unforeseen errors: JSON in API v2, a page in a browser, no detail in either."""

import pytest
from django.core.exceptions import PermissionDenied

from ngshare_site import error_pages

pytestmark = pytest.mark.django_db


def test_unknown_address_of_the_api_is_json(client):
    reply = client.get("/api/v2/nothing/")
    assert reply.status_code == 404
    assert reply.json() == {
        "code": "not_found",
        "message": "There is nothing at this address.",
        "details": {},
        "request_id": reply.headers["X-Request-ID"],
    }


def test_unknown_address_is_a_page(client):
    reply = client.get("/view/nothing/")
    assert reply.status_code == 404 and b"<h1>Not found</h1>" in reply.content
    assert f"give this number: {reply.headers['X-Request-ID']}" in reply.text and "Times are in" not in reply.text


@pytest.mark.parametrize(("path", "is_json"), [("/api/v2/x/", True), ("/x/", False)])
def test_forbidden_is_a_403(rf, path, is_json):
    reply = error_pages.forbidden(rf.get(path), PermissionDenied("secret detail"))
    assert reply.status_code == 403 and b"secret detail" not in reply.content
    assert (reply.headers["Content-Type"] == "application/json") is is_json


@pytest.mark.parametrize(("path", "kind"), [("/api/v2/x/", "application/json"), ("/x/", "text/plain; charset=utf-8")])
def test_unforeseen_error_is_a_500_without_detail(rf, path, kind):
    try:
        raise ValueError("secret detail")
    except ValueError:
        reply = error_pages.server_error(rf.get(path))
    assert b"secret detail" not in reply.content
    assert (reply.status_code, reply.headers["Content-Type"]) == (500, kind)
    assert b"Something went wrong here" in reply.content


@pytest.mark.parametrize("path", ["/assignment/NBG 101/api/v2/", "/view/course/api/v2/"])
def test_name_that_reads_like_an_address_of_the_api_is_none(rf, path):
    assert not error_pages.is_api_v2(rf.get(path))
