"""The pages that every member sees: their courses, and a submission with its receipt, files and feedback.

permissions.py and queries.py decide what is visible. What a user may not see does not exist for them (404).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from courses import retirement
from courses.models import Course, Role
from courses.permissions import Actor, Permission
from exchange import course_archive, file_responses, personal_archive, progress, queries, receipts, states
from exchange.chosen_files import Comparison, compare_notebooks
from exchange.models import Assignment, Feedback, FileEntry, Submission
from exchange.progress import AssignmentCounts, AssignmentProgress
from exchange.storage import file_sets
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal.assignment import sees_everybody
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.students import due_next, newest_feedback
from ngshare_site.role_names import ROLES

COURSES_PER_PAGE = 20


class AssignmentRow(NamedTuple):
    """An assignment in the list of a course: the student's own progress, or the counts that staff see."""

    assignment: Assignment
    own: AssignmentProgress
    counts: AssignmentCounts = AssignmentCounts()


@dataclass
class CourseSection:
    """A course on the start page."""

    course: Course
    role: str
    is_staffed: bool
    rows: list[AssignmentRow]
    retiring_since: datetime | None = None

    @property
    def role_name(self) -> str:
        return ROLES[self.role]

    @property
    def has_archive(self) -> bool:
        return self.role == Role.INSTRUCTOR


class HomeView(MemberView, TemplateView):
    """The courses in which the user has a role, a page of them. Administrators find all courses in the admin."""

    template_name = "ngshare/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        courses = Course.objects.filter(pk__in=list(self.actor.roles)).order_by("name")
        page = Paginator(courses, COURSES_PER_PAGE).get_page(self.request.GET.get("page"))
        has_submitted = queries.own_submissions(self.actor).exists()
        sections = course_sections(self.actor, list(page))
        taken = [section for section in sections if section.role == Role.STUDENT]
        context = {"due": due_next(row.own for section in taken for row in section.rows), "has_taken": bool(taken)}
        context["newest_feedback"] = newest_feedback(self.actor)
        context["is_student"] = Role.STUDENT in self.actor.roles.values()
        return super().get_context_data(courses=sections, page=page, has_submitted=has_submitted, **context, **kwargs)


class CourseArchiveView(MemberView):
    """A course as one zip, for its instructors."""

    def get(self, request: HttpRequest, course: str) -> HttpResponseBase:
        found = get_object_or_404(self.actor.courses_where(Permission.RELEASE), name=course)
        return file_responses.send_zip(course_archive.export_course(found, by=self.actor), course)


class OwnSubmissionsView(MemberView):
    """Everything that the user submitted, in all courses, as one zip."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        user = self.actor.required_user
        return file_responses.send_zip(personal_archive.export_person(user, by=self.actor), f"{user} submissions")


def course_sections(actor: Actor, courses: list[Course]) -> list[CourseSection]:
    """Return what the start page shows of these courses, in a constant number of queries."""
    staffed = [course for course in courses if actor.roles[course.pk] != Role.STUDENT]
    prefetch_related_objects(courses, Prefetch("assignments", queryset=Assignment.objects.order_by("name")))
    counts = progress.count_by_assignment(each for course in staffed for each in course.assignments.all())
    announced = retirement.announced([course.pk for course in staffed])
    taken = [each for course in courses if course not in staffed for each in course.assignments.all()]
    own = progress.own_progress(actor.required_user, taken)
    submitted = set(
        queries.own_submissions(actor).order_by().filter(assignment__in=taken).values_list("assignment", flat=True)
    )
    sections = []
    for course in courses:
        is_staffed = course in staffed
        rows = [
            AssignmentRow(
                each, own.get(each.pk) or progress.without_extension(each), counts.get(each.pk, AssignmentCounts())
            )
            for each in course.assignments.all()
            if is_staffed or each.is_shown or each.pk in submitted
        ]
        section = CourseSection(course, actor.roles[course.pk], is_staffed, rows)
        section.retiring_since = announced.get(course.pk)
        sections.append(section)
    return sections


class SubmissionView(MemberView, TemplateView):
    """A submission with its receipt, files and latest feedback, for its student and the course's staff."""

    template_name = "ngshare/submission.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        submission = get_submission(self.actor, kwargs["pk"])
        return super().get_context_data(
            submission=submission,
            assignment_address=address_of(submission.assignment, self.actor),
            entries=notebooks_first(submission.file_set.entries.all()),
            receipt=receipts.receipt(submission),
            feedback=latest_feedback(submission),
            comparison=compare_with_release(submission),
            is_staffed=sees_everybody(self.actor, submission.assignment),
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


def get_submission(actor: Actor, pk: int, *, files: bool = True) -> Submission:
    """Return a submission that the actor may see, with its state and, if wanted, its files. Errors: Http404."""
    newest = Feedback.objects.select_related("file_set").prefetch_related("file_set__entries").order_by("-id")
    rows = queries.visible_submissions(actor, removed=True).filter(pk=pk)
    rows = rows.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    rows = rows.prefetch_related(Prefetch("feedbacks", queryset=newest))
    if files:
        rows = rows.prefetch_related(file_sets.prefetch_entries("file_set__entries"))
    for submission in states.read_states(rows.annotate(is_latest=states.IS_LATEST)):
        timezone.activate(submission.assignment.course.zone)
        return submission
    raise Http404


def compare_with_release(submission: Submission) -> Comparison | None:
    """Return how its notebooks differ from those of the release that it was made for; None where there was none."""
    if submission.release is None:
        return None
    released = FileEntry.objects.filter(file_set=submission.release.file_set_id).values_list("path", flat=True)
    return compare_notebooks(released, [entry.path for entry in submission.file_set.entries.all()])


def address_of(assignment: Assignment, actor: Actor) -> str:
    """Return the address of an assignment's page: by its id where its course is closed to the actor."""
    course = assignment.course
    if course.removed_at is None and actor.may(Permission.SEE_COURSE, course):
        return reverse("assignment", args=[course.name, assignment.name])
    return reverse("own-assignment", args=[assignment.pk])


def title_of(submission: Submission, actor: Actor) -> str:
    """Return what a submission is called on other pages: the actor's own, or whose it is."""
    if submission.student_id == actor.required_user.pk:
        return _("Your submission")
    return _("Submitted by %(student)s") % {"student": submission.student}


def notebooks_first(entries: Iterable[FileEntry]) -> list[FileEntry]:
    """Return the entries in the order in which a page lists them."""
    return sorted(entries, key=lambda entry: not entry.path.endswith(".ipynb"))


def latest_feedback(submission: Submission) -> Feedback | None:
    return next(iter(submission.feedbacks.all()), None)
