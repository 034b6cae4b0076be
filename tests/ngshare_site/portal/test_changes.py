"""What changed between two attempts, and between an attempt and the release."""

import pytest

from exchange import services
from tests import cast
from tests.cast import actor, everything
from tests.exchange.rendering.notebooks import code, markdown, notebook

TASK = markdown("The <b>task</b>")
RELEASED = {"ps1.ipynb": notebook(TASK, code("raise NotImplementedError")), "data.csv": b"1,2\n"}
FIRST = {**RELEASED, "ps1.ipynb": notebook(TASK, code("return 1"))}
SECOND = {"ps1.ipynb": notebook(TASK, code("return 2 < 3")), "notes.txt": b"new", "data.csv": b"1,2\n"}


@pytest.fixture
def attempts(course):
    """bob's first and second attempt."""
    assignment = services.release(course, "ps1", cast.upload(RELEASED), by=actor("alice")).assignment
    return [services.submit(assignment, cast.upload(files), by=actor("bob"))[0] for files in (FIRST, SECOND)]


def changes(submission, other=""):
    return f"/view/submission/{submission.pk}/changes/" + (f"?with={other}" if other else "")


def text_of(browser, address):
    reply = browser.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


def test_attempt_is_compared_with_the_one_before_it(attempts, browse):
    text = text_of(browse("bob"), changes(attempts[1]))
    assert "− </span>return 1\n</del>" in text and "+ </span>return 2 &lt; 3\n</ins>" in text
    assert "1 unchanged cell" in text and "2 files differ; 1 is the same." in text
    assert 'notes.txt <span class="tag plain">added</span>' in text


def test_first_attempt_is_compared_with_the_release(attempts, browse):
    text = text_of(browse("bob"), changes(attempts[0]))
    assert "release 1 of the assignment" in text and "− </span>raise NotImplementedError" in text


def test_what_to_compare_with_is_chosen(attempts, browse):
    bob = browse("bob")
    assert "NotImplementedError" in text_of(bob, changes(attempts[1], "release"))
    text = text_of(bob, changes(attempts[0], attempts[1].pk))
    assert "+ </span>return 1" in text and 'notes.txt <span class="tag plain">removed</span>' in text


def test_nothing_of_a_file_is_markup_of_the_page(attempts, browse):
    changed = {"ps1.ipynb": notebook(markdown("<script>alert(1)</script>"), code("return 1"))}
    third, _ = services.submit(attempts[0].assignment, cast.upload(changed), by=actor("bob"))
    text = text_of(browse("bob"), changes(third, attempts[0].pk))
    assert "&lt;script&gt;alert(1)" in text and "<script>alert" not in text


def test_same_files_say_so(attempts, browse):
    again, _ = services.submit(attempts[0].assignment, cast.upload(SECOND), by=actor("bob"))
    assert "No file differs; 3 are the same." in text_of(browse("bob"), changes(again))


def test_files_that_cannot_be_compared_say_why(attempts, browse):
    files = [{"a.bin": b"1", "b.ipynb": b"no"}, {"a.bin": b"2", "b.ipynb": b"notebook"}]
    for each in files:
        made, _ = services.submit(attempts[0].assignment, cast.upload(each), by=actor("bob"))
    text = text_of(browse("bob"), changes(made))
    assert "not compared here" in text and "not what its name says" in text


@pytest.mark.parametrize(
    ("who", "status"),
    [("bob", 200), ("gina", 200), ("alice", 200), ("root", 200), ("dave", 404), ("carol", 404), ("erin", 404)],
)
def test_changes_are_for_the_student_and_staff(attempts, browse, who, status):
    browser, before = browse(who), everything()
    assert browser.get(changes(attempts[1])).status_code == status
    assert everything() == before


@pytest.mark.parametrize("other", ["0", "999999", "x", "releases"])
def test_nothing_else_can_be_compared(attempts, browse, other):
    assert browse("bob").get(changes(attempts[1], other)).status_code == 404


def test_attempts_of_others_cannot_be_compared(attempts, browse):
    foreign = cast.submit(attempts[0].assignment, "dave")
    assert browse("alice").get(changes(attempts[1], foreign.pk)).status_code == 404
    assert browse("bob").get(changes(attempts[1], foreign.pk)).status_code == 404


def test_release_that_a_student_may_not_read_any_more_is_not_compared(attempts, browse):
    services.unrelease(attempts[0].assignment, by=actor("alice"))
    assert "no release to compare" in text_of(browse("bob"), changes(attempts[0]))
    assert browse("bob").get(changes(attempts[0], "release")).status_code == 404


def test_page_has_room_for_some_of_many_long_differences(attempts, browse):
    texts = (
        {f"{n}.txt": "\n".join(f"{each} {n} {i}" for i in range(4000)).encode() for n in range(8)} for each in "ab"
    )
    for files in texts:
        made, _ = services.submit(attempts[0].assignment, cast.upload(files), by=actor("bob"))
    for _look in ("made", "kept"):
        text = text_of(browse("bob"), changes(made))
        assert "8 files differ" in text and "a 0 0\n</del>" in text
        assert "There was no room to show this file, too." in text
        assert len(text) < 3_000_000
