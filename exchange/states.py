"""How far a submission is, in SQL: its state, and which one is the latest of its student.

What is said of somebody's work is said of their *latest* submission: one that nobody has collected yet is not collected
because an earlier one was. Submissions count that are not in the trash. What staff submit to try an assignment (a
trial) counts where it is asked for.

Where the latest one is late and has exactly the files of the latest one in time, it *repeats* that one: nothing late
was submitted. So it is not told as late, but at the time of the one in time; and what was done with either, counts.
"""

from collections.abc import Iterable

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from exchange import deadlines
from exchange.models import Assignment, Feedback, Submission, SubmissionQuerySet


class State(TextChoices):
    """How far the latest submission is. In English words, it is the value with blanks; the plugin counts on that."""

    NOT_SUBMITTED = "not_submitted", _("not submitted")
    SUBMITTED = "submitted", _("submitted")
    COLLECTED = "collected", _("collected")
    FEEDBACK_RETURNED = "feedback_returned", _("feedback returned")
    NEWER_THAN_COLLECTED = "newer_than_collected", _("newer than collected")
    NEWER_THAN_FEEDBACK = "newer_than_feedback", _("newer than feedback")


# Conditions and expressions for querysets of submissions

_OF_THE_SAME = (
    Submission.objects.present()
    .order_by()
    .filter(
        # Students' submissions do not come after a trial: somebody may have been staff before.
        Q(trial=False) | Q(trial=OuterRef("trial")),
        assignment=OuterRef("assignment"),
        student=OuterRef("student"),
    )
)
IS_LATEST = ~Exists(_OF_THE_SAME.filter(created__gt=OuterRef("created")))
ATTEMPTS = Subquery(_OF_THE_SAME.values("assignment").annotate(count=Count("pk")).values("count"))

_EARLIER = _OF_THE_SAME.filter(created__lt=OuterRef("created"))
# What is late looks at those in time; all others look at nothing else.
_IN_TIME = _EARLIER.exclude(deadlines.LATE).order_by("-created")
REPEATS = deadlines.LATE & Q(file_set=Coalesce(Subquery(_IN_TIME.values("file_set")[:1]), 0))
IS_LATE = deadlines.LATE & ~REPEATS
REPEATED = Case(When(REPEATS, then=Subquery(_IN_TIME.values("pk")[:1])))  # the primary key; null of others
# Of a latest one: the primary key and the time of the submission that tables show.
COUNTED = Coalesce(REPEATED, F("pk"))
COUNTED_AT = Case(When(REPEATS, then=Subquery(_IN_TIME.values("created")[:1])), default=F("created"))

_DUE = deadlines.due_in_sql(deadlines.OF_SUBMISSIONS)
_OF_THESE_FILES = _EARLIER.filter(file_set=OuterRef("file_set"))
_RETURNED = Q(Exists(Feedback.objects.filter(submission=OuterRef("pk")).order_by()))
_TAKEN = Q(collected_at__isnull=False)
HAS_FEEDBACK = _RETURNED | REPEATS & Q(Exists(_OF_THESE_FILES.filter(_RETURNED)))
IS_COLLECTED = _TAKEN | REPEATS & Q(Exists(_OF_THESE_FILES.filter(_TAKEN)))
STATE = Case(
    When(HAS_FEEDBACK, then=Value(State.FEEDBACK_RETURNED)),
    When(IS_COLLECTED, then=Value(State.COLLECTED)),
    When(Exists(_EARLIER.filter(_RETURNED)), then=Value(State.NEWER_THAN_FEEDBACK)),
    When(Exists(_EARLIER.filter(_TAKEN)), then=Value(State.NEWER_THAN_COLLECTED)),
    default=Value(State.SUBMITTED),
    output_field=CharField(),
)


def counted_submissions(assignments: Iterable[Assignment], *, trials: bool = False) -> SubmissionQuerySet:
    rows = Submission.objects.present().filter(assignment__in=[each.pk for each in assignments])
    return rows if trials else rows.filter(trial=False)


def latest_submissions(assignments: Iterable[Assignment], *, trials: bool = False) -> SubmissionQuerySet:
    """Return the latest one of each student and assignment."""
    later = Submission.objects.present().filter(
        assignment=OuterRef("assignment"), student=OuterRef("student"), created__gt=OuterRef("created")
    )
    if not trials:
        later = later.filter(trial=False)
    return counted_submissions(assignments, trials=trials).exclude(Exists(later.order_by()))


def with_state(rows: QuerySet[Submission]) -> QuerySet[Submission]:
    """Return the submissions with `state` and `late`, and with `repeated`: the id of the one in time that they repeat.

    The latest one has the state that tables show of its student, and is late there if it repeats none. `due_now` is
    what is in force.
    """
    return rows.annotate(state=STATE, late=deadlines.LATE, repeated=REPEATED, due_now=_DUE)


def read_states(rows: QuerySet[Submission]) -> list[Submission]:
    """Return the submissions with their `state`, `late`, `repeated`, and `lateness` in words."""
    submissions = list(with_state(rows))
    for submission in submissions:
        submission.state = State(submission.state)  # type: ignore[attr-defined]  # annotated
        submission.lateness = deadlines.lateness(submission.created, submission.due_now)  # type: ignore[attr-defined]
    return submissions
