"""assignment(s), submission(s), feedback: what is handed around."""

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
from exchange.models import Assignment, Feedback, FileSet, Release, Submission
from exchange.services import AlreadyReleased, FeedbackItem


class WorkResource(Resource):
    sends_to_login = False

    @property
    def list_only(self) -> bool:
        return self.arguments.either("list_only") == "true"

    @property
    def is_about_me(self) -> bool:
        return bool(self.kwargs["username"] == self.user.username)

    def submissions(self, assignment: Assignment, student: Membership | None = None) -> QuerySet[Submission]:
        """By time, with their students. Those that staff withdrew are there for their student alone."""
        rows = assignment.submissions.select_related("student", "file_set").order_by("created", "pk")
        if student:
            rows = rows.filter(student=student.user)
        own = student is not None and student.user_id == self.user.pk
        return rows if own else rows.filter(withdrawn_at=None)

    def submission_at(self, assignment: Assignment, student: Membership, time: str) -> Submission:
        """Errors: Failure."""
        moment = parse_time(time)
        if found := self.submissions(assignment, student).filter(created=moment).first():
            return found
        raise Failure(404, "Submission not found")


class Assignments(Resource):
    def get(self, request: Request, course: str) -> Response:
        """The names of those that are released, in the order in which they came to be."""
        found = self.course_for(Permission.SEE_COURSE)
        rows = Assignment.objects.released().filter(course=found).order_by("pk")
        return success(assignments=list(rows.values_list("name", flat=True)))


class OneAssignment(WorkResource):
    def get(self, request: Request, course: str, assignment: str) -> HttpResponseBase:
        found = self.assignment_in(self.course_for(Permission.SEE_COURSE))
        latest = Release.objects.filter(assignment=found).select_related("file_set").order_by("number").last()
        return files.answer(latest.file_set if latest else None, list_only=self.list_only)

    def post(self, request: Request, course: str, assignment: str) -> Response:
        """Release. Under the name of a withdrawn assignment this goes on with it, as its next release."""
        found = self.course_for(Permission.RELEASE)
        if Assignment.objects.released().filter(course=found, name=assignment).exists():
            raise Failure(409, "Assignment already exists")
        upload = files.upload(self.arguments.either("files"))
        try:
            services.release(found, assignment, upload, by=self.actor)
        except AlreadyReleased as error:
            raise Failure(409, "Assignment already exists") from error
        return success()

    def delete(self, request: Request, course: str, assignment: str) -> Response:
        """Withdraw: hidden, everything kept."""
        services.withdraw(self.assignment_in(self.course_for(Permission.RELEASE)), by=self.actor)
        return success()


class Submissions(WorkResource):
    def get(self, request: Request, course: str, assignment: str) -> Response:
        found = self.assignment_in(self.course_for(Permission.SEE_SUBMISSIONS))
        return success(submissions=_listed(self.submissions(found)))


class StudentSubmissions(WorkResource):
    def get(self, request: Request, course: str, assignment: str, username: str) -> Response:
        """To staff, and to oneself."""
        in_course = self.course_for(None if self.is_about_me else Permission.SEE_SUBMISSIONS)
        found = self.assignment_in(in_course)
        return success(submissions=_listed(self.submissions(found, self.member(in_course))))


def _listed(rows: QuerySet[Submission]) -> list[dict[str, str]]:
    pairs = rows.values_list("student__username", "created")
    return [{"student_id": student, "timestamp": time_text(created)} for student, created in pairs]


class HandIn(WorkResource):
    def post(self, request: Request, course: str, assignment: str) -> Response:
        found = self.assignment_in(self.course_for(Permission.SUBMIT))
        upload = files.upload(self.arguments.body("files"))
        made, _ = services.submit(found, upload, by=self.actor)
        return success(timestamp=time_text(made.created))


class OneSubmission(WorkResource):
    def get(self, request: Request, course: str, assignment: str, username: str) -> HttpResponseBase:
        """To staff: one submission, the latest without a timestamp."""
        in_course = self.course_for(Permission.SEE_SUBMISSIONS)
        found = self.assignment_in(in_course)
        student = self.member(in_course)
        if time := self.arguments.either("timestamp"):
            asked = self.submission_at(found, student, time)
        else:
            asked = self._latest(found, student)
        return files.answer(asked.file_set, list_only=self.list_only, timestamp=time_text(asked.created))

    def _latest(self, assignment: Assignment, student: Membership) -> Submission:
        if latest := self.submissions(assignment, student).last():
            return latest
        raise Failure(404, "Submission not found")


class OneFeedback(WorkResource):
    def post(self, request: Request, course: str, assignment: str, username: str) -> Response:
        """Give feedback on one submission; it takes the place of what was given before."""
        found, student = self._addressed(self.course_for(Permission.RETURN_FEEDBACK))
        time = self.arguments.body("timestamp")
        submission = self._at(found, student, time)
        upload = files.upload(self.arguments.body("files"))
        (lines,) = upload.manifests
        services.return_feedback(found, [FeedbackItem(lines, submission=submission.pk)], upload, by=self.actor)
        return success()

    def get(self, request: Request, course: str, assignment: str, username: str) -> HttpResponseBase:
        """To staff, and to oneself."""
        in_course = self.course_for(None if self.is_about_me else Permission.SEE_SUBMISSIONS)
        found, student = self._addressed(in_course)
        submission = self._at(found, student, self.arguments.query("timestamp"))
        newest = Feedback.objects.filter(submission=submission).select_related("file_set").order_by("pk").last()
        given = cast(FileSet, newest.file_set) if newest else None
        return files.answer(given, list_only=self.list_only, timestamp=time_text(submission.created))

    def _addressed(self, course: Course) -> tuple[Assignment, Membership]:
        return self.assignment_in(course), self.member(course)

    def _at(self, assignment: Assignment, student: Membership, time: str | None) -> Submission:
        if time is None:
            raise Failure(400, "Please supply timestamp")
        return self.submission_at(assignment, student, time)
