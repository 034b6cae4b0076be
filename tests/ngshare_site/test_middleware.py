"""What is refused before any view, and the policy of our pages."""

import io

import pytest
from django.http import HttpRequest, QueryDict

from courses.body_limits import MAX_FORM
from ngshare_site.middleware import API_PAGE_POLICY, PAGE_POLICY
from tests import cast
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
    assert {**reply.json(), **body} == reply.json()
    assert reply.json()["message"] == "An address may not hold a NUL character."


@pytest.mark.parametrize("address", ["/", "/admin/"])
def test_our_pages_have_the_policy_and_may_not_be_framed(course, browse, address):
    headers = browse("alice").get(address).headers
    assert headers["Content-Security-Policy"] == PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY and "default-src 'self'" in PAGE_POLICY
    assert headers["X-Frame-Options"] == "DENY"


def test_documentation_of_the_api_may_start_itself_and_nothing_else(client):
    policy = client.get("/api/v2/docs/").headers["Content-Security-Policy"]
    assert policy == API_PAGE_POLICY and policy.endswith(PAGE_POLICY)
    assert policy.count("'unsafe-inline'") == 2  # scripts and styles


def test_forms_lead_to_ourselves_alone():
    assert "form-action 'self';" in PAGE_POLICY


def test_form_of_an_ended_session_is_answered_with_a_page(course, hub, client):
    """A redirect to the Hub, and from there to where its users log in, would be stopped by form-action."""
    before = everything()
    answer = client.post("/admin/courses/course/add/", {"name": "new"})
    assert answer.status_code == 403 and b"send the form again" in answer.content
    assert everything() == before


@pytest.mark.parametrize(
    "address", ["/", "/admin/", "/api/v2/me/", "/courses", "/healthz", "/nothing", "/api/v2/docs/"]
)
def test_answers_stay_out_of_caches(course, browse, address):
    assert "no-store" in browse("alice").get(address).headers["Cache-Control"]


def test_static_files_may_be_kept(client):
    assert "max-age" in client.get("/static/ngshare/pages.css").headers["Cache-Control"]


@pytest.mark.parametrize("is_https", [True, False])
def test_cookies_of_an_answer_to_https_are_for_https_alone(hub, client, settings, is_https):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    scheme = {"X-Forwarded-Proto": "https,http"} if is_https else {}
    client.get("/login/", headers=scheme)
    settings.NGSHARE_STANDALONE = True
    client.get("/login/", headers=scheme)
    client.post("/login/", {"username": "bob"}, headers=scheme)
    names = {name.partition("-login-")[0] for name in client.cookies}
    assert names == {"ngshare", settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert {bool(cookie["secure"]) for cookie in client.cookies.values()} == {is_https}


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver:8888"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    {"Host": "evil.example"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("address", ["/course/new", "/api/v2/courses/", "/login/"])
def test_page_of_another_site_cannot_use_standalone_mode(course, client, settings, address, headers):
    settings.NGSHARE_STANDALONE, settings.ALLOWED_HOSTS = True, ["localhost", "127.0.0.1", "[::1]", "testserver"]
    before = everything()
    body = {"user": "root", "username": "root", "name": "new"}
    answer = client.post(address, body, headers={"Authorization": "token root", **headers})
    assert answer.status_code == (400 if "Host" in headers else 403) and everything() == before
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_programs_and_our_own_pages_use_standalone_mode(course, client, settings, headers):
    settings.NGSHARE_STANDALONE = True
    assert client.post("/login/", {"username": "root"}, headers=headers).status_code == 302


def test_link_from_another_site_may_be_followed(client, settings):
    settings.NGSHARE_STANDALONE = True
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/login/", headers=link).status_code == 200
    assert client.post("/login/", {"username": "root"}, headers=link).status_code == 403


def test_json_needs_no_policy(client):
    assert "Content-Security-Policy" not in client.get("/healthz").headers


@pytest.mark.parametrize("path", ["/view/course/api/ps1/", "/view/course/x/api/", "/view/course/api/v2/"])
def test_page_of_something_called_api_has_the_policy_of_pages(course, browser, path):
    page = browser("alice").get(path)
    assert page.status_code == 404 and page.headers["Content-Security-Policy"] == PAGE_POLICY


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
ROSTER_FILE = "/admin/courses/course/1/import/"
# Address, content type, and the most bytes that its body may have.
BODY_LIMITS = [
    ("/login/", FORM, MAX_FORM),
    ("/login/", MULTIPART, MAX_FORM),
    ("/logout/", FORM, MAX_FORM),
    ("/admin/", FORM, MAX_FORM),
    ("/admin/courses/membership/", MULTIPART, MAX_FORM),
    (ROSTER_FILE, FORM, MAX_FORM),
    (ROSTER_FILE, MULTIPART, MAX_FORM),  # by nobody
    ("/api/v2/receipts/verify/", "application/json", MAX_FORM),
    ("/api/v2/blobs/missing/", "application/json", 2**22),
    ("/api/v2/blobs/missing/", MULTIPART, MAX_FORM),
    ("/api/v2/courses/x/roster/", "text/csv", 5_000_000),
    ("/api/v2/courses/x/assignments/y/submissions/", "application/json", MAX_FORM),
    ("/api/v2/courses/x/assignments/y/submissions/", "application/x-tar", 10**6 + 2**22 + 1024 * 10_020),
    ("/submission/x/y", FORM, 2_000_000),
    ("/submission/x/y", MULTIPART, 2_000_000),
]


@pytest.fixture
def announce(settings, client):
    """Sends a request that announces a body of this size."""
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 10**6
    settings.NGSHARE_API_V1_MAX_BODY = 2_000_000
    client.cookies["ngshare-csrf"] = "a" * 32

    def send(address, content_type, size):
        sent = {"CONTENT_LENGTH": str(size), "wsgi.input": io.BytesIO(b"x")}
        return client.generic("POST", address, b"x", content_type, **sent)

    return send


@pytest.mark.parametrize(("address", "content_type", "size"), BODY_LIMITS)
def test_body_that_is_too_large_for_its_address_is_refused(announce, address, content_type, size, monkeypatch):
    monkeypatch.setattr(HttpRequest, "_load_post_and_files", lambda request: pytest.fail("the body is parsed"))
    before = cast.everything()
    answer = announce(address, content_type, size + 1)
    assert answer.status_code == 413
    assert "the limit is" in answer.content.decode()
    if address.startswith("/api/v2/"):
        assert answer.json()["code"] == "too_large"
    assert cast.everything() == before


@pytest.mark.parametrize(("address", "content_type", "size"), BODY_LIMITS)
def test_body_of_just_the_limit_is_let_pass(announce, address, content_type, size, monkeypatch):
    monkeypatch.setattr(HttpRequest, "_load_post_and_files", lambda request: setattr(request, "_post", QueryDict()))
    assert announce(address, content_type, size).status_code != 413


@pytest.mark.parametrize("address", ["/login/", "/api/v2/blobs/missing/", "/submission/x/y"])
def test_length_beyond_all_numbers_is_refused(announce, address):
    assert announce(address, FORM, 10**400).status_code == 413


def test_larger_form_is_for_those_who_are_logged_in(course, announce, browser):
    browser("alice")
    address = f"/admin/courses/course/{course.pk}/import/"
    assert announce(address, MULTIPART, 10**7).status_code == 200  # asks for the file
    assert announce(address, MULTIPART, 11_000_001).status_code == 413
    assert announce(address, FORM, MAX_FORM + 1).status_code == 413


def test_page_says_it_in_a_page(announce):
    answer = announce("/login/", FORM, 10**7)
    assert "The request is 10 MB, the limit is 400 kB." in answer.content.decode()
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
