"""An exchange that is down, hangs, talks nonsense or means harm: a sentence in time, and nothing written elsewhere."""

import json
import logging
import os
import tarfile
import threading
from contextvars import copy_context

import pytest
from nbgrader.exchange import ExchangeError

from nbgrader_plugin.client import client, recent
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer, assignment, bundle, file, page, submission
from tests.nbgrader_plugin.people import Person, notebook, tree, write
from tests.servers import free_port

pytestmark = pytest.mark.live

COURSE = "NBG 101"
TOKEN = "a-token-that-nobody-may-see"
COMMANDS = [
    ("ExchangeReleaseAssignment", {}),
    ("ExchangeFetchAssignment", {}),
    ("ExchangeSubmit", {}),
    ("ExchangeList", {}),
    ("ExchangeList", {"inbound": True}),
    ("ExchangeList", {"cached": True}),
    ("ExchangeCollect", {}),
    ("ExchangeReleaseFeedback", {}),
    ("ExchangeFetchFeedback", {}),
]
every_command = pytest.mark.parametrize(("kind", "traits"), COMMANDS, ids=lambda one: str(one).strip("{}"))


@pytest.fixture
def server():
    with hostile.hostile() as script:
        yield script


@pytest.fixture
def bob(tmp_path, monkeypatch):
    """Someone with everything that any command would send, who tries once."""
    bob = Person(TOKEN, tmp_path / "bob", COURSE, "", monkeypatch)
    bob.settings.NgshareClient.attempts = 1
    write(bob.root / "release/ps1", {"p1.ipynb": notebook()})
    bob.gives_feedback("eve", "2026-01-01 00:00:00.000001 UTC")
    return bob


def wait_a_second_at_most(person):
    client = person.settings.NgshareClient
    client.connect_timeout = client.read_timeout = client.list_timeout = 1.0


@pytest.fixture
def ready(bob, kind):
    """bob, with a folder to submit where that is what he does."""
    if kind == "ExchangeSubmit":
        write(bob.home / "ps1", {"p1.ipynb": notebook()})
    return bob


def fails_and_leaves_all_as_it_was(bob, kind, **options):
    before = tree(bob.home.parent)
    outcome = bob.fails(kind, "ps1", level=logging.DEBUG, **options)
    after = tree(bob.home.parent)
    after.pop("bob/cache/.pending.json", None)  # that a submission may have arrived is remembered
    assert after == before
    assert not any(TOKEN in line for line in outcome.lines()) and TOKEN not in outcome.error
    return outcome


# Down, hanging, garbage


@every_command
def test_exchange_that_is_down_is_a_sentence(ready, kind, traits):
    ready.url = f"http://127.0.0.1:{free_port()}"
    outcome = fails_and_leaves_all_as_it_was(ready, kind, **traits)
    assert outcome.error == "The exchange cannot be reached, or the connection to it broke."


@every_command
def test_exchange_that_hangs_is_given_up_in_time(ready, server, kind, traits):
    ready.url = server.url
    wait_a_second_at_most(ready)
    over = threading.Event()
    server.answers[""] = Answer({}, before=over)
    outcome = fails_and_leaves_all_as_it_was(ready, kind, **traits)
    assert "did not answer" in outcome.error and len(server.received) <= 2  # each is given a second
    over.set()


def test_list_that_trickles_in_is_given_up_in_time(bob, server):
    bob.url = server.url
    wait_a_second_at_most(bob)
    server.answers[""] = Answer(page(assignment("ps1" * 10_000)), pause=0.2)  # in more than an hour
    outcome = fails_and_leaves_all_as_it_was(bob, "ExchangeList")
    assert outcome.error == "The exchange did not answer within 1 seconds."


GARBAGE = {
    "html": Answer(b"<html>Welcome to nginx", headers={"Content-Type": "text/html"}),
    "nothing": Answer(b""),
    "null": Answer(None),
    "list": Answer([1, 2]),
    "text": Answer("yes"),
    "rows of null": Answer(page(None)),
    "no rows": Answer({"results": 3}),
    "deep": Answer(b"[" * 100_000),
    "binary": Answer(bytes(range(256))),
    "gateway": Answer(b"<h1>Bad gateway", 502),
    "teapot": Answer(b"no", 418),
    "status from nowhere": Answer(b"", 599),
    "error without fields": Answer([], 400),
    "error of odd types": Answer({"code": 1, "message": {"a": 1}, "details": []}, 409),
}


@every_command
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_a_sentence(ready, server, kind, traits, garbage):
    ready.url = server.url
    server.answers[""] = garbage
    outcome = fails_and_leaves_all_as_it_was(ready, kind, **traits)
    assert outcome.error.startswith("The exchange ") and "http://" not in outcome.error


def test_message_of_the_server_cannot_control_the_terminal(bob, server):
    bob.url = server.url
    server.answers[""] = Answer({"code": "x", "message": "\x1b]0;owned\x07no" + "!" * 10_000, "details": {}}, 400)
    outcome = fails_and_leaves_all_as_it_was(bob, "ExchangeList")
    assert outcome.error.startswith("]0;ownedno!") and len(outcome.error) <= 2000


def test_failed_list_is_asked_for_once_in_a_click(bob, server):
    def click():
        recent.begin_click()
        return [bob.fails("ExchangeList").error for _ in range(3)]

    bob.url = server.url
    server.answers[""] = GARBAGE["gateway"]
    first, *others = copy_context().run(click)
    assert "502" in first and others == [first, first]
    assert len(server.received) == 1


@pytest.mark.parametrize("traits", [{}, {"inbound": True}, {"cached": True}], ids=str)
def test_names_of_the_server_cannot_control_the_terminal(bob, server, traits):
    bob.url = server.url
    name = "\x1b]0;owned\x07ps1\u202e\nSubmitted as: NBG 101 ps1"
    server.answers["assignments/"] = page(assignment(name))
    server.answers["submissions/"] = page(submission(1, student=name, assignment=name))
    outcome = bob.does("ExchangeList", **traits)
    heading, line = outcome.info
    assert "]0;ownedps1 Submitted as: NBG 101 ps1" in line and line.isprintable()
    assert outcome.result[0]["assignment_id"] == name


def test_many_deep_folders_are_not_made(bob, server):
    bob.url = server.url
    deep = [file(f"{number}/" + "d/" * 30 + "x") for number in range(400)]
    collecting(server, submission(1, "eve", deep), submission(2, "dave", [file("p1.ipynb")]))
    outcome = bob.fails("ExchangeCollect", "ps1")
    assert outcome.error.endswith("eve: The files are in more than 10,000 folders, which is the limit.")
    assert sorted(tree(bob.root / "submitted")) == ["dave/ps1/p1.ipynb", "dave/ps1/timestamp.txt"]


def test_submission_in_the_year_1_is_collected(bob, server):
    bob.url = server.url
    collecting(server, submission(1, "eve", [file("p1.ipynb")], timestamp="0001-01-01T00:00:00.000000Z"))
    bob.does("ExchangeCollect", "ps1")
    assert (bob.root / "submitted/eve/ps1/timestamp.txt").read_text() == "0001-01-01 00:00:00.000000 UTC"
    assert bob.does("ExchangeCollect", "ps1", update=True).info[-1] == "No newer submission to collect: eve ps1"


# Elsewhere


@every_command
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_token_never_follows_a_redirection(ready, server, kind, traits, status):
    ready.url = server.url
    with hostile.hostile() as other:
        server.answers[""] = Answer(b"", status, {"Location": f"{other.url}/api/v2/assignments/"})
        outcome = fails_and_leaves_all_as_it_was(ready, kind, **traits)
    assert "which is not followed" in outcome.error
    assert other.received == []


def test_next_page_is_only_ever_asked_of_the_same_address(bob, server):
    bob.url = server.url
    with hostile.hostile() as other:
        first, second = page(assignment("ps1"), next=f"{other.url}/steal/?page=2"), page(assignment("ps2"))
        server.answers["assignments/"] = lambda path: second if "page=2" in path else first
        outcome = bob.does("ExchangeList")
    assert [row["assignment_id"] for row in outcome.result] == ["ps1", "ps2"]
    assert other.received == []


def test_pages_without_end_are_given_up(bob, server):
    bob.url = server.url
    bob.monkeypatch.setattr(client, "MOST_PAGES", 20)
    server.answers[""] = page(assignment(), next="/?page=2")
    outcome = fails_and_leaves_all_as_it_was(bob, "ExchangeList")
    assert "does not end" in outcome.error
    assert 20 <= len(server.received) <= 40  # two lists at most


def test_netrc_does_not_replace_the_token(bob, server):
    bob.url = server.url
    server.answers["assignments/"] = page()
    bob.monkeypatch.setenv("HOME", str(bob.home))
    (bob.home / ".netrc").write_text("machine 127.0.0.1 login mallory password secret\n")
    (bob.home / ".netrc").chmod(0o600)
    bob.does("ExchangeList")
    assert {headers["Authorization"] for _, _, headers in server.received} == {f"token {TOKEN}"}


# File names and contents


BAD_PATHS = [
    "../outside.txt",
    "/etc/outside.txt",
    "a/../../outside.txt",
    "a//b",
    "./a",
    "",
    ".",
    "..",
    "a\\..\\b",
    "line\nbreak",
    "nul\0",
    "a" * 256,
    "a/" * 600 + "b",
    "a/" * 32 + "b",
    "exam\u202efdp.exe",
    "a\x1b[2Jb",
    "e\u0301.txt",
    7,
    None,
]


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path)[:20])
def test_release_with_a_bad_path_is_not_fetched(bob, server, path):
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": [file("p1.ipynb"), file(path)]}
    server.answers["blobs/bundle/"] = bundle((hostile.sha256(b"x"), b"x"))
    fails_and_leaves_all_as_it_was(bob, "ExchangeFetchAssignment")


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "A"), ("a", "a/b"), ("x/a", "X/b")])
def test_paths_in_each_others_way_are_not_fetched(bob, server, paths):
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": [file(path) for path in paths]}
    server.answers["blobs/bundle/"] = bundle((hostile.sha256(b"x"), b"x"))
    fails_and_leaves_all_as_it_was(bob, "ExchangeFetchAssignment")


def link(name):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


HASH = hostile.sha256(b"x")
BAD_BUNDLES = {
    "wrong content": bundle((HASH, b"y")),
    "wrong size": bundle((HASH, b"xx")),
    "not asked for": bundle((hostile.sha256(b"y"), b"y"), (HASH, b"x")),
    "nothing": bundle(),
    "path": bundle(("../../outside", b"x")),
    "absolute": bundle(("/tmp/outside", b"x")),
    "link": bundle(link(HASH)),
    "cut": bundle((HASH, b"x"))[:700],
    "noise": os.urandom(2048),
    "json": b"{}",
    "empty": b"",
}


@pytest.mark.parametrize("content", BAD_BUNDLES.values(), ids=BAD_BUNDLES)
def test_bad_bundle_is_not_fetched(bob, server, content):
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": [file("p1.ipynb")]}
    server.answers["blobs/bundle/"] = content
    fails_and_leaves_all_as_it_was(bob, "ExchangeFetchAssignment")


BAD_ENTRIES = [
    {"path": "p1.ipynb"},
    {"path": "p1.ipynb", "sha256": "../x", "size": 1},
    {"path": "p1.ipynb", "sha256": HASH.upper(), "size": 1},
    {"path": "p1.ipynb", "sha256": HASH, "size": -1},
    {"path": "p1.ipynb", "sha256": HASH, "size": True},
    {"path": "p1.ipynb", "sha256": HASH, "size": "1"},
    ["p1.ipynb"],
    None,
]


@pytest.mark.parametrize("entry", BAD_ENTRIES, ids=lambda entry: str(entry)[:60])
def test_manifest_of_another_form_is_not_fetched(bob, server, entry):
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": [entry]}
    server.answers["blobs/bundle/"] = bundle((HASH, b"x"))
    fails_and_leaves_all_as_it_was(bob, "ExchangeFetchAssignment")


# Submissions of others


def collecting(server, *rows):
    server.answers["courses/NBG%20101/"] = hostile.COURSE
    server.answers["submissions/"] = page(*rows)
    server.answers["blobs/bundle/"] = bundle((HASH, b"x"))
    server.answers["submissions/collected/"] = {"changed": 1}
    server.answers = dict(sorted(server.answers.items(), key=lambda item: -len(item[0])))


@pytest.mark.parametrize("student", ["../x", "..", ".", "a/b", "/etc", "a\0b", "line\nbreak", "a" * 300])
def test_student_with_a_bad_name_is_named_and_the_rest_collected(bob, server, student):
    bob.url = server.url
    collecting(server, submission(1, student, [file("p1.ipynb")]), submission(2, "dave", [file("p1.ipynb")]))
    before = tree(bob.home.parent)
    outcome = bob.fails("ExchangeCollect", "ps1")
    assert outcome.error.startswith("Collected all but 1 of 2 submissions. ")
    new = tree(bob.home.parent).keys() - before.keys()
    assert new == {f"bob/course/submitted/dave/ps1/{name}" for name in ("p1.ipynb", "timestamp.txt")}


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path)[:20])
def test_submission_with_a_bad_path_is_named_and_the_rest_collected(bob, server, path):
    bob.url = server.url
    collecting(server, submission(1, "eve", [file(path)]), submission(2, "dave", [file("p1.ipynb")]))
    outcome = bob.fails("ExchangeCollect", "ps1")
    assert outcome.error.startswith("Collected all but 1 of 2 submissions. eve: ")
    assert sorted(tree(bob.root / "submitted")) == ["dave/ps1/p1.ipynb", "dave/ps1/timestamp.txt"]


def test_timestamp_of_a_submission_is_the_servers_even_as_a_folder(bob, server):
    bob.url = server.url
    collecting(server, submission(1, "eve", [file("timestamp.txt/x"), file("p1.ipynb")]))
    bob.does("ExchangeCollect", "ps1")
    assert (bob.root / "submitted/eve/ps1/timestamp.txt").read_text() == "2026-01-01 00:00:00.000001 UTC"


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path)[:20])
def test_feedback_with_a_bad_path_is_told_and_the_rest_fetched(bob, server, path):
    bob.url = server.url
    rows = [submission(1, feedback=[file(path)]), submission(2, feedback=[file("p1.html")])]
    server.answers["submissions/"] = page(*rows)
    server.answers["blobs/bundle/"] = bundle((HASH, b"x"))
    before = tree(bob.home.parent)
    bob.fails("ExchangeFetchFeedback", "ps1")
    new = tree(bob.home.parent).keys() - before.keys()
    assert new == {"bob/ps1/feedback/2026-01-01 00:00:00.000002 UTC/p1.html"}


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "/etc", "a\0b"])
def test_names_in_a_list_are_never_followed(bob, server, name):
    """The row is there, but it points to nothing on this computer."""
    bob.url = server.url
    write(bob.home.parent / "x", {"p1.ipynb": notebook()})
    server.answers["assignments/"] = page(assignment(name))
    server.answers["submissions/"] = page(submission(1, name, assignment=name, course=name))
    bob.settings.Exchange.path_includes_course = True
    assert [row["status"] for row in bob.does("ExchangeList").result] == ["released"]
    (row,) = bob.does("ExchangeList", cached=True, remove=True).result
    assert row["student_id"] == name
    assert (bob.home.parent / "x/p1.ipynb").is_file()


def test_receipt_for_other_files_is_no_success(bob, server):
    write(bob.home / "ps1", {"p1.ipynb": notebook()})
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": []}
    server.answers["blobs/missing/"] = {"missing": []}
    server.answers["submissions/"] = {**submission(), "digest": "0" * 64, "file_count": 1, "size": 1}
    outcome = fails_and_leaves_all_as_it_was(bob, "ExchangeSubmit")
    assert "other files than were sent" in outcome.error
    assert not any(line.startswith("Submitted") for line in outcome.lines())


# Who one is


@every_command
def test_no_token_is_a_sentence(ready, server, kind, traits):
    ready.url, ready.username = server.url, ""
    outcome = ready.fails(kind, "ps1", **traits)
    assert outcome.error.startswith("There is no JUPYTERHUB_API_TOKEN in the environment")
    assert server.received == []


@every_command
def test_no_address_is_a_sentence(ready, kind, traits):
    outcome = ready.fails(kind, "ps1", **traits)
    assert outcome.error.startswith("The address of the exchange is not known.")


def test_token_is_in_no_line_of_a_successful_round(bob, server):
    bob.url = server.url
    server.answers["releases/latest/"] = {"files": [file("p1.ipynb")]}
    server.answers["blobs/bundle/"] = bundle((HASH, b"x"))
    outcome = bob.does("ExchangeFetchAssignment", "ps1", level=logging.DEBUG)
    assert not any(TOKEN in line for line in outcome.lines())
    assert TOKEN not in json.dumps({path: str(content) for path, content in tree(bob.home).items()})


def test_failure_that_may_pass_is_told_apart_from_others(alice):
    def fails_for_now():
        alice.sits_down()
        plugin = alice.plugin("ExchangeCollect", "ps1")
        with pytest.raises(ExchangeError):
            plugin.start()
        return plugin.failed_for_now

    alice.course = "no such course"
    assert fails_for_now() is False
    alice.url, alice.settings.NgshareClient.attempts = "http://127.0.0.1:9", 1
    assert fails_for_now() is True
