"""Setting deadlines and granting extensions: whose state changes, who may, and what is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.errors import Invalid, NotFound, PermissionDenied
from courses.models import AuditEntry, Membership
from exchange import deadlines, services
from exchange.models import Assignment, Extension
from exchange.services import Grant
from exchange.services.deadlines import State, StateChange
from tests import cast
from tests.cast import actor, everything, person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IN_TIME, LATE = State(late=False), State(late=True)


@pytest.fixture
def due(submission):
    """ps1, due an hour before bob submitted, and closed a day later."""
    Assignment.objects.update(due=submission.created - HOUR, cut_off=submission.created + DAY, max_attempts=3)
    return Assignment.objects.select_related("course").get()


def grant(assignment, by="alice", dry_run=False, **what):
    return services.grant_extensions(assignment, [Grant(**what)], by=actor(by), dry_run=dry_run)


def test_change_names_whose_state_it_changes(due, submission):
    later = submission.created + HOUR
    assert services.set_deadlines(due, {"due": later}, by=actor("alice")) == [StateChange("bob", LATE, IN_TIME)]
    assert due.due == later and Assignment.objects.get().due == later
    assert services.set_deadlines(due, {"due": later + HOUR}, by=actor("alice")) == []
    past = timezone.now() - HOUR
    closed = services.set_deadlines(due, {"due": past, "cut_off": past}, by=actor("alice"))
    assert closed == [
        StateChange("bob", IN_TIME, State(late=True, closed=True)),
        StateChange("dave", State(), State(closed=True)),
    ]


def test_preview_says_the_same_and_changes_nothing(due, submission):
    before, own = everything(), vars(due).copy()
    changes = {"due": submission.created + HOUR, "max_attempts": 1}
    seen = services.set_deadlines(due, changes, by=actor("alice"), dry_run=True)
    assert (everything(), vars(due)) == (before, own)
    changed = [StateChange("bob", LATE, State(late=False, closed=True))]  # it was the one attempt
    assert services.set_deadlines(due, changes, by=actor("alice")) == seen == changed
    before = everything()
    seen = grant(due, student="dave", attempts=2, dry_run=True)
    assert seen == [] and everything() == before


def test_attempt_limit_names_whom_it_leaves_no_attempt(due, submission):
    cast.enrol(due.course, "erin", "student")
    cast.submit(due, "dave")
    cast.submit(due, "dave")
    late_and_closed = State(late=True, closed=True)
    changed = services.set_deadlines(due, {"max_attempts": 2}, by=actor("alice"))
    assert changed == [StateChange("dave", LATE, late_and_closed)]
    changed = services.set_deadlines(due, {"max_attempts": 1}, by=actor("alice"))
    assert changed == [StateChange("bob", LATE, late_and_closed)]
    assert grant(due, student="dave", attempts=1) == []
    extension = Extension.objects.get()
    assert grant(due, student="dave", attempts=2) == [StateChange("dave", late_and_closed, LATE)]
    assert services.withdraw_extensions(due, [extension], by=actor("alice")) == [
        StateChange("dave", LATE, late_and_closed)
    ]
    services.withdraw_submissions([submission], by=actor("alice"))
    changed = services.set_deadlines(due, {"max_attempts": None}, by=actor("alice"))
    assert changed == [StateChange("dave", late_and_closed, LATE)]


def test_extension_is_granted_replaced_and_withdrawn_with_one_entry_each(due, submission):
    assert grant(due, student="bob", due=submission.created, reason="ill") == [StateChange("bob", LATE, IN_TIME)]
    assert grant(due, student="bob", due=submission.created + DAY, attempts=2) == []
    extension = Extension.objects.get()
    assert (extension.attempts, extension.reason, extension.granted_by) == (2, "", person("alice"))
    withdrawn = services.withdraw_extensions(due, [extension], by=actor("alice"))
    assert withdrawn == [StateChange("bob", IN_TIME, LATE)] and not Extension.objects.exists()
    entries = AuditEntry.objects.filter(action__contains="extension").order_by("pk")
    assert [entry.action for entry in entries] == ["grant extension", "grant extension", "withdraw extension"]
    assert entries[0].details == {"to": {"bob": {"due": submission.created.isoformat()}}}  # nothing of the illness
    assert entries[2].details == {"of": ["bob"]} and entries[2].target == "ps1"


def test_section_is_extended_for_all_its_members(due, submission):
    Membership.objects.filter(user=person("bob")).update(section="B")
    assert grant(due, section="B", due=submission.created) == [StateChange("bob", LATE, IN_TIME)]
    assert deadlines.in_force(due, person("bob")).reason == "section"


def test_many_are_granted_at_once_or_none(due):
    grants = [Grant(student="bob", attempts=1), Grant(student="erin", attempts=1)]
    before = everything()
    with pytest.raises(NotFound, match="erin is not a member of NBG 101."):
        services.grant_extensions(due, grants, by=actor("alice"))
    assert everything() == before
    grants[1] = Grant(student="dave", attempts=1)
    services.grant_extensions(due, grants, by=actor("alice"))
    assert Extension.objects.count() == 2
    assert AuditEntry.objects.filter(action="grant extension").count() == 1


WRONG = [
    ({}, "An extension is for a person or for a section."),
    ({"student": "bob", "section": "B", "attempts": 1}, "An extension is for a person or for a section."),
    ({"student": "bob"}, "An extension needs a due date, a cut-off or further attempts."),
    ({"student": "bob", "attempts": -1}, "Write a number of attempts from 0 to 10000."),
    ({"student": "bob", "attempts": 10_001}, "Write a number of attempts from 0 to 10000."),
    ({"student": "bob", "due": DAY, "cut_off": HOUR}, "The cut-off of bob would be before the due date."),
    ({"student": "bob", "attempts": 1, "reason": "\0"}, "A reason is a text of up to 500 characters"),
    ({"student": "bob", "attempts": 1, "reason": "x" * 501}, "A reason is a text of up to 500 characters"),
    ({"section": "Z", "attempts": 1}, "Nobody is in section Z of NBG 101."),
]


@pytest.mark.parametrize(("what", "sentence"), WRONG)
def test_wrong_extension_is_refused_with_a_sentence(due, what, sentence):
    now, before = timezone.now(), everything()
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in what.items()}
    with pytest.raises((Invalid, NotFound), match=sentence):
        grant(due, **values)
    assert everything() == before


@pytest.mark.parametrize(
    ("name", "words"), [("due", "due date"), ("cut_off", "cut-off"), ("attempts", "attempt limit")]
)
def test_what_the_assignment_does_not_have_cannot_be_extended(assignment, name, words):
    value = 1 if name == "attempts" else timezone.now()
    with pytest.raises(Invalid, match=f"ps1 has no {words} that could be extended."):
        grant(assignment, student="bob", **{name: value})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cut_off": -2 * HOUR}, "The cut-off, .* UTC, would be before the due date, .* UTC."),
        ({"release_at": 2 * HOUR}, "The release time, .* UTC, must be before the due date, .* UTC."),
        ({"release_at": 2 * DAY, "due": None}, "The release time, .* UTC, must be before the cut-off, .* UTC."),
        ({"due": 2 * DAY}, "The cut-off, .* UTC, would be before the due date, .* UTC."),
        ({"max_attempts": 0}, "Write a number of attempts from 1 to 10000."),
    ],
)
def test_deadlines_that_contradict_each_other_are_refused(due, submission, changes, sentence):
    now, before = submission.created, everything()
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    with pytest.raises(Invalid, match=sentence):
        services.set_deadlines(due, values, by=actor("alice"))
    assert everything() == before


def test_release_with_a_due_date_after_the_cut_off_is_refused(due):
    with pytest.raises(Invalid, match="would be before the due date"):
        services.release(
            due.course, "ps1", cast.upload(cast.PS1), by=actor("alice"), force=True, due=due.cut_off + HOUR
        )
    assert due.releases.count() == 1


ACTS = {
    "set": (lambda due, by: services.set_deadlines(due, {"due": None}, by=by), {"alice", "root"}),
    "grant": (lambda due, by: services.grant_extensions(due, [], by=by), {"alice", "root"}),
    "withdraw": (lambda due, by: services.withdraw_extensions(due, [], by=by), {"alice", "root"}),
}


@pytest.mark.parametrize("username", ["alice", "gina", "bob", "carol", "erin", "root"])
@pytest.mark.parametrize(("act", "allowed"), ACTS.values(), ids=ACTS)
def test_role_decides_who_may(due, act, allowed, username):
    if username in allowed:
        act(due, actor(username))
        return
    before = everything()
    with pytest.raises(PermissionDenied):
        act(due, actor(username))
    assert everything() == before


def test_graders_grant_extensions_where_the_site_lets_them(due, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    grant(due, by="gina", student="bob", attempts=1)
    with pytest.raises(PermissionDenied):
        services.set_deadlines(due, {"due": None}, by=actor("gina"))


def test_assignment_that_was_deleted_meanwhile(due):
    Assignment.objects.update(latest_release=None)
    Assignment.objects.all().delete()
    with pytest.raises(NotFound, match="ps1 was deleted meanwhile."):
        services.set_deadlines(due, {"due": None}, by=actor("alice"))
