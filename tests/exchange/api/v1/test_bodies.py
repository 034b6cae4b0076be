"""How requests may look in API v1, and what is too much."""

import io
import json

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import ParseError

from courses.body_limits import MAX_FORM
from exchange import services
from exchange.api.v1 import arguments
from exchange.api.v1.arguments import PIECE, FormParser, parse_urlencoded
from exchange.models import Submission
from tests import cast
from tests.cast import COURSE
from tests.exchange.api.v1.scenarios import encoded, files, multipart
from tests.exchange.api.v1.wire import FORM, WORK, ask, contents, get, path, post, said

HAND_IN = path("submission", COURSE, "ps1")
BOB = {"Authorization": "token bob"}
pytestmark = pytest.mark.usefixtures("assignment")


def send(body, content_type=FORM, **headers):
    return said(Client().generic("POST", HAND_IN, body, content_type, headers={**BOB, **headers}))


def submitted():
    return contents(get("alice", "submission", COURSE, "ps1", "bob")[1])


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded; charset=UTF-8", "APPLICATION/X-WWW-FORM-URLENCODED"],
)
def test_form_may_say_more_of_itself(content_type):
    assert send("files=%5B%5D", content_type)[0] == 200


def test_multipart_is_read():
    sent = multipart(WORK)
    assert send(sent["body"], sent["content_type"])[0] == 200
    assert submitted() == {"ps1.ipynb": b"my work"}


def test_limit_of_django_s_own_forms_is_not_that_of_multipart_here(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    sent = multipart({"files": files(a_txt=bytes(1000)), "user": "bob"})
    assert send(sent["body"], sent["content_type"])[0] == 200
    assert submitted() == {"a.txt": bytes(1000)}


def test_multipart_of_many_fields_is_refused():
    sent = multipart({f"a{number}": "" for number in range(1001)})
    assert send(sent["body"], sent["content_type"])[0] == 400


def test_part_that_is_a_file_is_no_argument():
    sent = multipart(WORK)
    body = sent["body"].replace(b'name="files"', b'name="files"; filename="files"')
    assert send(body, sent["content_type"]) == (400, {"success": False, "message": "Please supply files"})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"files": "[]"}', "application/json"),
        (b"files=[]", "text/plain"),
        (b"files=[]", "application/octet-stream"),
        (b"files=[]", ""),
    ],
)
def test_body_of_another_kind_says_nothing(body, content_type):
    assert send(body, content_type) == (400, {"success": False, "message": "Please supply files"})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"files=%ff%fe", FORM),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data; name*=nope''%41\r\n\r\n\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"files=[]", "multipart/form-data"),
        (b"files=[]", "multipart/form-data; boundary=\x80"),
        (b"a=1&" * 2000 + b"files=[]", FORM),
        (b"&" * 100_000, FORM),
    ],
)
def test_form_that_cannot_be_read_is_refused(body, content_type):
    before = cast.everything()
    status, reply = send(body, content_type)
    assert (status, reply["success"]) == (400, False)
    assert cast.everything() == before


@pytest.mark.wide
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_long_value_is_decoded_across_its_pieces(shift):
    body = b"files=" + b"+" * shift + b"%C3%A4" * PIECE
    assert parse_urlencoded(body) == {"files": [" " * shift + "\u00e4" * PIECE]}


def test_form_that_ends_early_is_refused():
    request = RequestFactory().post("/", "", FORM, CONTENT_LENGTH="100")
    with pytest.raises(ParseError, match="ends after 12 of 100 bytes"):
        FormParser().parse(io.BytesIO(b"files=%5B%5D"), FORM, {"request": request})


def test_body_without_a_length_is_refused():
    status, reply = send("files=%5B%5D", Transfer_Encoding="chunked", CONTENT_LENGTH="")
    assert status == 411
    assert reply["success"] is False
    assert not Submission.objects.exists()


@pytest.mark.parametrize("kind", ["form", "multipart"])
def test_too_large_a_request_is_a_413(settings, kind):
    settings.NGSHARE_API_V1_MAX_BODY = 1000
    tree = {"files": files(big_bin=bytes(2000))}
    if kind == "form":
        status, reply = post("bob", "submission", COURSE, "ps1", **tree)
    else:
        sent = multipart(tree)
        status, reply = send(sent["body"], sent["content_type"])
    assert (status, reply["success"]) == (413, False)
    assert "the limit is 1 kB" in reply["message"] and "the newer plugin" in reply["message"]


@pytest.mark.parametrize("mark", ["{}", "[]", "0"])
@pytest.mark.parametrize("kind", ["form", "multipart", "encoded"])
def test_many_small_values_are_refused_while_they_arrive(settings, monkeypatch, kind, mark):
    settings.NGSHARE_MAX_FILES = 10
    monkeypatch.setattr(arguments, "MAX_MARKS", 200)
    before = cast.everything()
    tree = f"[{','.join([mark] * 300)}]"
    if kind == "form":
        status, reply = send(f"files={tree}")
    elif kind == "encoded":
        status, reply = post("bob", "submission", COURSE, "ps1", files=tree)
    else:
        sent = multipart({"files": tree})
        status, reply = send(sent["body"], sent["content_type"])
    assert (status, reply) == (413, {"success": False, "message": "The request has too many values."})
    assert cast.everything() == before


def test_browser_sends_no_more_than_a_form(monkeypatch):
    """Django would read it all to find the CSRF token."""
    monkeypatch.setattr(HttpRequest, "_load_post_and_files", lambda request: pytest.fail("the body is parsed"))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.person("bob"))
    before = cast.everything()
    body = b"files=%5B%5D&a=" + b"a" * MAX_FORM
    status, reply = said(browser.post(HAND_IN, body, FORM, headers={"X-CSRFToken": "a" * 32}))
    assert (status, reply["success"]) == (413, False) and "400 kB" in reply["message"]
    assert cast.everything() == before


def test_names_with_brackets_and_commas_are_no_reason_to_refuse(settings, monkeypatch):
    settings.NGSHARE_MAX_FILES = 10
    monkeypatch.setattr(arguments, "MAX_MARKS", 200)
    tree = {f"data [{number}], {{x, y}}.csv": b"1" for number in range(10)}
    assert post("bob", "submission", COURSE, "ps1", files=json.dumps(_as_files(tree)))[0] == 200
    assert submitted() == tree


def _as_files(tree):
    return [{"path": path, "content": encoded(content)} for path, content in tree.items()]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NGSHARE_MAX_FILE_SIZE", 100, "data.csv is 200 bytes, the limit for one file is 100 bytes."),
        ("NGSHARE_MAX_SUBMISSION_SIZE", 150, "Your folder is 210 bytes, the limit is 150 bytes"),
        ("NGSHARE_MAX_FILES", 1, "Your folder has 2 files, the limit is 1."),
    ],
)
def test_limits_hold_here_too(settings, name, value, words):
    setattr(settings, name, value)
    before = cast.everything()
    status, reply = post("bob", "submission", COURSE, "ps1", files=files(data_csv=bytes(200), a_txt=bytes(10)))
    assert (status, reply["success"]) == (413, False)
    assert words in reply["message"]
    assert cast.everything() == before


@pytest.mark.parametrize("name", ["ps*", "ps\x7f1", "ps\u202e1", "p+s"])
def test_name_that_nbgrader_or_a_terminal_misreads_is_refused_here_too(name):
    before = cast.everything()
    status, reply = post("alice", "assignment", COURSE, name, files="[]")
    assert (status, reply["success"]) == (400, False) and "cannot be an assignment's name" in reply["message"]
    assert post("root", "course", "NBG*", instructors="[]")[0] == 400
    assert cast.everything() == before


def test_decomposed_names_are_composed():
    """As a Mac may send them: the same letters, in another Unicode form."""
    tree = json.dumps([{"path": "re\u0301sume\u0301.txt", "content": encoded(b"x")}])
    assert post("bob", "submission", COURSE, "ps1", files=tree)[0] == 200
    assert submitted() == {"r\u00e9sum\u00e9.txt": b"x"}


def test_large_files_come_back_as_they_were():
    """Larger than one piece of the stream, and of a length that no line of base64 divides."""
    content = bytes(range(251)) * 3000
    assert post("bob", "submission", COURSE, "ps1", files=files(big_bin=content, empty_txt=b"", a_txt=b"a"))[0] == 200
    reply = ask("alice", "GET", "submission", COURSE, "ps1", "bob")
    text = b"".join(reply.streaming_content)
    assert len(text) == int(reply.headers["Content-Length"])
    assert contents(json.loads(text)) == {"big.bin": content, "empty.txt": b"", "a.txt": b"a"}
    listed = json.loads(text)["files"]
    assert listed[0]["content"] == encoded(content)
    assert [one["path"] for one in listed] == ["big.bin", "empty.txt", "a.txt"]


def test_names_that_no_database_keeps_are_refused():
    for names in ({"first_name": "x" * 256}, {"last_name": "\ud800"}):
        row = {"username": "eve", "first_name": "", "last_name": "", "email": "", **names}
        status, reply = post("alice", "students", COURSE, students=json.dumps([row]))
        assert (status, reply["status"][0]["success"]) == (200, False)
    status, reply = post("alice", "student", COURSE, "eve", first_name="x" * 256, last_name="", email="")
    assert (status, reply["success"]) == (400, False)
    for name in ("a\nb", "*", " eve", "x" * 256):
        row = {"username": name, "first_name": "", "last_name": "", "email": ""}
        status, reply = post("alice", "students", COURSE, students=json.dumps([row]))
        assert (status, reply["status"][0]["success"]) == (200, False)
        assert post("alice", "student", COURSE, name, first_name="", last_name="", email="")[0] == 400
        assert post("root", "course", name)[0] == 400
        assert post("root", "course", "new", instructors=json.dumps([name]))[0] == 400
    assert [one["username"] for one in get("alice", "students", COURSE)[1]["students"]] == ["bob", "dave"]
    assert post("alice", "assignment", COURSE, "a+b", files="[]")[0] == 400


def test_lists_take_a_constant_number_of_queries(assignment):
    def submit(name):
        services.submit(assignment, cast.upload({name: name.encode()}), by=cast.actor("bob"))

    asked = [
        ("submissions", COURSE, "ps1"),
        ("submissions", COURSE, "ps1", "bob"),
        ("students", COURSE),
        ("assignments", COURSE),
    ]
    submit("a")
    counts = [_queries(one) for one in asked]
    for name in "bcdef":
        submit(name)
    assert [_queries(one) for one in asked] == counts


def _queries(parts):
    with CaptureQueriesContext(connection) as captured:
        assert get("alice", *parts)[0] == 200
    return len(captured)


def test_too_many_submissions_are_refused_in_its_own_shape(assignment, settings):
    settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR = 1
    address = ("submission", cast.COURSE, "ps1")
    assert post("bob", *address, **WORK)[0] == 200
    reply = ask("bob", "POST", *address, form=WORK)
    assert (reply.status_code, int(reply.headers["Retry-After"]) > 3500) == (429, True)
    assert set(said(reply)[1]) == {"success", "message"} and said(reply)[1]["success"] is False
