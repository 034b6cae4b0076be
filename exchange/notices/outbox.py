"""Writing events: service functions call this in the transaction of what happened.

Whether anybody is to be told is asked by a query that the service function makes anyway: a site without webhooks and
mail pays nothing.
"""

import json
import threading
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils import timezone

from courses.models import Course, Membership, User
from courses.permissions import Actor, Permission
from courses.prepared import insert
from courses.timestamps import format_timestamp
from exchange.models import Assignment, Feedback, Release, Submission
from exchange.notices.models import Event, Kind, Webhook

written = threading.Event()  # set when this process has written an event, which a sender of its own waits for


def is_told(course: str) -> Combinable:
    """Return the expression whether a webhook is told of the course that rows name in this field."""
    return Exists(Webhook.wanting(OuterRef(course)))


def wants(kind: Kind, *, has_webhook: bool) -> bool:
    """Return whether an event of this kind is for anybody."""
    return has_webhook or kind in settings.NGSHARE_MAIL


def require_still(permission: Permission, course: Course, *, by: Actor) -> tuple[str, bool]:
    """Return the role as `Actor.require_still`, and whether a webhook is told of the course, in the same one query.

    Errors: PermissionDenied.
    """
    members = Membership.objects.filter(course=OuterRef("pk"), user=by.user, user__is_active=True).order_by()
    rows = Course.objects.present().filter(pk=course.pk).order_by()
    rows = rows.annotate(role=Subquery(members.values("role")), is_told=is_told("pk"))
    role, has_webhook = rows.values_list("role", "is_told").first() or (None, False)
    return by.require_as(role, permission, course), has_webhook


def record_release(release: Release) -> None:
    """Record that an assignment is released. Needs the assignment and its course."""
    assignment = release.assignment
    facts = {
        "release": release.number,
        "digest": release.file_set.digest,
        "due": _time(assignment.due),
        "cut_off": _time(assignment.cut_off),
    }
    _write([_event(Kind.RELEASED, assignment, release.created, facts)])


def record_submission(submission: Submission) -> None:
    """Record a submission, which has its receipt. Needs assignment, course and student."""
    facts = {"student": submission.student.username, "receipt": json.loads(submission.receipt)}
    _write([_event(Kind.SUBMITTED, submission.assignment, submission.created, facts, submission=submission)])


def record_feedback(assignment: Assignment, feedbacks: Sequence[Feedback]) -> None:
    """Record feedback that was returned. Needs the submissions with their students, and the file sets."""
    events = []
    for feedback in feedbacks:
        submission = feedback.submission
        facts = {
            "student": submission.student.username,
            "submission": submission.pk,
            "code": submission.code,
            "feedback": feedback.pk,
            "digest": feedback.file_set.digest,
        }
        events.append(_event(Kind.FEEDBACK_RETURNED, assignment, feedback.created, facts, submission=submission))
    _write(events)


def record_due_soon(assignment: Assignment, students: Sequence[tuple[User, datetime]]) -> int:
    """Record for each student, once, that this due date of theirs is near. Return for how many it is new."""
    now, events = timezone.now(), []
    for student, due in students:
        event = _event(Kind.DUE_SOON, assignment, now, {"student": student.username, "due": _time(due)}, person=student)
        event.once = f"due soon {assignment.pk} {student.pk} {due.timestamp():.0f}"
        events.append(event)
    known = set(Event.objects.filter(once__in=[each.once for each in events]).values_list("once", flat=True))
    new = [event for event in events if event.once not in known]
    Event.objects.bulk_create(new, ignore_conflicts=True)  # another sender may do the same
    return len(new)


def body_of(kind: str, moment: datetime, facts: dict[str, object]) -> str:
    """Return the text that is sent. Its fields stay in their order: a receipt is verified in it."""
    fields = {"type": kind, "timestamp": format_timestamp(moment), "data": facts}
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":"))


def _event(
    kind: Kind,
    assignment: Assignment,
    moment: datetime,
    facts: dict[str, object],
    *,
    submission: Submission | None = None,
    person: User | None = None,
) -> Event:
    course = assignment.course
    links = {"assignment": api_address("v2:assignment-detail", course.name, assignment.name)}
    if submission is not None:
        links["submission"] = api_address("v2:submission-detail", str(submission.pk))
        person = submission.student
    facts = {"course": course.name, "assignment": assignment.name, **facts, "links": links}
    return Event(
        kind=kind,
        course_id=course.pk,
        assignment_id=assignment.pk,
        person=person,
        body=body_of(kind, moment, facts),
        created=moment,
        ready_at=moment,
    )


def api_address(name: str, *parts: str) -> str:
    """Return an address with the service's public one in front, where that is known."""
    return f"{settings.NGSHARE_PUBLIC_ORIGIN}{reverse(name, args=parts)}"


def _write(events: Sequence[Event]) -> None:
    insert(events)
    transaction.on_commit(written.set)


def _time(moment: datetime | None) -> str | None:
    return format_timestamp(moment) if moment else None
