"""All attempts of one student at an assignment, for staff."""

from typing import Any

from django.db.models import Prefetch
from django.http import Http404

from courses.models import User
from courses.permissions import Permission
from exchange import progress, states
from exchange.models import Feedback, Submission
from exchange.short_codes import grouped
from ngshare_site.portal.staff.base import StaffPage
from ngshare_site.portal.staff.feedback import PagesForm


class StudentView(StaffPage):
    """The attempts with their receipts' numbers, files and feedback; for members, and for who submitted."""

    template_name = "ngshare/staff/student.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        user = User.objects.filter(username=kwargs["student"]).first()
        if user is None:
            raise Http404
        assignment, course = self.assignment, self.assignment.course
        attempts = _read_attempts(assignment.submissions.filter(student=user))
        if not attempts and not course.memberships.filter(user=user).exists():
            raise Http404
        is_staff = bool(attempts) and all(each.trial for each in attempts)
        (member,) = progress.course_progress(course, [assignment], people=[user.pk], trials=is_staff)
        return super().get_context_data(
            member=member,
            work=member.work[assignment.pk],
            email=course.memberships.filter(user=user).values_list("email", flat=True).first() or "",
            attempts=attempts,
            may_extend=self.actor.may(Permission.EXTEND, course),
            may_return=self.actor.may(Permission.RETURN_FEEDBACK, course),
            form=PagesForm(attempts),
            **kwargs,
        )


def _read_attempts(rows: Any) -> list[Submission]:
    """Return the submissions, newest first, with state, files and feedback. A constant number of queries."""
    newest = Feedback.objects.select_related("file_set", "returned_by").order_by("-id")
    rows = rows.select_related("file_set", "submitted_by", "student").order_by("-created")
    rows = rows.annotate(is_latest=states.IS_LATEST).prefetch_related(Prefetch("feedbacks", queryset=newest))
    attempts = states.read_states(rows)
    for attempt in attempts:
        attempt.shown_code = grouped(attempt.code) if attempt.code else ""  # type: ignore[attr-defined]
    return attempts
