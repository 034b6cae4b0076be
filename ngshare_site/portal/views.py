"""The pages that every member sees: their courses, and a submission with its receipt, files and feedback.

permissions.py and queries.py decide what is visible. What a user may not see does not exist for them (404).
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.generic import TemplateView

from courses.models import Course, Role
from courses.permissions import Actor
from exchange import file_responses, progress, queries, receipts
from exchange.models import Assignment, Feedback, Submission
from exchange.progress import AssignmentProgress
from exchange.storage import file_sets
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

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
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
    students = [member for member in progress.course_progress(course, assignments) if member.on_roster]
    section = CourseSection(course.name, role, is_staffed=True, students=len(students))
    for assignment in assignments:
        submitted = [student.work[assignment.pk] for student in students if assignment.pk in student.work]
        counts = {name: sum(getattr(work, name) for work in submitted) for name in ("late", "collected", "feedback")}
        section.rows.append(AssignmentRow(assignment, submitted=len(submitted), **counts))
    return section


class SubmissionView(MemberView, TemplateView):
    """A submission with its receipt, files and latest feedback, for its student and the course's staff."""

    template_name = "ngshare/submission.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        submission = get_submission(self.actor, kwargs["pk"])
        return super().get_context_data(
            submission=submission,
            receipt=receipts.receipt(submission),
            feedback=latest_feedback(submission),
            **kwargs,
        )


class ReceiptView(MemberView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        receipt = receipts.receipt(get_submission(self.actor, pk))
        response = JsonResponse(receipt, json_dumps_params={"indent": 2})
        response["Content-Disposition"] = str(content_disposition_header(True, f"receipt-{pk}.json"))
        return response


class FilesView(MemberView):
    """All files of a submission as a zip."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        submission = get_submission(self.actor, pk)
        assignment, created = submission.assignment.name, submission.created
        folder = ArchiveFolder(submission.file_set, assignment, created)
        name = f"{assignment}-{submission.student.username}-{created:%Y%m%d-%H%M%S}"
        return file_responses.download_zip([folder], name)


class FeedbackView(MemberView):
    """One file of the latest feedback, in a sandbox: somebody else wrote it."""

    def get(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:
        feedback = latest_feedback(get_submission(self.actor, pk))
        if feedback is None:
            raise Http404
        entries = feedback.file_set.entries.select_related("blob")
        return file_responses.open_file(get_object_or_404(entries, path=path))


def get_submission(actor: Actor, pk: int) -> Submission:
    """Return a submission that the actor may see. Errors: Http404."""
    newest = Feedback.objects.select_related("file_set").prefetch_related("file_set__entries").order_by("-id")
    visible = queries.submissions(actor, withdrawn=True, trials=True)
    visible = visible.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    visible = visible.prefetch_related(
        file_sets.prefetch_entries("file_set__entries"), Prefetch("feedbacks", queryset=newest)
    )
    return get_object_or_404(visible, pk=pk)


def latest_feedback(submission: Submission) -> Feedback | None:
    return next(iter(submission.feedbacks.all()), None)
