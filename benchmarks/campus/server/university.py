"""Writes a university into an empty database: `python -m benchmarks.campus.server.university PERCENT`.

Everything comes from fixed seeds, so that a university of one size is always the same.
"""

import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.core.management import call_command

from benchmarks.campus import shape
from benchmarks.campus.server.files import File, add_blob, add_file_set
from benchmarks.campus.server.rows import Rows
from benchmarks.campus.shape import CourseShape, Size
from courses.models import AuditEntry, Course, Membership, Role, User
from exchange.models import Assignment, Feedback, Release, Submission

SEMESTER = datetime(2026, 9, 1, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
DATA_FILES = 7  # of a release, which students submit unchanged
# Of the submissions:
WITH_FEEDBACK, WITHDRAWN, SECOND_ATTEMPT = 0.4, 0.01, 0.2


class University:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.rows = Rows()
        self.random = random.Random("a university")
        self.stores = False  # whether bytes are stored
        self.users: dict[str, User] = {}
        self.empty = add_blob(self.rows, "", SEMESTER, stored=True)  # which everybody has somewhere

    def write(self) -> None:
        people = [self.user(f"person{number:05}") for number in range(self.size.people)]
        courses = self.size.courses()
        half = len(courses) // 2
        for course in courses[:half]:
            self.add_course(course, people)
        self.add_probed_part()  # its rows are neither the first nor the last of their tables
        for course in courses[half:]:
            self.add_course(course, people)
        self.user(shape.ADMINISTRATOR)
        self.rows.finish()

    def add_probed_part(self) -> None:
        others, self.random, self.stores = self.random, random.Random("the probed part"), True
        students = [self.user(f"student{number:05}") for number in range(shape.CROWD.students)]
        for course in shape.PROBED:
            self.add_course(course, students[: course.students])
        self.random, self.stores = others, False

    def user(self, username: str) -> User:
        if username not in self.users:
            self.users[username] = self.rows.add(User(username=username, created=SEMESTER))
        return self.users[username]

    def add_course(self, wanted: CourseShape, people: Sequence[User]) -> None:
        course = self.rows.add(Course(name=wanted.name, created=SEMESTER))
        instructor = self.add_member(course, self.user(wanted.instructor), Role.INSTRUCTOR)
        self.add_member(course, self.user(f"{wanted.instructor}-grader"), Role.GRADER)
        students = self.random.sample(people, min(wanted.students, len(people)))
        for place, student in enumerate(students):
            self.add_member(course, student, Role.STUDENT, f"group {place % (1 + len(students) // 25)}")
        for number, name in enumerate(wanted.assignments):
            due = SEMESTER + (number + 1) * WEEK
            assignment = self.rows.add(Assignment(course=course, name=name, due=due, created=SEMESTER))
            data = [self.data_file(assignment, place) for place in range(DATA_FILES)]
            release = self.add_releases(assignment, instructor, data)
            submitters = [student for student in students if self.random.random() < wanted.share]
            self.add_submission(release, instructor, data, is_trial=True)
            for student in submitters:
                for _attempt in range(1 + (self.random.random() < SECOND_ATTEMPT and wanted != shape.CROWD)):
                    self.add_submission(release, student, data, instructor)
                self.rows.write_if_many()

    def add_member(self, course: Course, user: User, role: str, section: str = "") -> User:
        names = {"first_name": f"First {user.pk % 997}", "last_name": f"Last {user.pk % 7919}"}
        email = f"{user.username}@example.edu"
        member = Membership(course=course, user=user, role=role, email=email, section=section, **names)
        member.created = SEMESTER
        self.rows.add(member)
        self.log("add member", course, member, user.username, user, SEMESTER)
        return user

    def data_file(self, assignment: Assignment, place: int) -> File:
        text = f"{assignment.pk if not self.stores else assignment}, table {place}\n"
        return f"data/table{place}.csv", add_blob(self.rows, text, SEMESTER, stored=self.stores)

    def add_releases(self, assignment: Assignment, by: User, data: Sequence[File]) -> Release:
        """Add two releases and return the latest."""
        release = None
        for number in (1, 2):
            at = SEMESTER + timedelta(hours=number)
            notebook = add_blob(self.rows, f"release {number} of {assignment}", at, stored=self.stores)
            file_set = add_file_set(self.rows, [("problem.ipynb", notebook), ("lib/__init__.py", self.empty), *data])
            release = Release(assignment=assignment, number=number, file_set=file_set, released_by=by, created=at)
            self.rows.add(release)
            self.log("release", assignment.course, release, assignment.name, by, at)
        assert release is not None
        assignment.latest_release = release
        return release

    def add_submission(
        self,
        release: Release,
        student: User,
        data: Sequence[File],
        grader: User | None = None,
        *,
        is_trial: bool = False,
    ) -> None:
        assignment = release.assignment
        assert assignment.due is not None
        at = assignment.due - WEEK * (1.05 * self.random.random() - 0.05)
        at += timedelta(microseconds=self.rows.counts[Submission] % 1000)
        text = f"{student} at {at} to {assignment}"
        notebook = add_blob(self.rows, text, at, stored=self.stores)
        file_set = add_file_set(self.rows, [("problem.ipynb", notebook), ("lib/__init__.py", self.empty), *data])
        submission = self.rows.add(
            Submission(
                assignment=assignment,
                student=student,
                submitted_by=student,
                created=at,
                release=release,
                file_set=file_set,
                trial=is_trial,
                collected_at=assignment.due if not is_trial else None,
                withdrawn_at=at + WEEK if self.random.random() < WITHDRAWN else None,
                idempotency_key=notebook.sha256,
                new_bytes=notebook.size,
                own_bytes=notebook.size,
            )
        )
        self.log("submit", assignment.course, submission, assignment.name, student, at)
        if grader and self.random.random() < WITH_FEEDBACK:
            self.add_feedback(submission, grader, text)

    def add_feedback(self, submission: Submission, by: User, text: str) -> None:
        at = submission.created + WEEK
        page = add_blob(self.rows, f"feedback on {text}", at, stored=self.stores)
        file_set = add_file_set(self.rows, [("problem.html", page)])
        self.rows.add(Feedback(submission=submission, file_set=file_set, returned_by=by, created=at))

    def log(
        self, action: str, course: Course, about: Membership | Release | Submission, target: str, by: User, at: datetime
    ) -> None:
        kind, name = type(about)._meta.model_name or "", by.username
        entry = AuditEntry(actor=name, actor_id=by.pk, action=action, course=course.name, course_id=course.pk, at=at)
        entry.object_type, entry.object_id, entry.target = kind, about.pk, target
        self.rows.add(entry)


def main() -> int:
    call_command("migrate", verbosity=0)
    if Course.objects.exists() or User.objects.exists():
        print("The database is not empty. A university needs one of its own.", file=sys.stderr)
        return 1
    start = time.monotonic()
    university = University(Size(int(sys.argv[1])))
    university.write()
    counts = ", ".join(
        f"{count:,} {model._meta.verbose_name_plural}" for model, count in university.rows.counts.items()
    )
    print(f"{counts}, in {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
