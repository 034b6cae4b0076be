"""The pages that every member sees: own courses, own work with receipts and feedback; for staff, who has handed in.

Rights come from permissions.py and queries.py; what is not for the asker is not there (404).
"""

import csv
import mimetypes
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from courses.models import Course, Role
from courses.permissions import Actor, Permission, actor_of
from exchange import progress, queries, receipts
from exchange.models import Assignment, Feedback, Submission
from exchange.progress import AssignmentProgress, MemberProgress
from exchange.storage import archives, blobs
from ngshare_site.portal import chart

SHOWS = [("all", "everyone"), ("missing", "not handed in"), ("late", "late"), ("waiting", "without feedback")]
SORTS = [("name", "user name"), ("time", "last handed in"), ("attempts", "attempts"), ("section", "section")]
# Feedback is a page that someone else wrote: it runs nothing and loads nothing, and is nobody of ours.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"


def page(view: Any) -> Any:
    """For those who are logged in; never kept by a browser or proxy."""

    @wraps(view)
    def shown(request: HttpRequest, **names: Any) -> Any:
        return view(request, actor_of(request), **names)

    return never_cache(require_safe(login_required(shown)))


@page
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The courses in which someone has a role. An administrator finds all of them in the admin."""
    mine = actor.roles
    listed = Prefetch("assignments", queryset=Assignment.objects.order_by("name"), to_attr="listed")
    courses = Course.objects.filter(pk__in=list(mine)).order_by("name").prefetch_related(listed)
    own = own_work(actor)
    return render(request, "ngshare/home.html", {"courses": [_course(one, mine[one.pk], own) for one in courses]})


def own_work(actor: Actor) -> dict[int, AssignmentProgress]:
    """What someone handed in themselves, by the assignment's id."""
    found: dict[int, AssignmentProgress] = {}
    attempts = queries.submissions(actor, mine=True).select_related("assignment")
    for attempt in attempts.prefetch_related("feedbacks").order_by("created"):
        work = found.setdefault(attempt.assignment_id, AssignmentProgress(attempt.assignment))
        work.attempts, work.last, work.late = work.attempts + 1, attempt.created, attempt.late
        work.feedback |= bool(attempt.feedbacks.all())
    return found


def _course(course: Any, role: str, own: dict[int, AssignmentProgress]) -> dict[str, Any]:
    if role == Role.STUDENT:
        rows: list[dict[str, Any]] = [
            {"assignment": one, "work": own.get(one.pk)} for one in course.listed if one.withdrawn_at is None
        ]
        return {"name": course.name, "role": role, "rows": rows, "is_staffed": False}
    lines = progress.course_progress(course, course.listed)
    rows = []
    for one in course.listed:
        work = [line.work[one.pk] for line in lines if one.pk in line.work]
        counts = {name: sum(getattr(each, name) for each in work) for name in ("late", "collected", "feedback")}
        rows.append({"assignment": one, "handed_in": len(work), **counts})
    return {"name": course.name, "role": role, "rows": rows, "is_staffed": True, "students": _students(lines)}


def _students(lines: list[MemberProgress]) -> int:
    return sum(line.on_roster for line in lines)


def _assignment(actor: Actor, course: str, assignment: str) -> tuple[Assignment, bool]:
    """The assignment, and whether the asker sees everybody's work; 404 for whom it is not."""
    found = actor.visible_courses().filter(name=course).first()
    one = Assignment.objects.select_related("course").filter(course=found, name=assignment).first() if found else None
    if found is None or one is None:
        raise Http404
    is_staffed = actor.may(Permission.SEE_SUBMISSIONS, found)
    if one.withdrawn_at and not is_staffed and not one.submissions.filter(student=actor.user).exists():
        raise Http404
    return one, is_staffed


@page
def assignment(request: HttpRequest, actor: Actor, course: str, assignment: str) -> HttpResponse:
    one, is_staffed = _assignment(actor, course, assignment)
    mine = queries.submissions(actor, mine=True).filter(assignment=one).select_related("file_set", "assignment")
    context: dict[str, Any] = {
        "assignment": one,
        "is_staffed": is_staffed,
        "mine": mine.prefetch_related("feedbacks").order_by("-created"),
    }
    if is_staffed:
        lines = progress.course_progress(one.course, [one])
        moments = Submission.objects.present().filter(assignment=one, trial=False).values_list("created", flat=True)
        context |= {
            "lines": _chosen(request, lines, one),
            "handed_in": sum(one.pk in line.work for line in lines),
            "students": _students(lines),
            "chart": chart.hand_ins(list(moments), one.due),
            "query": request.GET.get("q", ""),
            "show": request.GET.get("show", "all"),
            "sort": request.GET.get("sort", "name"),
            "shows": SHOWS,
            "sorts": SORTS,
        }
    return render(request, "ngshare/assignment.html", context)


def _chosen(
    request: HttpRequest, lines: list[MemberProgress], one: Assignment
) -> list[tuple[MemberProgress, AssignmentProgress | None]]:
    """The lines that the query asks for, in its order."""
    word, show, sort = (request.GET.get(name, "") for name in ("q", "show", "sort"))
    rows = [(line, line.work.get(one.pk)) for line in lines]
    if word:
        rows = [row for row in rows if word.casefold() in f"{row[0].username} {row[0].full_name}".casefold()]
    if show == "missing":
        rows = [row for row in rows if row[1] is None]
    elif show == "late":
        rows = [row for row in rows if row[1] and row[1].late]
    elif show == "waiting":
        rows = [row for row in rows if row[1] and not row[1].feedback]
    if sort == "time":
        rows.sort(key=lambda row: row[1].last.timestamp() if row[1] and row[1].last else 0, reverse=True)
    elif sort == "attempts":
        rows.sort(key=lambda row: row[1].attempts if row[1] else 0, reverse=True)
    elif sort == "section":
        rows.sort(key=lambda row: row[0].section)
    return rows


@page
def hand_ins(request: HttpRequest, actor: Actor, course: str, assignment: str) -> HttpResponse:
    """The table as CSV."""
    one, is_staffed = _assignment(actor, course, assignment)
    if not is_staffed:
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{course} {assignment} hand-ins.csv") or ""
    out = csv.writer(response)
    out.writerow(
        ["username", "first_name", "last_name", "section", "attempts", "last", "late", "collected", "feedback"]
    )
    for line, work in _chosen(request, progress.course_progress(one.course, [one]), one):
        facts = (
            [work.attempts, work.last.isoformat() if work.last else "", work.late, work.collected, work.feedback]
            if work
            else [0]
        )
        out.writerow([*map(_inert, (line.username, line.first_name, line.last_name, line.section)), *facts])
    return response


def _inert(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _submission(actor: Actor, pk: int) -> Submission:
    rows = queries.submissions(actor, withdrawn=True, trials=True).filter(pk=pk)
    newest = Feedback.objects.select_related("file_set").prefetch_related("file_set__entries").order_by("-id")
    found = (
        rows.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
        .prefetch_related("file_set__entries__blob", Prefetch("feedbacks", queryset=newest))
        .first()
    )
    if found is None:
        raise Http404
    return found


@page
def submission(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    one = _submission(actor, pk)
    returned = list(one.feedbacks.all())
    context = {"submission": one, "receipt": receipts.receipt(one), "feedback": returned[0] if returned else None}
    return render(request, "ngshare/submission.html", context)


@page
def receipt(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    response = JsonResponse(receipts.receipt(_submission(actor, pk)), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = content_disposition_header(True, f"receipt-{pk}.json") or ""
    return response


@page
def files(request: HttpRequest, actor: Actor, pk: int) -> StreamingHttpResponse:
    """The whole tree as a zip."""
    one = _submission(actor, pk)
    name = f"{one.assignment.name}-{one.student.username}-{one.created:%Y%m%d-%H%M%S}"
    content = archives.stream(one.file_set, folder=one.assignment.name, moment=one.created)
    response = StreamingHttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.zip") or ""
    return response


@page
def feedback(request: HttpRequest, actor: Actor, pk: int, path: str) -> StreamingHttpResponse:
    """One file of the current feedback: HTML to read, harmlessly; anything else as a download."""
    returned = list(_submission(actor, pk).feedbacks.all())
    entries = returned[0].file_set.entries.select_related("blob").filter(path=path) if returned else []
    entry = next(iter(entries), None)
    if entry is None:
        raise Http404
    is_page = path.endswith((".html", ".htm"))
    kind = "text/html; charset=utf-8" if is_page else mimetypes.guess_type(path)[0] or "application/octet-stream"
    response = StreamingHttpResponse(blobs.read(entry.blob.sha256, length=entry.blob.size), content_type=kind)
    response["Content-Length"] = str(entry.blob.size)
    response["Content-Security-Policy"] = SANDBOX
    response["Content-Disposition"] = content_disposition_header(not is_page, path.rpartition("/")[2]) or ""
    return response


def frame(request: HttpRequest) -> dict[str, bool]:
    """Context processor: what the head of every page shows."""
    return {"is_staff": hasattr(request, "user") and actor_of(request).is_staff}
