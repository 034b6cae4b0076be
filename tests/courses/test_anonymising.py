"""Anonymising: what is forgotten, what is kept, and what the audit log goes on saying."""

import json

import pytest

from courses import people
from courses import services as course_services
from courses.models import AuditEntry, Course, Membership, User
from courses.permissions import SERVER
from courses.roster import apply_roster
from courses.services import RosterEntry
from exchange import receipts, services
from exchange.models import Feedback, Submission
from tests import cast
from tests.cast import actor, person, return_feedback, submit, v2


@pytest.fixture
def root(course):
    return person("root")


@pytest.fixture
def standalone(settings):
    settings.NGSHARE_STANDALONE = True


def receipt_of(submission):
    return receipts.receipt(Submission.objects.get(pk=submission.pk))


def test_anonymised_person_is_forgotten_and_their_work_is_kept(submission, root, standalone):
    course_services.change_member(
        Membership.objects.get(user__username="bob"), RosterEntry("bob", first_name="Bob", email="b@x"), by=SERVER
    )
    User.objects.filter(username="bob").update(hub_groups=["nbgrader-x"], is_hub_admin=True)
    given, paper, bob = return_feedback(submission, "gina"), receipt_of(submission), person("bob")
    name = people.anonymise(bob, by=actor("root"))
    assert name == f"anonymous-{bob.pk}"
    row = User.objects.get(pk=bob.pk)
    assert (row.username, row.is_active, row.is_hub_admin, row.hub_groups) == (name, False, False, [])
    assert not row.memberships.exists() and not User.objects.filter(username="bob").exists()
    assert Submission.objects.get(student=row) == submission and Feedback.objects.get() == given
    assert receipts.verify(paper).valid and receipt_of(submission)["student"] == name
    assert cast.client("alice").get(v2("submissions", submission.pk)).json()["student"] == name
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.target, entry.details) == ("anonymise user", name, {"was": "bob"})


def test_reason_of_an_extension_is_forgotten_with_the_person(submission, root):
    assignment, reason = submission.assignment, "in hospital"
    services.set_deadlines(assignment, {"max_attempts": 3}, by=actor("alice"))
    grants = [services.Grant(student=name, attempts=1, reason=reason) for name in ("bob", "dave")]
    services.grant_extensions(assignment, grants, by=actor("alice"))
    people.anonymise(person("bob"), by=actor("root"))
    reasons = assignment.extensions.order_by("user__username").values_list("user", "reason")
    assert set(reasons) == {(submission.student_id, ""), (person("dave").pk, reason)}
    assert not any(reason in json.dumps(entry.details) for entry in AuditEntry.objects.all())


def test_anonymised_person_is_logged_out_and_not_let_in_as_the_number(course, browser, root, standalone):
    alice = browser("alice")
    name = people.anonymise(person("alice"), by=actor("root"))
    assert alice.get("/admin/").status_code == 302
    assert cast.client(name).get(v2("me")).status_code == 403


def test_new_person_of_the_old_name_is_another_account(submission, root, standalone):
    people.anonymise(person("bob"), by=actor("root"))
    bob = cast.client("bob")
    assert bob.get(v2("me")).json()["courses"] == []
    assert bob.get(v2("submissions", submission.pk)).status_code == 404
    assert person("bob").pk != submission.student_id


def test_name_that_a_user_of_the_hub_has_is_not_taken(course, root):
    bob = person("bob")
    User.objects.create(username=f"anonymous-{bob.pk}")
    name = people.anonymise(bob, by=actor("root"))
    assert name != f"anonymous-{bob.pk}" and User.objects.get(pk=bob.pk).username == name


def mentions(name):
    """The audit log's entries that hold the name anywhere."""
    entries = AuditEntry.objects.values_list("actor", "target", "details")
    return [entry for entry in entries if name in f"{entry[0]} {entry[1]} {json.dumps(entry[2], ensure_ascii=False)}"]


@pytest.mark.parametrize("name", ["bob", 'b"o\\b', "bób 漢字", "b%b_", "b'b"])
def test_log_is_anonymised_where_that_is_asked_for(assignment, root, name):
    course, other = assignment.course, Course.objects.get(name=cast.ELSEWHERE)
    if name != "bob":
        people.rename(person("bob"), name, by=SERVER)
    roster = [RosterEntry(name, section="B"), RosterEntry(f"{name}by")]
    apply_roster(course, roster, by=actor("alice"))
    course_services.add_member(other, RosterEntry(name, "instructor"), by=SERVER)
    mine = submit(assignment, name)
    return_feedback(mine, "gina")
    services.withdraw_submissions([mine], by=actor("alice"))
    mine.refresh_from_db()
    services.delete_submission_permanently(mine, by=actor("root"))
    count = AuditEntry.objects.count()
    number = people.anonymise(person(name), by=actor("root"), log_too=True)
    texts = [text for entry in mentions("") for text in texts_in(entry)]
    assert name not in texts and f"{name}by" in texts and not [text for text in texts if f" {name}," in str(text)]
    assert len(mentions(number)) >= 5 and AuditEntry.objects.count() == count + 1


def texts_in(value):
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return [text for one in value for text in texts_in(one)] if isinstance(value, list | tuple) else [value]


def test_log_forgets_earlier_names_of_the_same_person_and_spares_who_has_them_now(assignment, root):
    submit(assignment, "bob")
    people.rename(person("bob"), "robert", by=actor("root"))
    submit(assignment, "robert")
    people.merge(person("dave"), person("robert"), by=actor("root"))
    course_services.add_member(assignment.course, RosterEntry("bob"), by=actor("alice"))  # a new one
    number = people.anonymise(person("robert"), by=actor("root"), log_too=True)
    assert not mentions("robert") and not mentions("dave")
    assert [entry[:2] for entry in mentions("bob")] == [("alice", "bob")]
    assert len(mentions(number)) == 5


def test_log_goes_on_naming_them_otherwise(submission, root):
    people.anonymise(person("bob"), by=actor("root"))
    assert {entry[0] for entry in mentions("bob")} == {"bob", "root"}
