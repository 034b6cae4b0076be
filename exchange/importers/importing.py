"""Importing a source, course by course. What cannot be imported is reported, and the rest goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from courses import roster
from courses import services as course_services
from courses.errors import Conflict, DomainError
from courses.models import Course, User
from courses.permissions import SERVER
from courses.roster import Result
from courses.services import RosterEntry
from exchange import services
from exchange.importers import history
from exchange.importers.files import read_files
from exchange.importers.report import ImportOutcome, ImportReport, Kind
from exchange.importers.sources import Source, SourceAssignment, SourceCourse, SourceFile, SourceSubmission
from exchange.models import Assignment, Submission
from exchange.storage import manifests

OUTCOMES = {Result.CREATED: ImportOutcome.NEW, Result.REFUSED: ImportOutcome.LEFT_OUT}


@dataclass
class ImportRun:
    """One run of an import. With `is_dry` everything is read, verified and compared, and nothing is written.

    `step` is called after each assignment and submission. In a dry run a course, an assignment or a submission that
    would be created is None.
    """

    report: ImportReport
    is_dry: bool = False
    step: Callable[[], None] = lambda: None
    _users: dict[str, User] = field(default_factory=dict)

    def run(self, source: Source) -> None:
        """Errors: CannotRead."""
        for course in source.courses():
            self._import_course(course)

    def _import_course(self, source: SourceCourse) -> None:
        try:
            course = self._find_or_create_course(source.name)
        except DomainError as error:
            self.report.leave_out(Kind.COURSE, error.message, source.name)
            return
        self._import_members(course, source)
        for assignment in source.assignments:
            self._import_assignment(course, source.name, assignment)

    def _find_or_create_course(self, name: str) -> Course | None:
        """Errors: DomainError."""
        course_services.check_course_name(name)
        courses = Course.objects.filter(name=name)
        if existing := courses.filter(removed_at=None).first():
            self.report.count(Kind.COURSE, ImportOutcome.EXISTING)
            return existing
        if courses.exists():
            raise Conflict("a course of this name is in the trash here; restore it first")
        self.report.count(Kind.COURSE, ImportOutcome.NEW)
        return None if self.is_dry else course_services.create_course(name, by=SERVER)

    def _import_members(self, course: Course | None, source: SourceCourse) -> None:
        """Add the members who are missing. The others stay as they are: the roster here may be newer."""
        existing = set(course.memberships.values_list("user__username", flat=True)) if course else set()
        new = [member for member in source.members if member.username not in existing]
        self.report.count(Kind.MEMBER, ImportOutcome.EXISTING, len(source.members) - len(new))
        if course is None:
            self._check_members(new, source.name)
            return
        for row in roster.apply_roster(course, new, by=SERVER, dry_run=self.is_dry).rows:
            self.report.count(Kind.MEMBER, OUTCOMES[row.result])
            if row.result == Result.REFUSED:
                self.report.problem(row.message, source.name, row.username)

    def _check_members(self, members: list[RosterEntry], course: str) -> None:
        for member in members:
            try:
                course_services.check_name(member.username)
                self.report.count(Kind.MEMBER, ImportOutcome.NEW)
            except DomainError as error:
                self.report.leave_out(Kind.MEMBER, error.message, course, member.username)

    def _import_assignment(self, course: Course | None, course_name: str, source: SourceAssignment) -> None:
        where = (course_name, source.name)
        try:
            services.check_assignment_name(source.name)
            assignment, is_new = self._find_or_create_assignment(course, source)
        except DomainError as error:
            self.report.leave_out(Kind.ASSIGNMENT, error.message, *where)
            return
        self.report.count(Kind.ASSIGNMENT, ImportOutcome.NEW if is_new else ImportOutcome.EXISTING)
        if source.release is not None:
            self._import_release(assignment, source.release, *where)
        self.step()
        for submission in source.submissions:
            self._import_submission(assignment, submission, *where)
            self.step()

    def _find_or_create_assignment(
        self, course: Course | None, source: SourceAssignment
    ) -> tuple[Assignment | None, bool]:
        existing = Assignment.objects.filter(course=course, name=source.name).first() if course else None
        if existing or course is None or self.is_dry:
            return existing, existing is None
        return history.import_assignment(course, source.name, due=source.due, is_unreleased=source.release is None)

    def _import_release(self, assignment: Assignment | None, files: list[SourceFile], *where: str) -> None:
        with self._report_errors(Kind.RELEASE, *where):
            manifest = read_files(files, self.report, *where)
            manifests.check_manifest(manifest.entries)
            outcome = history.compare_release(assignment, manifest.entries) if assignment else ImportOutcome.NEW
            if outcome != ImportOutcome.EXISTING and assignment and not self.is_dry:
                history.import_release(assignment, manifest.upload(), created=manifest.created)
            self.report.count(Kind.RELEASE, outcome)

    def _import_submission(self, assignment: Assignment | None, source: SourceSubmission, *where: str) -> None:
        where = (*where, source.student, f"{source.created:%Y-%m-%d %H:%M:%S.%f}")
        with self._report_errors(Kind.SUBMISSION, *where):
            course_services.check_name(source.student)
            manifest = read_files(source.files, self.report, *where)
            manifests.check_manifest(manifest.entries)
            submission = self._find_submission(assignment, source)
            outcome = history.compare(submission.file_set if submission else None, manifest.entries)
            if outcome != ImportOutcome.EXISTING and assignment and not self.is_dry:
                user, upload = self._user(source.student), manifest.upload()
                submission = history.import_submission(assignment, user, upload, created=source.created)
            self.report.count(Kind.SUBMISSION, outcome)
            if source.feedback:
                self._import_feedback(submission, source.feedback, *where, "feedback")

    def _find_submission(self, assignment: Assignment | None, source: SourceSubmission) -> Submission | None:
        if assignment is None:
            return None
        rows = Submission.objects.select_related("file_set", "assignment__course")
        return rows.filter(assignment=assignment, student__username=source.student, created=source.created).first()

    def _import_feedback(self, submission: Submission | None, files: list[SourceFile], *where: str) -> None:
        with self._report_errors(Kind.FEEDBACK, *where):
            manifest = read_files(files, self.report, *where)
            manifests.check_manifest(manifest.entries)
            outcome = history.compare_feedback(submission, manifest.entries) if submission else ImportOutcome.NEW
            if outcome != ImportOutcome.EXISTING and submission and not self.is_dry:
                history.import_feedback(submission, manifest.upload(), created=manifest.created)
            self.report.count(Kind.FEEDBACK, outcome)

    @contextmanager
    def _report_errors(self, kind: Kind, *where: str) -> Iterator[None]:
        """Report what is refused inside as left out, and go on."""
        try:
            yield
        except DomainError as error:
            self.report.leave_out(kind, error.message, *where)

    def _user(self, username: str) -> User:
        if username not in self._users:
            self._users |= course_services.known_users([username])
        return self._users[username]
