"""Many submissions of an assignment as one zip: as nbgrader collects them, or under pseudonyms."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from courses.csv_writer import csv_response, write_rows
from exchange import file_responses, queries, states, submission_archives
from exchange.models import Assignment, Submission
from exchange.progress_tables import TableFilter
from ngshare_site.portal.staff.base import StaffView


def choose_submissions(assignment: Assignment, query: QueryDict) -> QuerySet[Submission]:
    """Return the submissions that a query string names, one of each student, by user name.

    An `attempt` is named by its number. Otherwise they are of each `student` that is named, or of those that the table
    shows: the latest, or with `which=in_time` the latest in time, if there is one.
    """
    if attempts := [int(each) for each in query.getlist("attempt") if each.isdecimal() and len(each) < 19]:
        rows = assignment.submissions.filter(pk__in=attempts)
    else:
        table_filter = TableFilter.of(query)
        rows = states.counted_submissions([assignment], trials=table_filter.trials)
        if students := query.getlist("student"):
            rows = rows.filter(student__username__in=students)
        else:
            shown = table_filter.apply(assignment.course, [assignment]).order_by()
            # In a query of its own: as a part of the other one it would be too deep for older SQLite.
            rows = rows.filter(student__in=list(shown.values_list("pk", flat=True)))
    chosen = queries.latest_attempts(rows, before_due=query.get("which") == "in_time")
    return chosen.order_by("student__username")


class SubmissionsView(StaffView):
    """The chosen submissions as a zip that is made while it is sent."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        rows = choose_submissions(self.assignment, request.GET)
        if not rows.exists():
            messages.info(request, _("None of these students has submitted, so there is nothing to download."))
            return redirect(self.home)
        if request.GET.get("layout") == "anonymous":
            content = submission_archives.export_anonymously(self.assignment, rows, by=self.actor)
            return file_responses.send_zip(content, f"{assignment} anonymous")
        content = submission_archives.export_submissions(rows, submission_archives.as_collected, by=self.actor)
        return file_responses.send_zip(content, f"{course} {assignment} submitted")


class PseudonymsView(StaffView):
    """Who is behind the pseudonyms of an anonymous zip, as CSV."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        rows = choose_submissions(self.assignment, request.GET)
        key = submission_archives.key_rows(self.assignment, rows, by=self.actor)
        return csv_response(write_rows(key), f"{course} {assignment} pseudonyms.csv")
