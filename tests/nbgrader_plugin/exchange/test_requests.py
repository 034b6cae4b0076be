"""Which requests each command sends: no more than it needs, on one connection."""

from contextvars import copy_context

import pytest

from nbgrader_plugin.client import parts, recent, sending
from tests import cast
from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

DATA = {"data.csv": b"1,2\n" * 10_000}
RELEASE = {"p1.ipynb": notebook(), **DATA}
LATEST = "GET assignments/ps1/releases/latest/"
DEADLINE = "GET assignments/ps1/"
SUBMIT = "POST assignments/ps1/submissions/"
BUNDLE = "POST blobs/bundle/"


@pytest.fixture
def released(alice):
    alice.releases(files=RELEASE)


@pytest.fixture
def sent(monkeypatch):
    """The numbers of bytes of what is sent, as bundles."""
    sizes = []
    upload = sending.Upload.__len__
    monkeypatch.setattr(sending.Upload, "__len__", lambda self: sizes.append(upload(self)) or upload(self))
    return sizes


def loses_the_bytes_of(exchange, content):
    sha256 = cast.sha256(content)
    (exchange.data / "blobs" / sha256[:2] / sha256).unlink()


def test_first_submission_takes_the_release_the_deadline_and_the_submission(released, bob, traffic):
    write(bob.home / "ps1", RELEASE)
    assert traffic.of(lambda: bob.submits()) == [LATEST, DEADLINE, SUBMIT]
    assert traffic.connections == 1


def test_submission_after_fetching_takes_two_requests(released, bob, traffic):
    assert traffic.of(lambda: bob.does("ExchangeFetchAssignment", "ps1")) == [LATEST, BUNDLE]
    assert traffic.connections == 1
    assert traffic.of(lambda: bob.submits(files={"p1.ipynb": notebook("mine")})) == [DEADLINE, SUBMIT]
    assert traffic.of(lambda: bob.submits(files={"p1.ipynb": notebook("better")})) == [DEADLINE, SUBMIT]


def test_submission_in_jupyterlab_where_nobody_reads_the_log_takes_one_request(released, bob, traffic):
    def click():
        recent.begin_click()
        return traffic.of(lambda: bob.submits(files={"p1.ipynb": notebook("mine")}))

    bob.does("ExchangeFetchAssignment", "ps1")
    assert copy_context().run(click) == [SUBMIT]


def test_what_the_server_has_is_not_sent_again(released, bob, sent):
    write(bob.home / "ps1", {**RELEASE, "mine.csv": b"3,4\n" * 10_000})
    bob.submits()
    assert 40_000 < max(sent) < 80_000, "of the two large files only the one that is not in the release"
    sent.clear()
    bob.submits(files={"p1.ipynb": notebook("better")})
    assert max(sent) < 40_000, "nothing of what was submitted before"


def test_release_in_between_is_compared_with_before_anything_is_submitted(released, alice, bob, traffic):
    bob.does("ExchangeFetchAssignment", "ps1")
    alice.releases(files={"p2.ipynb": notebook("new")}, force=True)
    outcome = []
    seen = traffic.of(lambda: outcome.append(bob.submits()))
    assert seen == [DEADLINE, SUBMIT, LATEST, SUBMIT]
    assert "\tp2.ipynb: MISSING" in outcome[0].warnings[0]
    (submission,) = alice.submissions()
    assert submission["release"] == 2
    assert traffic.of(lambda: bob.submits(files={"p2.ipynb": notebook("new")})) == [DEADLINE, SUBMIT]


def test_release_in_between_that_lacks_nothing_goes_without_a_word(released, alice, bob, traffic):
    bob.does("ExchangeFetchAssignment", "ps1")
    alice.releases(files={"data.csv": b"corrected"}, force=True)
    outcome = bob.submits()
    assert outcome.warnings == []
    assert [row["release"] for row in alice.submissions()] == [2]


def test_strict_holds_for_the_release_in_between(released, alice, bob):
    bob.does("ExchangeFetchAssignment", "ps1")
    alice.releases(files={"p2.ipynb": notebook("new")}, force=True)
    outcome = bob.fails("ExchangeSubmit", "ps1", strict=True)
    assert outcome.error.startswith("Assignment ps1 not submitted. There are missing notebooks")
    assert alice.submissions() == []


def test_strict_does_not_hold_for_a_release_that_is_no_longer_the_latest(alice, bob, traffic):
    alice.releases(files={"p1.ipynb": notebook(), "p2.ipynb": notebook()})
    bob.does("ExchangeFetchAssignment", "ps1")
    (alice.root / "release/ps1/p2.ipynb").unlink()
    alice.releases(force=True)
    (bob.home / "ps1/p2.ipynb").unlink()
    outcome = []
    assert traffic.of(lambda: outcome.append(bob.submits(strict=True))) == [LATEST, DEADLINE, SUBMIT]
    assert outcome[0].warnings == []


def test_missing_notebooks_are_told_of_the_release_that_is_the_latest(released, bob, traffic):
    bob.does("ExchangeFetchAssignment", "ps1")
    (bob.home / "ps1/p1.ipynb").unlink()
    outcome = []
    assert traffic.of(lambda: outcome.append(bob.submits())) == [LATEST, DEADLINE, SUBMIT]
    assert "\tp1.ipynb: MISSING" in outcome[0].warnings[0]


def test_assignment_that_was_unreleased_meanwhile_is_not_found(released, alice, bob):
    bob.does("ExchangeFetchAssignment", "ps1")
    alice.does("ExchangeList", "ps1", remove=True)
    sentence = f"ps1 was unreleased by your instructor (course {bob.course})."
    assert bob.fails("ExchangeSubmit", "ps1").error == sentence
    assert bob.fails("ExchangeFetchAssignment", "ps1", replace_missing_files=True).error == sentence
    assert alice.submissions() == []


def test_large_file_is_not_sent_for_an_assignment_that_was_unreleased_meanwhile(
    released, alice, bob, traffic, monkeypatch
):
    monkeypatch.setattr(parts, "LARGE", 50_000)
    bob.does("ExchangeFetchAssignment", "ps1")
    write(bob.home / "ps1", {"mine.csv": "1,2\n" * 20_000})
    alice.does("ExchangeList", "ps1", remove=True)
    seen = traffic.of(lambda: bob.fails("ExchangeSubmit", "ps1"))
    assert seen[0] == LATEST and not [request for request in seen if "uploads/" in request]


def test_large_file_is_not_sent_before_strict_is_kept(released, alice, bob, traffic, monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 50_000)
    bob.does("ExchangeFetchAssignment", "ps1")
    write(bob.home / "ps1", {"mine.csv": "1,2\n" * 20_000})
    alice.releases(files={"p2.ipynb": notebook("new")}, force=True)
    assert traffic.of(lambda: bob.fails("ExchangeSubmit", "ps1", strict=True)) == [LATEST]


def test_large_file_that_was_sent_before_takes_no_further_request(released, bob, traffic, monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 50_000)
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "mine.csv": "1,2\n" * 20_000})
    bob.submits()
    assert traffic.of(lambda: bob.submits()) == [DEADLINE, SUBMIT]


def test_student_who_was_removed_meanwhile_has_no_access(released, alice, bob):
    bob.does("ExchangeFetchAssignment", "ps1")
    alice.api("DELETE", f"courses/{alice.course}/members/bob/")
    assert bob.fails("ExchangeSubmit", "ps1").error.startswith("You do not have access to this course.")
    assert alice.submissions() == []


def test_bytes_that_the_server_has_lost_are_sent_again(exchange, alice, bob, traffic):
    unique = bob.course.encode() * 1000
    alice.releases(files={**RELEASE, "data.csv": unique})
    bob.does("ExchangeFetchAssignment", "ps1")
    loses_the_bytes_of(exchange, unique)
    assert traffic.of(lambda: bob.submits()) == [DEADLINE, SUBMIT, SUBMIT]
    (submission,) = alice.submissions()
    assert traffic.of(lambda: bob.submits()) == [DEADLINE, SUBMIT]
    alice.does("ExchangeCollect", "ps1")
    assert tree(alice.root / "submitted/bob/ps1")["data.csv"] == unique


def test_server_is_asked_about_much_that_it_may_have(released, bob, traffic, monkeypatch):
    monkeypatch.setattr(sending, "ASK_BYTES", 1000)
    write(bob.home / "ps1", {**RELEASE, "mine.csv": "5,6\n" * 1000})
    assert traffic.of(lambda: bob.submits()) == [LATEST, DEADLINE, "POST blobs/missing/", SUBMIT]


def test_server_is_asked_about_many_files_that_it_may_have(released, bob, traffic, monkeypatch):
    monkeypatch.setattr(sending, "ASK_FILES", 2)
    write(bob.home / "ps1", {**RELEASE, **{f"{number}.txt": str(number) for number in range(3)}})
    assert traffic.of(lambda: bob.submits()) == [LATEST, DEADLINE, "POST blobs/missing/", SUBMIT]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "[]",
        "{",
        '{"etag": 1}',
        '{"etag": "\\"x\\"", "files": [{"path": "../x"}], "sent": []}',
        '{"etag": "\\"x\\n\\"", "files": [], "sent": []}',
        '{"etag": "\\"\\u20ac\\"", "files": [], "sent": []}',
        "[" * 10**5,
    ],
)
def test_damaged_memory_of_a_release_is_as_good_as_none(released, bob, traffic, damage):
    bob.does("ExchangeFetchAssignment", "ps1")
    (file,) = (bob.cache / ".known").iterdir()
    file.write_text(damage)
    assert traffic.of(lambda: bob.submits()) == [LATEST, DEADLINE, SUBMIT]


def test_release_takes_two_requests(alice, traffic):
    assert traffic.of(lambda: alice.releases(files=RELEASE)) == [
        "GET assignments/ps1/",
        "POST assignments/ps1/releases/",
    ]


def test_unchanged_files_are_not_released_again(alice, sent):
    alice.releases(files=RELEASE)
    sent.clear()
    alice.releases(files={"p1.ipynb": notebook("corrected")}, force=True)
    assert max(sent) < 40_000


def test_fetching_again_compares_with_the_release_that_is_known(released, bob, traffic):
    bob.does("ExchangeFetchAssignment", "ps1")
    (bob.home / "ps1/data.csv").unlink()
    again = {"replace_missing_files": True}
    assert traffic.of(lambda: bob.does("ExchangeFetchAssignment", "ps1", **again)) == [LATEST, BUNDLE]
    assert (bob.home / "ps1/data.csv").read_bytes() == DATA["data.csv"]


def test_collecting_and_feedback(released, alice, bob, dave, traffic):
    bob.submits()
    dave.submits()
    assert traffic.of(lambda: alice.does("ExchangeCollect", "ps1")) == [
        "GET submissions/", "GET submissions/", BUNDLE, "POST submissions/collected/"
    ]  # fmt: skip
    assert traffic.connections == 1
    for student in ("bob", "dave"):
        timestamp = (alice.root / f"submitted/{student}/ps1/timestamp.txt").read_text()
        alice.gives_feedback(student, timestamp)
    assert traffic.of(lambda: alice.does("ExchangeReleaseFeedback", "ps1")) == ["POST assignments/ps1/feedback/"]
    assert traffic.of(lambda: bob.does("ExchangeFetchFeedback", "ps1")) == ["GET submissions/", BUNDLE]
    assert traffic.connections == 1


@pytest.mark.parametrize(
    ("traits", "path"), [({}, "assignments/"), ({"inbound": True}, "submissions/"), ({"cached": True}, "submissions/")]
)
def test_list_takes_one_request(released, bob, traffic, traits, path):
    assert traffic.of(lambda: bob.does("ExchangeList", **traits)) == [f"GET {path}"]
