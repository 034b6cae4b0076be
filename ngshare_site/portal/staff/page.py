"""What the page of an assignment shows to staff: everybody's submissions as a table and a picture."""

from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from courses.models import Course, Role
from courses.permissions import Actor, Permission
from exchange.models import Assignment
from exchange.progress_tables import TableFilter
from exchange.submission_curve import read_curves
from ngshare_site.portal.staff import chart

ROWS_PER_PAGE = 100


def staff_context(request: HttpRequest, actor: Actor, assignment: Assignment) -> dict[str, object]:
    course, table_filter = assignment.course, TableFilter.of(request.GET)
    page, members = table_filter.page(course, [assignment], request.GET.get("page"), ROWS_PER_PAGE)
    return {
        "filter": table_filter,
        "page": page,
        "rows": [(member, member.work[assignment.pk]) for member in members],
        "counts": table_filter.count(course, [assignment])[assignment.pk],
        "sections": sections_of(course),
        "chart": chart.submissions_over_time(read_curves(assignment), assignment.due, timezone.now()),
        "has_submissions": assignment.submissions.present().exists(),
        "may_submit": actor.may(Permission.SUBMIT, course),
        "is_student": actor.role_in(course) == Role.STUDENT,  # an administrator who is one
        "may_release": actor.may(Permission.RELEASE, course),
        "may_return": actor.may(Permission.RETURN_FEEDBACK, course),
    }


def sections_of(course: Course) -> list[str]:
    named = course.memberships.exclude(section="").order_by("section")
    return list(named.values_list("section", flat=True).annotate(Count("pk")).values_list("section", flat=True))
