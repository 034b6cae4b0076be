"""When people change: what is theirs stays theirs, whoever they are called. (Pages and command: test_people_acts.py;
being forgotten: test_anonymising.py.)"""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from courses import people
from courses import services as course_services
from courses.errors import Conflict, Invalid, NotFound, PermissionDenied
from courses.models import AuditEntry, Membership, User
from courses.permissions import SERVER
from courses.services import RosterEntry
from exchange import receipts, services
from exchange.models import Assignment, Extension, Feedback, Submission
from tests import cast
from tests.cast import COURSE, WORK, actor, everything, person, return_feedback, submit, v2
from tests.exchange.api.v1 import wire


@pytest.fixture
def root(course):
    return person("root")


@pytest.fixture
def standalone(settings):
    settings.NGSHARE_STANDALONE = True


def receipt_of(submission):
    return receipts.receipt(Submission.objects.get(pk=submission.pk))


def state():
    """Everything, the people included."""
    return {**everything(), "people": list(User.objects.order_by("pk").values())}


@pytest.fixture
def refused(root):
    """Asserts that something is refused and nothing is written."""

    def check(error, match, does, *arguments, **options):
        before = state()
        with pytest.raises(error, match=match):
            does(*arguments, **options)
        assert state() == before

    return check


# Rename


def test_renamed_person_keeps_everything(submission, root, standalone):
    paper = receipt_of(submission)
    people.rename(person("bob"), "robert", by=actor("root"))
    assert Membership.objects.get(user__username="robert", course__name=COURSE).role == "student"
    assert receipts.verify(paper).valid and receipts.verify(receipt_of(submission)).valid
    assert cast.client("robert").get(v2("submissions", submission.pk)).status_code == 200
    assert cast.client("bob").get(v2("submissions", submission.pk)).status_code == 404
    entry = AuditEntry.objects.get(action="rename user")
    assert (entry.action, entry.actor, entry.role, entry.target) == ("rename user", "root", "administrator", "robert")
    assert entry.details == {"was": "bob"}


@pytest.mark.parametrize("name", ["", "a/b", "..", "*", " bob", "b\nb", "b\0b", "\ud800", "x" * 256])
def test_name_that_fits_nowhere_is_refused(refused, root, name):
    refused(Invalid, "cannot be a user name", people.rename, person("bob"), name, by=actor("root"))


@pytest.mark.parametrize("name", ["dave", "bob"])
def test_name_of_somebody_is_refused(refused, root, name):
    refused(Conflict, name, people.rename, person("bob"), name, by=actor("root"))


# Merge


def test_merged_person_has_the_work_of_both(assignment, root):
    first, second = submit(assignment, "bob"), submit(assignment, "dave")
    papers = [receipt_of(first), receipt_of(second)]
    moved = people.merge(person("bob"), person("dave"), by=actor("root"))
    assert moved == {"members": 1, "submissions": 1}
    assert set(person("dave").submissions.all()) == {first, second}
    assert all(receipts.verify(paper).valid for paper in papers) and receipt_of(first) == papers[0]
    assert not User.objects.filter(username="bob").exists()
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.target, entry.details["gone"]) == ("merge users", "dave", "bob")
    assert entry.details["moved"] == moved


def test_merged_person_has_the_most_generous_extension_of_both(assignment, root):
    now, day = timezone.now(), timedelta(days=1)
    bob, bobby = person("bob"), User.objects.create(username="bobby")
    other = Assignment.objects.create(course=assignment.course, name="ps2")
    values = {"created": now}
    Extension.objects.create(assignment=assignment, user=bob, due=now, cut_off=now, attempts=1, **values)
    Extension.objects.create(assignment=assignment, user=bobby, due=now + day, attempts=2, **values)
    Extension.objects.create(assignment=other, user=bobby, due=now, **values)
    moved = people.merge(bobby, bob, by=SERVER)
    both = Extension.objects.order_by("assignment").values_list("user", "due", "cut_off", "attempts")
    assert list(both) == [(bob.pk, now + day, now + day, 2), (bob.pk, now, None, 0)] and moved["extensions"] == 1


def test_merged_teacher_is_still_who_released_returned_and_submitted(assignment, root):
    services.submit(assignment, cast.upload(WORK), by=actor("alice"), student=person("bob"))
    hers = submit(assignment, "alice")
    given = return_feedback(hers, "alice")
    LogEntry.objects.create(user=person("alice"), content_type=ContentType.objects.first(), action_flag=1)
    moved = people.merge(person("alice"), person("erin"), by=actor("root"))
    erin = person("erin")
    assert moved == {"members": 1, "submissions": 2, "releases": 1, "feedback": 1, "log entries": 1}
    assert {erin} == {assignment.releases.get().released_by, Feedback.objects.get(pk=given.pk).returned_by}
    assert {one.submitted_by for one in Submission.objects.all()} == {erin}
    assert {one.student.username for one in Submission.objects.all()} == {"bob", "erin"}
    assert LogEntry.objects.get().user == erin


@pytest.mark.parametrize(("gone", "kept"), [("bob", "gina"), ("gina", "bob")])
def test_higher_role_counts_and_names_are_filled_in(course, root, gone, kept):
    for name, names in (
        ("bob", RosterEntry("bob", first_name="Bob", section="A")),
        ("gina", RosterEntry("gina", email="g@x")),
    ):
        course_services.change_member(Membership.objects.get(user__username=name), names, by=SERVER)
    people.merge(person(gone), person(kept), by=actor("root"))
    member = course.memberships.get(user__username=kept)
    assert (member.role, member.first_name, member.email, member.section) == ("grader", "Bob", "g@x", "A")
    assert course.memberships.count() == 3


def test_names_that_the_kept_account_has_win(course, root):
    for name, said in (("bob", "Robert"), ("dave", "David")):
        course_services.change_member(
            Membership.objects.get(user__username=name), RosterEntry(name, first_name=said), by=SERVER
        )
    people.merge(person("bob"), person("dave"), by=actor("root"))
    assert course.memberships.get(user__username="dave").first_name == "David"


def test_courses_of_one_alone_go_over(course, root):
    people.merge(person("carol"), person("bob"), by=actor("root"))
    assert dict(person("bob").memberships.values_list("course__name", "role")) == {
        COURSE: "student",
        cast.ELSEWHERE: "instructor",
    }


def test_groups_that_were_applied_to_the_merged_account_count_as_applied(course, root):
    User.objects.filter(username="bob").update(hub_groups=["a", "b"])
    User.objects.filter(username="dave").update(hub_groups=["b", "c"])
    people.merge(person("bob"), person("dave"), by=actor("root"))
    assert person("dave").hub_groups == ["a", "b", "c"]


def test_same_instant_is_a_conflict_and_changes_nothing(assignment, refused, root):
    first, second = submit(assignment, "bob"), submit(assignment, "dave")
    Submission.objects.filter(pk=second.pk).update(created=first.created)
    refused(Conflict, "submissions of the same instant", people.merge, person("bob"), person("dave"), by=actor("root"))


def test_same_key_is_a_conflict_and_changes_nothing(assignment, refused, root):
    submit(assignment, "bob", key="k")
    submit(assignment, "dave", key="k")
    refused(Conflict, "same idempotency key", people.merge, person("bob"), person("dave"), by=actor("root"))


def test_conflict_is_over_once_one_of_the_two_is_deleted(assignment, root):
    first, second = submit(assignment, "bob", key="k"), submit(assignment, "dave", key="k")
    services.withdraw_submissions([first], by=actor("alice"))
    first.refresh_from_db()
    services.delete_submission_permanently(first, by=actor("root"))
    people.merge(person("bob"), person("dave"), by=actor("root"))
    assert list(person("dave").submissions.all()) == [second]


def test_account_is_not_merged_into_itself(refused, root):
    refused(Conflict, "same account", people.merge, person("bob"), person("bob"), by=actor("root"))


def test_account_that_was_merged_already_is_not_merged_again(refused, root):
    bob, dave, erin = person("bob"), person("dave"), person("erin")
    people.merge(person("bob"), dave, by=actor("root"))
    refused(NotFound, "was deleted meanwhile", people.merge, bob, erin, by=actor("root"))
    refused(NotFound, "was deleted meanwhile", people.merge, erin, bob, by=actor("root"))


def test_merge_ends_the_session_of_the_gone_account_alone(course, browser, client, root):
    alice = browser("alice")
    assert alice.get("/admin/").status_code == 200
    people.merge(person("alice"), person("erin"), by=actor("root"))
    assert alice.get("/admin/").status_code == 302
    assert browser("erin").get("/admin/").status_code == 200


# Deactivate, activate


def test_deactivated_person_is_refused_everywhere_at_once(submission, browser, root, standalone):
    alice, token = browser("alice"), cast.client("alice")
    assert alice.get("/admin/").status_code == 200 and token.get(v2("me")).status_code == 200
    people.set_active(person("alice"), False, by=actor("root"))
    before = everything()
    assert alice.get("/admin/").status_code == 302 and alice.get("/").status_code == 302
    assert alice.get(f"/view/submission/{submission.pk}/").status_code == 302
    assert token.get(v2("me")).status_code == 403
    assert token.post(v2("courses", COURSE, "members"), {"username": "x"}, format="json").status_code == 403
    assert wire.get("alice", "courses")[1]["success"] is False
    assert wire.said(wire.ask(None, "GET", "courses", query={"user": "alice"}))[1]["success"] is False
    assert wire.post("alice", "course", COURSE, user="alice")[1]["success"] is False
    assert everything() == before
    assert course_of("alice").role == "instructor"


def course_of(username):
    return Membership.objects.get(user__username=username, course__name=COURSE)


def test_deactivated_administrator_administers_nothing(course, settings, root):
    settings.NGSHARE_ADMINS = ["root", "erin"]
    people.set_active(person("erin"), False, by=actor("root"))
    before = state()
    with pytest.raises(PermissionDenied):
        people.rename(person("bob"), "robert", by=actor("erin"))
    assert state() == before


def test_activated_person_is_back_with_what_they_had(submission, root, standalone):
    bob = person("bob")
    people.set_active(bob, False, by=actor("root"))
    people.set_active(bob, True, by=actor("root"))
    assert cast.client("bob").get(v2("submissions", submission.pk)).status_code == 200
    assert [one.action for one in AuditEntry.objects.all()[:2]] == ["activate user", "deactivate user"]
    before = everything()
    people.set_active(bob, True, by=actor("root"))
    assert everything() == before


# Whose acts these are

ACTS = {
    "rename": lambda by, whom: people.rename(whom, "new", by=by),
    "merge": lambda by, whom: people.merge(whom, person("dave"), by=by),
    "deactivate": lambda by, whom: people.set_active(whom, False, by=by),
    "activate": lambda by, whom: people.set_active(whom, True, by=by),
    "anonymise": lambda by, whom: people.anonymise(whom, by=by, log_too=True),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("who", ["alice", "gina", "bob", "carol", "erin"])
def test_only_administrators_may(refused, act, who):
    refused(PermissionDenied, "Only an administrator", act, actor(who), person("bob"))


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_own_account_is_refused(refused, root, act):
    refused(PermissionDenied, "your own account", act, actor("root"), root)


def test_nobody_is_found_by_a_name_that_nobody_has(course):
    with pytest.raises(NotFound, match="Nobody is called zoe"):
        people.find("zoe")
    for name in ("", "a/b", "\ud800", "\0"):
        with pytest.raises(Invalid):
            people.find(name)


def test_instants_are_kept_to_the_microsecond_by_a_merge(assignment, root):
    first = submit(assignment, "bob")
    moment = first.created - timedelta(microseconds=1)
    second = submit(assignment, "dave")
    Submission.objects.filter(pk=second.pk).update(created=moment)
    people.merge(person("bob"), person("dave"), by=actor("root"))
    assert list(person("dave").submissions.values_list("created", flat=True)) == [moment, first.created]
