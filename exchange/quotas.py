"""Quotas: how often somebody may submit in a course, and how many bytes a person and a course may bring to it.

Bytes are counted once, when a row is created, in two ways:

* `new_bytes` of a release, solution, submission or feedback are the bytes that nothing on the server had before. Their
  sum is the course's use, kept in `Course.stored_bytes`. What a second course or student brings again is there already.
* `own_bytes` of a submission are the bytes that its sender could not read before: neither a release nor a submission of
  their own had them. Their sum is the person's use. It does not depend on what others submitted, which nobody may find
  out by looking at their own limit.

At its limit, a course judges an upload by the bytes that its sender could not read before, too: the answer would
otherwise tell what others have submitted.

Both are checked before the first byte is received. Requests that arrive together see the same use, so several at once
may exceed a limit by what they bring: no more than one submission each.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.errors import TooLarge, TooOften
from courses.limits import Limits
from courses.models import Course, User
from courses.prepared import Parameter, prepared, prepared_update
from courses.sizes import readable_size
from exchange.models import Assignment, Feedback, Release, Solution, Submission

HOUR = timedelta(hours=1)


class TooManySubmissions(TooOften):
    code = "too_many_submissions"


class QuotaExceeded(TooLarge):
    code = "quota_exceeded"


@dataclass
class Quota:
    """What an upload to a course may bring. With a `student` it is a submission of theirs, who has `used` bytes."""

    course: Course
    student: User | None = None
    used: int = 0
    own_bytes: int = field(default=0, init=False)  # which `admit` counted

    @property
    def room(self) -> int:
        """How many bytes more may be brought."""
        limits = Limits.of(self.course)
        of_course = limits.course_bytes - self.course.stored_bytes
        return min(limits.person_bytes - self.used, of_course) if self.student else of_course

    def admit(self, unreadable: Mapping[str, int]) -> None:
        """Check an upload by what its sender could not read before, {hash: bytes}. Errors: QuotaExceeded."""
        size = self.own_bytes = sum(unreadable.values())
        limits = Limits.of(self.course)
        if self.student and size and self.used + size > limits.person_bytes:
            raise QuotaExceeded(
                _(
                    "This submission adds %(size)s to the %(used)s that %(student)s has submitted in "
                    "%(course)s; the limit for one person there is %(limit)s. Leave out files that "
                    "are not needed, or tell an instructor: an administrator of ngshare can raise the limit "
                    "for the course."
                )
                % {
                    "size": readable_size(size),
                    "used": readable_size(self.used),
                    "student": self.student.username,
                    "course": self.course.name,
                    "limit": readable_size(limits.person_bytes),
                },
                size=size,
                used=self.used,
                limit=limits.person_bytes,
            )
        stored = self.course.stored_bytes
        if size and stored + size > limits.course_bytes:
            raise QuotaExceeded(
                _(
                    "These files may add %(size)s to the %(stored)s of the course %(course)s; the limit for "
                    "the course is %(limit)s. Leave out files that are not needed, or tell an "
                    "instructor: an administrator of ngshare can raise the limit, or delete what is no "
                    "longer needed."
                )
                % {
                    "size": readable_size(size),
                    "stored": readable_size(stored),
                    "course": self.course.name,
                    "limit": readable_size(limits.course_bytes),
                },
                size=size,
                used=stored,
                limit=limits.course_bytes,
            )


@dataclass(frozen=True)
class Use:
    """What a student has submitted in a course so far."""

    own_bytes: int
    recent: int  # submissions within an hour
    attempts: int  # to the assignment, without trials and those in the trash
    has_key: bool  # one for the assignment has the idempotency key


def use_of(student: User, course: Course, assignment: Assignment | None = None, key: str | None = None) -> Use:
    """Return the student's use of a course, in one query. The key is looked for in the assignment."""
    since = timezone.now() - HOUR
    pk = assignment.pk if assignment else None
    found = _use.rows(student=student.pk, course=course.pk, since=since, assignment=pk, key=key)
    if not found:
        return Use(0, 0, 0, has_key=False)
    return Use(found[0]["used"], found[0]["recent"], found[0]["attempts"], bool(found[0]["with_key"]))


@prepared
def _use(
    student: Parameter, course: Parameter, since: Parameter, assignment: Parameter, key: Parameter
) -> QuerySet[Any, Any]:
    rows = Submission.objects.filter(student=student, assignment__course=course).order_by().values("student")
    return rows.annotate(
        used=Sum("own_bytes"),
        recent=Count("pk", filter=Q(created__gt=since)),
        attempts=Count("pk", filter=Q(assignment=assignment, withdrawn_at=None, trial=False)),
        with_key=Count("pk", filter=Q(assignment=assignment, idempotency_key=key)),
    )


def quota_of(student: User, course: Course) -> Quota:
    """Return what the student's next submission may bring, whenever it may come."""
    return Quota(course, student, use_of(student, course).own_bytes)


def start_submission(course: Course, student: User, use: Use) -> Quota:
    """Return what the student's next submission may bring. Errors: TooManySubmissions."""
    limit = Limits.of(course).submissions_per_hour
    if limit and use.recent >= limit:
        rows = Submission.objects.filter(student=student, assignment__course=course)
        oldest = rows.order_by("-created").values_list("created", flat=True)[limit - 1]
        wait = max(1, math.ceil((oldest + HOUR - timezone.now()).total_seconds()))
        minutes = math.ceil(wait / 60)
        message = ngettext(
            "%(student)s has submitted %(recent)s times in %(course)s within an hour, the limit is %(limit)s. "
            "Submit again in %(minutes)d minute; what was submitted is kept.",
            "%(student)s has submitted %(recent)s times in %(course)s within an hour, the limit is %(limit)s. "
            "Submit again in %(minutes)d minutes; what was submitted is kept.",
            minutes,
        )
        names = {"student": student.username, "course": course.name}
        raise TooManySubmissions(
            message % {**names, "recent": use.recent, "limit": limit, "minutes": minutes},
            retry_after=wait,
            limit=limit,
        )
    return Quota(course, student, use.own_bytes)


def count(course: Course, new_bytes: int) -> None:
    """Add to the use of a course. Call it last in a transaction: it locks the course's row for other uploads."""
    if new_bytes:
        _add_bytes.run(course=course.pk, size=new_bytes)
        course.stored_bytes += new_bytes


@prepared_update
def _add_bytes(course: Parameter, size: Parameter) -> tuple[QuerySet[Course], dict[str, object]]:
    return Course.objects.filter(pk=course), {"stored_bytes": F("stored_bytes") + size}


def discount_assignment(assignment: Assignment) -> None:
    """Take what an assignment brought off the use of its course, before it is deleted."""
    _discount(
        assignment.course,
        Release.objects.filter(assignment=assignment),
        Solution.objects.filter(assignment=assignment),
        Submission.objects.filter(assignment=assignment),
        Feedback.objects.filter(submission__assignment=assignment),
    )


def discount_submission(submission: Submission) -> None:
    """Take what a submission and the feedback on it brought off the use of the course, before they are deleted."""
    _discount(
        submission.assignment.course, Submission.objects.filter(pk=submission.pk), submission.feedbacks.order_by()
    )


def _discount(course: Course, *rows: QuerySet[Any]) -> None:
    freed = sum(each.aggregate(freed=Sum("new_bytes", default=0))["freed"] for each in rows)
    if freed:
        Course.objects.filter(pk=course.pk).update(stored_bytes=Greatest(F("stored_bytes") - freed, 0))
