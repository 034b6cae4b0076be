"""What a student looks for first: what is due next, the newest feedback, and everything that they ever submitted."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.utils import timezone
from django.views.generic import TemplateView

from courses.permissions import Actor
from exchange import queries, short_codes, states
from exchange.models import Feedback
from exchange.progress import AssignmentProgress
from ngshare_site.portal.base import MemberView

DUE_SHOWN = 10
FEEDBACK_SHOWN = 5
HISTORY_PER_PAGE = 50


class Due(NamedTuple):
    """What a student has not submitted, and can still submit."""

    own: AssignmentProgress
    is_overdue: bool


def due_next(own: Iterable[AssignmentProgress]) -> list[Due]:
    """Return what can still be submitted and was not, by its due date: what is overdue first."""
    now = timezone.now()
    due = [
        (each.deadline.due, each.assignment.name, each)
        for each in own
        if each.deadline.due and not each.attempts and each.assignment.is_shown and not each.deadline.is_closed(now)
    ]
    first = sorted(due, key=itemgetter(0, 1))[:DUE_SHOWN]
    return [Due(each, each.deadline.is_late(now)) for *_, each in first]


def newest_feedback(actor: Actor) -> list[Feedback]:
    """Return the newest feedback on each of the submissions to which it came last, with assignment and course."""
    rows = Feedback.objects.filter(submission__student=actor.user, submission__assignment__course__removed_at=None)
    rows = rows.select_related("submission__assignment__course").order_by("-created", "-pk")
    rows = rows.only("created", "submission__assignment__name", "submission__assignment__course")
    newest: dict[int, Feedback] = {}
    for feedback in rows[: 4 * FEEDBACK_SHOWN]:  # some of them on the same submission
        newest.setdefault(feedback.submission_id, feedback)
    return list(newest.values())[:FEEDBACK_SHOWN]


class HistoryView(MemberView, TemplateView):
    """Every submission of the user, also in courses that they left or that are in the trash, the newest first."""

    template_name = "ngshare/history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        rows = queries.own_submissions(self.actor).order_by("-created", "-pk")
        page = Paginator(rows, HISTORY_PER_PAGE).get_page(self.request.GET.get("page"))
        shown = rows.filter(pk__in=[each.pk for each in page]).select_related("file_set", "assignment__course")
        submissions = [(each, short_codes.grouped(each.code or "")) for each in states.read_states(shown)]
        context = {"submissions": submissions, "page": page, "own_courses": set(self.actor.roles)}
        return super().get_context_data(**context, **kwargs)
