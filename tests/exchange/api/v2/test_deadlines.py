"""Deadlines, extensions and solutions through the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Course, Membership
from courses.timestamps import format_timestamp
from exchange import services
from exchange.models import Assignment, Extension, Submission
from tests import cast
from tests.cast import COURSE, PS1, WORK, everything, of_assignment, person, post_bundle, v2

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUBMISSIONS, EXTENSIONS, SOLUTION = (of_assignment(name) for name in ("submissions", "extensions", "solution"))


def text(moment):
    return format_timestamp(moment)


def patch(who, body, query=""):
    return cast.client(who).patch(of_assignment() + query, body, format="json")


def grant(who, *extensions, query=""):
    return cast.client(who).post(EXTENSIONS + query, {"extensions": list(extensions)}, format="json")


def deadline(who):
    (row,) = cast.client(who).get(v2("assignments")).json()["results"]
    assert row == cast.client(who).get(of_assignment()).json()
    return row["deadline"]


def test_student_sees_what_is_in_force_for_them_and_why(submission):
    due, later = timezone.now() + HOUR, timezone.now() + DAY
    answer = patch("alice", {"due": text(due), "cut_off": text(due), "max_attempts": 3})
    own = {"due": text(due), "cut_off": text(due), "max_attempts": 3}
    assert answer.status_code == 200 and {name: answer.json()[name] for name in own} == own
    grant("alice", {"student": "bob", "due": text(later), "attempts": 1, "reason": "ill"})
    extended = {"due": text(later), "cut_off": text(later), "attempts_left": 3, "reason": "extension"}
    assert deadline("bob") == extended
    assert deadline("dave") == {"due": text(due), "cut_off": text(due), "attempts_left": 3, "reason": ""}


def test_limit_does_not_count_for_staff_who_try_the_assignment(assignment):
    patch("alice", {"max_attempts": 1})
    assert {who: deadline(who)["attempts_left"] for who in ("bob", "gina", "alice", "root")} == {
        "bob": 1, "gina": None, "alice": None, "root": None,
    }  # fmt: skip


def test_late_registrant_sees_their_own_deadline(assignment):
    joined = timezone.now()
    Membership.objects.filter(user=person("bob")).update(created=joined)
    cast.client("alice").patch(v2("courses", COURSE), {"min_days": 7}, format="json")
    patch("alice", {"due": text(joined + HOUR)})
    until = text(joined + 7 * DAY)
    assert deadline("bob") == {"due": until, "cut_off": None, "attempts_left": None, "reason": "joined"}


@pytest.mark.parametrize("who", ["gina", "alice", "root"])
def test_no_cut_off_and_no_limit_is_in_force_for_staff(assignment, who):
    """They may try the assignment nevertheless, so that nothing warns them of a last attempt, or that it closes."""
    soon = text(timezone.now() + HOUR)
    patch("alice", {"due": soon, "cut_off": soon, "max_attempts": 1})
    assert deadline("bob") == {"due": soon, "cut_off": soon, "attempts_left": 1, "reason": ""}
    assert deadline(who) == {"due": soon, "cut_off": None, "attempts_left": None, "reason": ""}


def test_list_without_extensions_takes_no_query_for_deadlines(assignment, django_assert_num_queries):
    patch("alice", {"due": text(timezone.now())})
    bob = cast.client("bob")
    with django_assert_num_queries(4):
        bob.get(v2("assignments"))


def test_closed_assignment_answers_409_with_when_it_closed(assignment):
    Course.objects.update(timezone="Europe/Berlin")
    Assignment.objects.update(cut_off="2026-10-25T00:30:00Z")
    answer = post_bundle(cast.client("bob"), SUBMISSIONS, cast.bundle(WORK))
    assert (answer.status_code, answer.json()["code"]) == (409, "closed")
    assert "2026-10-25 02:30 CEST (Europe/Berlin)" in answer.json()["message"]
    assert answer.json()["details"] == {"cut_off": "2026-10-25T00:30:00.000000Z"}


def test_attempt_over_the_limit_answers_409(assignment):
    patch("alice", {"max_attempts": 1})
    bob = cast.client("bob")
    first = post_bundle(bob, SUBMISSIONS, cast.bundle(WORK), **{"Idempotency-Key": "a"})
    answer = post_bundle(bob, SUBMISSIONS, cast.bundle(PS1), **{"Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_attempts_left")
    again = post_bundle(bob, SUBMISSIONS, cast.bundle(WORK), **{"Idempotency-Key": "a"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert Submission.objects.count() == 1


def test_before_its_release_time_an_assignment_is_there_for_staff_alone(assignment, bob):
    patch("alice", {"release_at": text(timezone.now() + HOUR)})
    for address in (of_assignment(), of_assignment("releases", "latest"), SUBMISSIONS):
        assert bob.get(address).status_code == 404 and cast.client("gina").get(address).status_code == 200
    assert bob.get(v2("assignments")).json()["results"] == []
    assert len(cast.client("gina").get(v2("assignments")).json()["results"]) == 1
    assert post_bundle(bob, SUBMISSIONS, cast.bundle(WORK)).status_code == 404
    released = {"sha256": [cast.sha256(PS1["ps1.ipynb"])]}
    assert bob.post(v2("blobs", "bundle"), released, format="json").status_code == 404
    patch("alice", {"release_at": text(timezone.now())})
    assert bob.get(of_assignment()).status_code == 200
    assert bob.post(v2("blobs", "bundle"), released, format="json").status_code == 200


def test_dry_run_answers_whose_state_would_change_and_changes_nothing(submission):
    before, past = everything(), text(submission.created - HOUR)
    bob = {"student": "bob", "before": {"late": False, "closed": False}, "after": {"late": True, "closed": False}}
    answer = patch("alice", {"due": past}, "?dry_run=true")
    assert answer.json()["changes"] == [bob] and answer.json()["due"] is None
    assert everything() == before
    assert patch("alice", {"due": past}).json()["changes"] == [bob]
    before = everything()
    asked = {"student": "bob", "due": text(submission.created)}
    back = {"student": "bob", "before": bob["after"], "after": bob["before"]}
    assert grant("alice", asked, query="?dry_run=true").json() == {"changes": [back]}
    assert everything() == before
    assert grant("alice", asked).json() == {"changes": [back]}
    address = of_assignment("extensions", Extension.objects.get().pk)
    before = everything()
    assert cast.client("alice").delete(f"{address}?dry_run=true").json() == {"changes": [bob]}
    assert everything() == before
    assert cast.client("alice").delete(address).json() == {"changes": [bob]}
    assert cast.client("alice").delete(address).status_code == 404


def test_extensions_are_listed_with_who_granted_them_and_why(assignment):
    due = timezone.now()
    patch("alice", {"due": text(due)})
    Membership.objects.filter(user=person("dave")).update(section="B")
    grant(
        "alice", {"student": "bob", "due": text(due + DAY), "reason": "ill"}, {"section": "B", "due": text(due + HOUR)}
    )
    section, student = cast.client("gina").get(EXTENSIONS).json()["results"][::-1]
    granted = {"cut_off": None, "attempts": 0, "granted_by": "alice"}
    assert student | {"created": "", "id": 0} == {
        **granted, "id": 0, "student": "bob", "section": None, "due": text(due + DAY), "reason": "ill", "created": ""
    }  # fmt: skip
    assert (section["section"], section["student"], section["due"]) == ("B", None, text(due + HOUR))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"extensions": 5}, 400),
        ({"extensions": [5]}, 400),
        ({"extensions": [{}]}, 400),
        ({"extensions": [{"student": "bob"}]}, 400),
        ({"extensions": [{"student": "bob", "section": "B", "attempts": 1}]}, 400),
        ({"extensions": [{"student": "bob", "due": "soon"}]}, 400),
        ({"extensions": [{"student": "bob", "attempts": -1}]}, 400),
        ({"extensions": [{"student": "bob", "attempts": 1, "reason": "\0"}]}, 400),
        ({"extensions": [{"student": "erin", "attempts": 1}]}, 404),
        ({"extensions": [{"student": "bob", "due": "2026-01-01T00:00:00Z"}]}, 400),
    ],
)
def test_malformed_extension_changes_nothing(assignment, alice, body, status):
    patch("alice", {"max_attempts": 1})
    before = everything()
    assert alice.post(EXTENSIONS, body, format="json").status_code == status
    assert everything() == before


@pytest.mark.parametrize(
    "body",
    [{}, {"due": "soon"}, {"max_attempts": 0}, {"max_attempts": 2**40}, {"cut_off": "2026-01-01T00:00:00Z"}],
)
def test_malformed_deadline_changes_nothing(assignment, body):
    patch("alice", {"due": "2026-02-01T00:00:00Z"})
    before = everything()
    assert patch("alice", body).status_code == 400
    assert everything() == before


@pytest.mark.parametrize(
    "body", [{"timezone": "Mars/Olympus"}, {"min_days": -1}, {"late_days": 1001}, {"late_days": "x"}]
)
def test_malformed_rule_of_a_course_changes_nothing(course, alice, body):
    before = everything()
    assert alice.patch(v2("courses", COURSE), body, format="json").status_code == 400
    assert everything() == before


def test_rules_of_a_course_are_set_and_answered(course, alice):
    assert alice.get(v2("courses", COURSE)).json()["timezone"] == "UTC"
    rules = {"timezone": "Europe/Berlin", "late_days": 3, "min_days": 7}
    answer = alice.patch(v2("courses", COURSE), rules, format="json").json()
    assert {name: answer[name] for name in rules} == rules
    assert alice.patch(v2("courses", COURSE), {"timezone": ""}, format="json").json()["timezone"] == "UTC"


def test_solution_travels_and_is_there_after_the_cut_off(assignment, alice, bob):
    files = {"ps1.ipynb": b"the answer"}
    answer = alice.put(SOLUTION, cast.bundle(files), content_type="application/x-tar")
    assert answer.status_code == 200 and answer.json()["files"] == cast.manifest(files)
    asked = {"sha256": [cast.sha256(files["ps1.ipynb"])]}
    assert (bob.get(SOLUTION).status_code, bob.post(v2("blobs", "bundle"), asked, format="json").status_code) == (
        403,
        404,
    )
    patch("alice", {"due": text(timezone.now() - HOUR)})
    assert bob.get(SOLUTION).json()["digest"] == answer.json()["digest"]
    bundle = bob.post(v2("blobs", "bundle"), asked, format="json")
    assert bundle.status_code == 200 and b"the answer" in b"".join(bundle.streaming_content)
    assert alice.delete(SOLUTION).status_code == 204
    assert (bob.get(SOLUTION).status_code, bob.get(v2("blobs", asked["sha256"][0])).status_code) == (404, 404)


def test_release_that_says_nothing_keeps_the_deadlines(assignment, alice):
    deadlines = {"due": timezone.now(), "cut_off": timezone.now() + HOUR, "max_attempts": 2}
    services.set_deadlines(assignment, deadlines, by=cast.actor("alice"))
    assert post_bundle(alice, of_assignment("releases") + "?force=true", cast.bundle(PS1)).status_code == 201
    assert Assignment.objects.values(*deadlines).get() == deadlines
