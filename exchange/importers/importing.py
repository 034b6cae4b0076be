"""Bringing a source in, course by course. What cannot be taken over is reported, and the rest goes on."""

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
from exchange.importers import files as source_files
from exchange.importers import past
from exchange.importers.report import ImportOutcome, ImportReport, Kind
from exchange.importers.sources import Source, SourceAssignment, SourceCourse, SourceFile, SourceSubmission
from exchange.models import Assignment, Submission
from exchange.storage import file_sets

RESULTS = {Result.CREATED: ImportOutcome.NEW, Result.REFUSED: ImportOutcome.LEFT_OUT}


@dataclass
class ImportRun:
    """One run. With `is_dry` everything is read, verified and compared, and nothing is written.

    `step` is called after each assignment and submission.
    """

    report: ImportReport
    is_dry: bool = False
    step: Callable[[], None] = lambda: None
    _users: dict[str, User] = field(default_factory=dict)

    def run(self, source: Source) -> None:
        """Errors: CannotRead."""
        for course in source.courses():
            self._course(course)

    def _course(self, source: SourceCourse) -> None:
        try:
            course = self._course_here(source.name)
        except DomainError as error:
            self.report.left_out(Kind.COURSE, error.message, source.name)
            return
        self._members(course, source)
        for assignment in source.assignments:
            self._assignment(course, source.name, assignment)

    def _course_here(self, name: str) -> Course | None:
        """The course; None in a dry run where it would be made. Errors: DomainError."""
        course_services.check_name(name, "course")
        known = Course.objects.filter(name=name)
        if there := known.filter(removed_at=None).first():
            self.report.count(Kind.COURSE, ImportOutcome.THERE)
            return there
        if known.exists():
            raise Conflict("a course of this name is in the bin here; restore it first")
        self.report.count(Kind.COURSE, ImportOutcome.NEW)
        return None if self.is_dry else course_services.create_course(name, by=SERVER)

    def _members(self, course: Course | None, source: SourceCourse) -> None:
        """Those who are members already stay as they are, whatever the source says: the roster here may be newer."""
        there = set(course.memberships.values_list("user__username", flat=True)) if course else set()
        new = [person for person in source.members if person.username not in there]
        self.report.count(Kind.MEMBER, ImportOutcome.THERE, len(source.members) - len(new))
        if course is None:
            self._foresee_members(new, source.name)
            return
        for row in roster.apply_roster(course, new, by=SERVER, dry_run=self.is_dry).rows:
            self.report.count(Kind.MEMBER, RESULTS[row.result])
            if row.result == Result.REFUSED:
                self.report.problem(row.message, source.name, row.username)

    def _foresee_members(self, people: list[RosterEntry], course: str) -> None:
        for person in people:
            try:
                course_services.check_name(person.username)
                self.report.count(Kind.MEMBER, ImportOutcome.NEW)
            except DomainError as error:
                self.report.left_out(Kind.MEMBER, error.message, course, person.username)

    def _assignment(self, course: Course | None, course_name: str, source: SourceAssignment) -> None:
        where = (course_name, source.name)
        try:
            services.check_assignment_name(source.name)
            assignment, is_new = self._assignment_here(course, source)
        except DomainError as error:
            self.report.left_out(Kind.ASSIGNMENT, error.message, *where)
            return
        self.report.count(Kind.ASSIGNMENT, ImportOutcome.NEW if is_new else ImportOutcome.THERE)
        if source.release is not None:
            self._release(assignment, source.release, *where)
        self.step()
        for submission in source.submissions:
            self._submission(assignment, submission, *where)
            self.step()

    def _assignment_here(self, course: Course | None, source: SourceAssignment) -> tuple[Assignment | None, bool]:
        there = Assignment.objects.filter(course=course, name=source.name).first() if course else None
        if there or course is None or self.is_dry:
            return there, there is None
        return past.keep_assignment(course, source.name, due=source.due, is_hidden=source.release is None)

    def _release(self, assignment: Assignment | None, files: list[SourceFile], *where: str) -> None:
        tree = source_files.read(files, self.report, *where)
        with self._reporting(Kind.RELEASE, *where):
            file_sets.check_manifest(tree.lines)
            outcome = past.release_standing(assignment, tree.lines) if assignment else ImportOutcome.NEW
            if outcome != ImportOutcome.THERE and assignment and not self.is_dry:
                past.keep_release(assignment, tree.upload(), created=tree.created)
            self.report.count(Kind.RELEASE, outcome)

    def _submission(self, assignment: Assignment | None, source: SourceSubmission, *where: str) -> None:
        where = (*where, source.student, f"{source.created:%Y-%m-%d %H:%M:%S.%f}")
        tree = source_files.read(source.files, self.report, *where)
        with self._reporting(Kind.SUBMISSION, *where):
            file_sets.check_manifest(tree.lines)
            course_services.check_name(source.student)
            there = self._submission_here(assignment, source)
            outcome = past.standing(there.file_set if there else None, tree.lines)
            if outcome != ImportOutcome.THERE and assignment and not self.is_dry:
                user, upload = self._user(source.student), tree.upload()
                there = past.keep_submission(assignment, user, upload, created=source.created)
            self.report.count(Kind.SUBMISSION, outcome)
            if source.feedback:
                self._feedback(there, source.feedback, *where, "feedback")

    def _submission_here(self, assignment: Assignment | None, source: SourceSubmission) -> Submission | None:
        if assignment is None:
            return None
        known = Submission.objects.select_related("file_set", "assignment__course")
        return known.filter(assignment=assignment, student__username=source.student, created=source.created).first()

    def _feedback(self, submission: Submission | None, files: list[SourceFile], *where: str) -> None:
        tree = source_files.read(files, self.report, *where)
        with self._reporting(Kind.FEEDBACK, *where):
            file_sets.check_manifest(tree.lines)
            outcome = past.feedback_standing(submission, tree.lines) if submission else ImportOutcome.NEW
            if outcome != ImportOutcome.THERE and submission and not self.is_dry:
                past.keep_feedback(submission, tree.upload(), created=tree.created)
            self.report.count(Kind.FEEDBACK, outcome)

    @contextmanager
    def _reporting(self, kind: Kind, *where: str) -> Iterator[None]:
        """What is refused inside is left out and reported."""
        try:
            yield
        except DomainError as error:
            self.report.left_out(kind, error.message, *where)

    def _user(self, username: str) -> User:
        if username not in self._users:
            self._users |= course_services.known_users([username])
        return self._users[username]
