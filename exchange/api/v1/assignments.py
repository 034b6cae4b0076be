"""assignment(s)/, submission(s)/, feedback/: what is exchanged."""

from typing import cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from courses.models import Course, Membership
from courses.permissions import Permission
from exchange import services
from exchange.api.v1 import files
from exchange.api.v1.answers import Failure, success
from exchange.api.v1.base import Resource, parse_time, time_text
from exchange.models import Assignment, Feedback, FileSet, Submission
from exchange.services import AlreadyReleased, FeedbackItem


class AssignmentResource(Resource):
    sends_to_login = False

    @property
    def list_only(self) -> bool:
        return self.arguments.either("list_only") == "true"

    @property
    def is_about_me(self) -> bool:
        return bool(self.kwargs["username"] == self.user.username)

    def submissions(self, assignment: Assignment, student: Membership | None = None) -> QuerySet[Submission]:
        """Return the submissions by time, with their students; withdrawn ones for their own student alone."""
        rows = assignment.submissions.select_related("student", "file_set").order_by("created", "pk")
        if student:
            rows = rows.filter(student=student.user)
        own = student is not None and student.user_id == self.user.pk
        return rows if own else rows.filter(withdrawn_at=None)

    def submission_at(self, assignment: Assignment, student: Membership, time: str) -> Submission:
        """Return the submission of this instant. Errors: Failure."""
        moment = parse_time(time)
        if submission := self.submissions(assignment, student).filter(created=moment).first():
            return submission
        raise Failure(404, "Submission not found")


class Assignments(Resource):
    def get(self, request: Request, course: str) -> Response:
        """Return the names of the released assignments, in the order in which they were made."""
        target = self.course_for(Permission.SEE_COURSE)
        rows = self.assignments_of(target).order_by("pk")
        return success(assignments=list(rows.values_list("name", flat=True)))


class OneAssignment(AssignmentResource):
    def get(self, request: Request, course: str, assignment: str) -> HttpResponseBase:
        target = self.assignment_in(self.course_for(Permission.SEE_COURSE))
        latest = target.latest_release
        return files.answer(latest.file_set if latest else None, list_only=self.list_only)

    def post(self, request: Request, course: str, assignment: str) -> Response:
        """Release. The name of an unreleased assignment makes its next release."""
        target = self.course_for(Permission.RELEASE)
        if Assignment.objects.released().filter(course=target, name=assignment).exists():
            raise Failure(409, "Assignment already exists")
        upload = files.upload(self.arguments.either("files"))
        try:
            services.release(target, assignment, upload, by=self.actor)
        except AlreadyReleased as error:
            raise Failure(409, "Assignment already exists") from error
        return success()

    def delete(self, request: Request, course: str, assignment: str) -> Response:
        """Unrelease: hide the assignment, keep everything."""
        services.unrelease(self.assignment_in(self.course_for(Permission.RELEASE)), by=self.actor)
        return success()


class Submissions(AssignmentResource):
    def get(self, request: Request, course: str, assignment: str) -> Response:
        target = self.assignment_in(self.course_for(Permission.SEE_SUBMISSIONS))
        return success(submissions=_list(self.submissions(target)))


class StudentSubmissions(AssignmentResource):
    def get(self, request: Request, course: str, assignment: str, username: str) -> Response:
        """Answer staff, and the student themselves."""
        in_course = self.course_for(None if self.is_about_me else Permission.SEE_SUBMISSIONS)
        target = self.assignment_in(in_course)
        return success(submissions=_list(self.submissions(target, self.member(in_course))))


def _list(rows: QuerySet[Submission]) -> list[dict[str, str]]:
    pairs = rows.values_list("student__username", "created")
    return [{"student_id": student, "timestamp": time_text(created)} for student, created in pairs]


class Submit(AssignmentResource):
    def post(self, request: Request, course: str, assignment: str) -> Response:
        target = self.assignment_in(self.course_for(Permission.SUBMIT))
        upload = files.upload(self.arguments.body("files"))
        submission, _ = services.submit(target, upload, by=self.actor)
        return success(timestamp=time_text(submission.created))


class OneSubmission(AssignmentResource):
    def get(self, request: Request, course: str, assignment: str, username: str) -> HttpResponseBase:
        """Return one submission, to staff: the latest without a timestamp."""
        in_course = self.course_for(Permission.SEE_SUBMISSIONS)
        target = self.assignment_in(in_course)
        student = self.member(in_course)
        if time := self.arguments.either("timestamp"):
            submission = self.submission_at(target, student, time)
        else:
            submission = self._latest(target, student)
        return files.answer(submission.file_set, list_only=self.list_only, timestamp=time_text(submission.created))

    def _latest(self, assignment: Assignment, student: Membership) -> Submission:
        if latest := self.submissions(assignment, student).last():
            return latest
        raise Failure(404, "Submission not found")


class OneFeedback(AssignmentResource):
    def post(self, request: Request, course: str, assignment: str, username: str) -> Response:
        """Return feedback on one submission; it replaces earlier feedback."""
        target, student = self._assignment_and_student(self.course_for(Permission.RETURN_FEEDBACK))
        time = self.arguments.body("timestamp")
        submission = self._submission_at(target, student, time)
        upload = files.upload(self.arguments.body("files"))
        (manifest,) = upload.manifests
        services.return_feedback(target, [FeedbackItem(manifest, submission=submission.pk)], upload, by=self.actor)
        return success()

    def get(self, request: Request, course: str, assignment: str, username: str) -> HttpResponseBase:
        """Answer staff, and the student themselves."""
        in_course = self.course_for(None if self.is_about_me else Permission.SEE_SUBMISSIONS)
        target, student = self._assignment_and_student(in_course)
        submission = self._submission_at(target, student, self.arguments.query("timestamp"))
        newest = Feedback.objects.filter(submission=submission).select_related("file_set").order_by("pk").last()
        file_set = cast(FileSet, newest.file_set) if newest else None
        return files.answer(file_set, list_only=self.list_only, timestamp=time_text(submission.created))

    def _assignment_and_student(self, course: Course) -> tuple[Assignment, Membership]:
        return self.assignment_in(course), self.member(course)

    def _submission_at(self, assignment: Assignment, student: Membership, time: str | None) -> Submission:
        if time is None:
            raise Failure(400, "Please supply timestamp")
        return self.submission_at(assignment, student, time)
