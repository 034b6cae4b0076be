"""What all commands have in common: one sentence for a failure, and the course that goes without saying."""

import itertools
import traceback

import pytest
from nbgrader.exchange import ExchangeError

from nbgrader_plugin.client import times
from tests.nbgrader_plugin.people import notebook, write
from tests.servers import free_port

pytestmark = pytest.mark.live

NUMBERS = itertools.count(1)


@pytest.fixture
def erin(person, alice):
    """A student of this course, and of no other."""
    username = f"erin{next(NUMBERS)}"
    alice.api("PUT", f"courses/{alice.course}/members/{username}/", json={"role": "student"})
    return person(username)


def nameless(person, kind, **options):
    """What comes of a command without --course."""
    return person.run(kind, "ps1", coursedir={"course_id": ""}, **options)


@pytest.mark.parametrize("kind", ["ExchangeSubmit", "ExchangeFetchAssignment", "ExchangeFetchFeedback", "ExchangeList"])
def test_failure_is_one_sentence_without_an_exception_before_it(bob, kind):
    write(bob.home / "ps1", {"p1.ipynb": notebook()})
    if kind == "ExchangeFetchAssignment":
        (bob.home / "ps1").rename(bob.home / "elsewhere")
    bob.url = f"http://127.0.0.1:{free_port()}"
    bob.settings.NgshareClient.attempts = 1
    bob.sits_down()
    with pytest.raises(ExchangeError) as caught:
        bob.plugin(kind, "ps1").start()
    text = "".join(traceback.format_exception(caught.value))
    assert text.count("Traceback (most recent call last)") == 1
    assert text.endswith("ExchangeError: The exchange cannot be reached, or the connection to it broke.\n")


def test_only_course_goes_without_saying(alice, erin):
    alice.releases()
    for kind in ("ExchangeFetchAssignment", "ExchangeSubmit", "ExchangeList"):
        assert nameless(erin, kind).error == ""
    (submission,) = erin.submissions()
    alice.gives_feedback(
        erin.username, erin.plugin("ExchangeList").timestamp_text(times.from_server(submission["timestamp"]))
    )
    alice.does("ExchangeReleaseFeedback", "ps1")
    assert nameless(erin, "ExchangeFetchFeedback").error == ""
    assert list((erin.home / "ps1/feedback").rglob("p1.html"))


def test_several_courses_are_named(bob, courses, alice):
    for course in courses:
        alice.api("PUT", f"courses/{course}/members/bob/", json={"role": "student"})
    write(bob.home / "ps1", {"p1.ipynb": notebook()})
    for kind in ("ExchangeSubmit", "ExchangeFetchFeedback"):
        error = nameless(bob, kind).error
        assert error.startswith("You are in several courses; name one with --course: ")
        assert {*courses, bob.course} <= set(error.partition(": ")[2].split(", "))


def test_somebody_without_a_course_is_told_so(person):
    assert (
        nameless(person("nobody"), "ExchangeFetchAssignment").error == "You are in no course. Name one with --course."
    )
