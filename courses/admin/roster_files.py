"""Rosters as files in the admin: a file is looked at first, with every difference it makes, and then taken over."""

import hashlib
import json
from itertools import chain
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import content_disposition_header

from courses.admin.base import RowsOfCourses, told
from courses.admin.forms import RosterFileForm, SeenRosterForm
from courses.errors import DomainError
from courses.importers import csv_file
from courses.importers.csv_file import LineOutcome, RosterFile
from courses.models import Course, Membership
from courses.permissions import Permission, actor_of
from courses.roster import Result, RosterReport

SHOWN = 500  # lines of one kind on the page that shows the differences
BOM = "\ufeff"  # tells spreadsheets that what follows is UTF-8


def import_roster(request: HttpRequest, pk: int, *, page: RowsOfCourses) -> HttpResponseBase:
    course = page.seen(request, pk)
    return told(_import, request, page, course)


def _import(request: HttpRequest, page: RowsOfCourses, course: Course) -> HttpResponseBase:
    """GET asks for a file, a POST with it shows what it would change, a POST of what was shown does it."""
    page.require(request, Permission.CHANGE_ROSTER, course)
    if "seen" in request.POST:
        seen = SeenRosterForm(request.POST)
        if not seen.is_valid():
            messages.error(request, "What was sent is not what was shown. Choose the file again.")
            return _shown(request, page, course, form=RosterFileForm())
        said = seen.cleaned_data
        return _take_over(request, page, course, said["text"], said["remove_others"], said["seen"])
    form = RosterFileForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return _shown(request, page, course, form=form)
    try:
        text, encoding = csv_file.decoded(form.cleaned_data["file"].read(csv_file.MAX_BYTES + 1))
        sheet = csv_file.read_text(text, encoding)
        return _preview(request, page, course, sheet, text, form.cleaned_data["remove_others"])
    except DomainError as error:
        form.add_error("file", error.message)
        return _shown(request, page, course, form=form)


def _preview(
    request: HttpRequest,
    page: RowsOfCourses,
    course: Course,
    sheet: RosterFile,
    text: str,
    remove_others: bool,
    note: str = "",
) -> HttpResponseBase:
    report, outcomes = csv_file.import_roster(
        course, sheet, by=actor_of(request), remove_others=remove_others, dry_run=True
    )
    again = SeenRosterForm(initial={"text": text, "remove_others": remove_others, "seen": _digest(outcomes)})
    return _shown(request, page, course, again=again, note=note, **_differences(sheet, report, outcomes))


def _take_over(
    request: HttpRequest, page: RowsOfCourses, course: Course, text: str, remove_others: bool, seen: str
) -> HttpResponseBase:
    """Do what was shown; where the roster has changed meanwhile, show the differences again."""
    sheet = csv_file.read_text(text)
    with transaction.atomic():  # the dry run locks the roster: what is compared is what is done
        _, now = csv_file.import_roster(course, sheet, by=actor_of(request), remove_others=remove_others, dry_run=True)
        if _digest(now) != seen:
            note = "The roster has changed since you looked: these are the differences now."
            return _preview(request, page, course, sheet, text, remove_others, note)
        report, _ = csv_file.import_roster(course, sheet, by=actor_of(request), remove_others=remove_others)
    counts = ", ".join(f"{number} {result}" for result in Result if (number := report.count(result)))
    messages.success(request, f"The roster was taken over: {counts}.")
    return HttpResponseRedirect(reverse("admin:courses_course_change", args=[course.pk]))


def _digest(outcomes: list[LineOutcome]) -> str:
    """Stands for what was shown."""
    return hashlib.sha256(json.dumps([(outcome.line, vars(outcome.row)) for outcome in outcomes]).encode()).hexdigest()


def _differences(sheet: RosterFile, report: RosterReport, outcomes: list[LineOutcome]) -> dict[str, Any]:
    """What the page shows of each kind, the first of them."""
    kinds = [
        (Result.REFUSED, "Refused", "These lines are left out."),
        (Result.REMOVED, "Taken off the roster", "The file does not name them. Their work stays."),
        (Result.CHANGED, "Changed", ""),
        (Result.CREATED, "New", ""),
    ]
    groups = []
    for result, title, said in kinds:
        some = [outcome for outcome in outcomes if outcome.row.result == result]
        if some:
            lines = [{"line": one.line, "row": one.row, "changes": _changes(one)} for one in some[:SHOWN]]
            groups.append(
                {
                    "kind": result,
                    "title": title,
                    "said": said,
                    "count": len(some),
                    "lines": lines,
                    "more": len(some) - len(lines),
                }
            )
    touched = sum(report.count(result) for result in (Result.CREATED, Result.CHANGED, Result.REMOVED))
    return {
        "sheet": sheet,
        "separator": csv_file.SEPARATORS[sheet.separator],
        "groups": groups,
        "unchanged": report.count(Result.UNCHANGED),
        "touched": touched,
    }


def _changes(outcome: LineOutcome) -> list[tuple[str, str, str]]:
    """(what, before, after)"""
    was, now = outcome.row.before or {}, outcome.row.after or {}
    return [
        (name.replace("_", " "), was.get(name) or "", now.get(name) or "")
        for name in ("role", "first_name", "last_name", "email", "section")
        if (was.get(name) or "") != (now.get(name) or "")
    ]


def _shown(request: HttpRequest, page: RowsOfCourses, course: Course, **context: Any) -> TemplateResponse:
    title = f"Import the roster of {course}"
    context = {**page.admin_site.each_context(request), "title": title, "course": course, "opts": page.opts, **context}
    return TemplateResponse(request, "admin/ngshare/import_roster.html", context)


# Out


def export_roster(request: HttpRequest, pk: int, *, page: RowsOfCourses) -> HttpResponseBase:
    course = page.seen(request, pk)
    return csv_answer(course.memberships.all(), f"{course} roster.csv")


def export_for_nbgrader(request: HttpRequest, pk: int, *, page: RowsOfCourses) -> HttpResponseBase:
    """The students, for `nbgrader db student import`; it would take a byte order mark for a part of a name."""
    course = page.seen(request, pk)
    return _download(csv_file.export_for_nbgrader(course.memberships.all()), f"{course} students.csv")


def csv_answer(members: QuerySet[Membership], name: str) -> HttpResponseBase:
    return _download(chain([BOM], csv_file.export_roster(members)), name)


def _download(lines: Any, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
