import pytest

from courses.models import Course, Role
from exchange import services
from tests import cast
from tests.cast import PS1, WORK


@pytest.fixture
def course(db, settings):
    settings.NGSHARE_ADMINS = ["root"]
    return cast.make_courses()


@pytest.fixture
def assignment(course):
    return services.release(course, "ps1", cast.upload(PS1), by=cast.actor("alice")).assignment


@pytest.fixture
def submission(assignment):
    return services.submit(assignment, cast.upload(WORK), by=cast.actor("bob"))[0]


@pytest.fixture
def browser(client):
    """A browser in which someone is logged in."""

    def log_in(username):
        client.force_login(cast.person(username))
        return client

    return log_in


ELSEWHERE = {"plans/my plan.txt": b"the plan that zoe has", "plans/日本.md": "naïve".encode()}


@pytest.fixture
def two_courses(assignment, submission):
    """NBG 101 with bob's submission, and carol's Elsewhere with zoe's: {name: thing}. Each has its feedback."""
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    cast.enrol(elsewhere, "zoe", Role.STUDENT, first_name="Zoë", section="hidden group")
    foreign = services.release(elsewhere, "lab 1", cast.upload({"plans/task.txt": b"?"}), by=cast.actor("carol"))
    foreign_submission, _ = services.submit(foreign.assignment, cast.upload(ELSEWHERE), by=cast.actor("zoe"))
    return {
        "course": submission.assignment.course,
        "assignment": assignment,
        "release": assignment.releases.get(),
        "submission": submission,
        "feedback": cast.return_feedback(submission, "alice"),
        "foreign course": elsewhere,
        "foreign assignment": foreign.assignment,
        "foreign release": foreign,
        "foreign submission": foreign_submission,
        "foreign feedback": cast.return_feedback(foreign_submission, "carol"),
    }
