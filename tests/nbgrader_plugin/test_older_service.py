"""A service from before deadlines: what it can do goes on, and the rest is told in a sentence."""

import pytest

from nbgrader_plugin.cli.course_management import main
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer, bundle, file, page, sha256, submission
from tests.nbgrader_plugin.people import Person

pytestmark = pytest.mark.live

ASSIGNMENT = "courses/NBG%20101/assignments/ps1/"
WORK = {"assignment": "ps1", "attempts": 1, "last": "2026-01-01T00:00:00.000001Z", "late": False}
STATUS = {
    "course": "NBG 101",
    "assignments": [{"name": "ps1", "status": "released", "due": "2026-01-02T00:00:00.000000Z"}],
    "members": [
        {"username": "bob", "first_name": "", "last_name": "", "section": "", "on_roster": True, "work": [WORK]},
        {"username": "dave", "first_name": "", "last_name": "", "section": "", "on_roster": True, "work": []},
    ],
}


@pytest.fixture
def older():
    """Its answers, as a service of the version before has sent them."""
    with hostile.hostile() as script:
        script.answers = {
            "submissions/collected/": {"changed": 1},
            "blobs/bundle/": bundle((sha256(b"x"), b"x")),
            "courses/NBG%20101/status/": STATUS,
            f"/{ASSIGNMENT}": hostile.assignment(),
            "courses/NBG%20101/": hostile.COURSE,
            "submissions/": submissions,
        }
        yield script


def submissions(path):
    if "trials=only" in path:
        return Answer({"code": "invalid", "message": "trials: Write true or false.", "details": {}}, 400)
    return page(submission(1, "bob", [file("p1.ipynb")]))


@pytest.fixture
def alice(older, tmp_path, monkeypatch):
    return Person("alice", tmp_path / "alice", "NBG 101", older.url, monkeypatch)


def test_collect_collects(alice):
    assert alice.does("ExchangeCollect", "ps1").info == [
        "Processing 1 submissions of 'ps1' for course 'NBG 101'",
        "Collecting submission: bob ps1",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "NBG 101"],
        ["deadlines", "NBG 101"],
        ["deadlines", "NBG 101", "ps1"],
        ["set_due", "NBG 101", "ps1", "--due", "2026-12-01T23:59"],
        ["extend", "NBG 101", "ps1", "--student", "bob", "--due", "2026-12-01T23:59"],
        ["collect_when_due", "NBG 101", "ps1", "--now-if-due"],
        ["collect_when_due", "NBG 101", "ps1"],
    ],
    ids=" ".join,
)
def test_commands_about_deadlines_say_that_it_is_older(alice, older, arguments, monkeypatch, capfd):
    alice.root.mkdir()
    alice.sits_down()
    monkeypatch.chdir(alice.root)
    monkeypatch.setenv("NGSHARE_URL", older.url)
    assert main(arguments) == 1
    assert capfd.readouterr() == ("", "The exchange is older than this plugin: it does not know this command yet.\n")
    assert {method for method, _, _ in older.received} == {"GET"}, "nothing was changed"
