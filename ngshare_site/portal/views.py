"""The pages that every member sees: their courses, and a submission with its receipt, files and feedback.

permissions.py and queries.py decide what is visible. What a user may not see does not exist for them (404).
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.generic import DetailView, TemplateView

from courses.models import Course, Role
from courses.permissions import Actor
from exchange import file_responses, progress, queries, receipts
from exchange.models import Assignment, Feedback, Submission
from exchange.progress import AssignmentProgress
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal.base import MemberView


@dataclass
class AssignmentRow:
    """An assignment in the list of a course: the student's own progress, or the counts that staff see."""

    assignment: Assignment
    own: AssignmentProgress | None = None
    submitted: int = 0
    late: int = 0
    collected: int = 0
    feedback: int = 0


@dataclass
class CourseSection:
    """A course on the start page. `students` is the number of students, for staff."""

    name: str
    role: str
    is_staffed: bool = False
    students: int = 0
    rows: list[AssignmentRow] = field(default_factory=list)


class HomeView(MemberView, TemplateView):
    """The courses in which the user has a role. Administrators find all courses in the admin."""

    template_name = "ngshare/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        roles = self.actor.roles
        assignments = Prefetch("assignments", queryset=Assignment.objects.order_by("name"))
        courses = Course.objects.filter(pk__in=list(roles)).order_by("name").prefetch_related(assignments)
        own = own_progress(self.actor)
        sections = [
            student_section(course, own)
            if roles[course.pk] == Role.STUDENT
            else staff_section(course, roles[course.pk])
            for course in courses
        ]
        return super().get_context_data(courses=sections, **kwargs)


def own_progress(actor: Actor) -> dict[int, AssignmentProgress]:
    """Return what the actor submitted themselves, by the assignment's id."""
    own: dict[int, AssignmentProgress] = {}
    attempts = queries.submissions(actor, mine=True).select_related("assignment")
    for attempt in attempts.prefetch_related("feedbacks").order_by("created"):
        work = own.setdefault(attempt.assignment_id, AssignmentProgress(attempt.assignment))
        work.attempts, work.last, work.late = work.attempts + 1, attempt.created, attempt.late
        work.feedback |= bool(attempt.feedbacks.all())
    return own


def student_section(course: Course, own: dict[int, AssignmentProgress]) -> CourseSection:
    released = [assignment for assignment in course.assignments.all() if assignment.withdrawn_at is None]
    rows = [AssignmentRow(assignment, own.get(assignment.pk)) for assignment in released]
    return CourseSection(course.name, Role.STUDENT, rows=rows)


def staff_section(course: Course, role: str) -> CourseSection:
    assignments = course.assignments.all()
    members = progress.course_progress(course, assignments)
    section = CourseSection(course.name, role, is_staffed=True, students=sum(member.on_roster for member in members))
    for assignment in assignments:
        submitted = [member.work[assignment.pk] for member in members if assignment.pk in member.work]
        counts = {name: sum(getattr(work, name) for work in submitted) for name in ("late", "collected", "feedback")}
        section.rows.append(AssignmentRow(assignment, submitted=len(submitted), **counts))
    return section


class SubmissionView(MemberView, DetailView[Submission]):
    """A submission with its receipt, files and latest feedback, for its student and the course's staff."""

    template_name = "ngshare/submission.html"
    context_object_name = "submission"

    def get_queryset(self) -> QuerySet[Submission]:
        newest = Feedback.objects.select_related("file_set").prefetch_related("file_set__entries").order_by("-id")
        visible = queries.submissions(self.actor, withdrawn=True, trials=True)
        return visible.select_related(
            "assignment__course", "student", "submitted_by", "release", "file_set"
        ).prefetch_related("file_set__entries__blob", Prefetch("feedbacks", queryset=newest))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        receipt, feedback = receipts.receipt(self.object), latest_feedback(self.object)
        return super().get_context_data(receipt=receipt, feedback=feedback, **kwargs)


def latest_feedback(submission: Submission) -> Feedback | None:
    return next(iter(submission.feedbacks.all()), None)


class ReceiptView(SubmissionView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        submission = self.get_object()
        response = JsonResponse(receipts.receipt(submission), json_dumps_params={"indent": 2})
        response["Content-Disposition"] = str(content_disposition_header(True, f"receipt-{submission.pk}.json"))
        return response


class FilesView(SubmissionView):
    """All files as a zip."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        submission = self.get_object()
        assignment, created = submission.assignment.name, submission.created
        folder = ArchiveFolder(submission.file_set, assignment, created)
        return file_responses.download_zip(
            [folder], f"{assignment}-{submission.student.username}-{created:%Y%m%d-%H%M%S}"
        )


class FeedbackView(SubmissionView):
    """One file of the latest feedback, in a sandbox: somebody else wrote it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        feedback = latest_feedback(self.get_object())
        if feedback is None:
            raise Http404
        entries = feedback.file_set.entries.select_related("blob")
        return file_responses.open_file(get_object_or_404(entries, path=kwargs["path"]))
