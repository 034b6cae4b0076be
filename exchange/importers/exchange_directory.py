"""nbgrader's exchange directory as a source: `<root>/<course>/{outbound,inbound,feedback}`.

Source of the facts: nbgrader's exchange/default (submit.py, list.py, release_feedback.py). A submission is a folder
`<user>+<assignment>+<time>`, usually with a random part after another `+`. Feedback is `<hash>.html`; the hash is made
from a secret in the submission, or, by older versions, from the notebook itself. Nothing names the instructors.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from courses.models import Role
from courses.services import RosterEntry
from exchange.importers.files import Broken, open_plain
from exchange.importers.report import ImportReport, Kind
from exchange.importers.sources import CannotRead, SourceAssignment, SourceCourse, SourceFile, SourceSubmission

TIME_FILE, SECRET_FILE = "timestamp.txt", "submission_secret.txt"  # nbgrader's own, not the student's
INBOUND = re.compile(r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>[^+]*\d:\d\d:\d\d[^+]*)(\+(?P<random>[^+]*))?")
TIME = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?)\s*(?P<zone>[A-Za-z/_]*)"
    r"(?P<offset>[+-]\d\d:?\d\d)?"
)
SMALL = 4096  # bytes; the most that is read of nbgrader's own files
UTC_NAMES = ("", "UTC", "GMT", "Z")


@dataclass(frozen=True)
class InboundFolder:
    """One folder of `inbound`: a submission."""

    place: Path
    student: str
    assignment: str
    time: str  # as in the name of the folder
    created: datetime


@dataclass
class CourseFolder:
    """What the folder of one course contains: the names of the assignments, and the submissions by time."""

    place: Path
    assignments: list[str]
    submissions: list[InboundFolder]

    @property
    def name(self) -> str:
        return self.place.name


class ExchangeDirectory:
    """The source. `only` names the courses to import, all if it is empty; `instructors` get that role in each."""

    def __init__(self, root: Path, report: ImportReport, *, only: list[str], instructors: list[str]) -> None:
        """Errors: CannotRead."""
        self._report, self._instructors = report, instructors
        if not is_folder(root):
            raise CannotRead(f"there is no folder {root}")
        places = {place.name: place for place in self._entries(root) if is_course(place)}
        if absent := sorted(set(only) - set(places)):
            raise CannotRead(f"{root} has no course {', '.join(absent)}")
        if not places:
            raise CannotRead(f"{root} is no exchange directory: no folder in it has an inbound or outbound folder")
        self._courses = [self._course(place) for name, place in places.items() if not only or name in only]

    def count(self) -> int:
        return sum(len(course.assignments) + len(course.submissions) for course in self._courses)

    def courses(self) -> Iterator[SourceCourse]:
        for course in self._courses:
            staff = [RosterEntry(instructor, Role.INSTRUCTOR) for instructor in self._instructors]
            students = sorted({submission.student for submission in course.submissions} - set(self._instructors))
            members = [*staff, *(RosterEntry(student, Role.STUDENT) for student in students)]
            if not staff:
                message = "the folder does not say who teaches it; add an instructor, or give --instructor"
                self._report.note(message, course.name)
            yield SourceCourse(course.name, members, self._assignments(course))

    def _course(self, place: Path) -> CourseFolder:
        submissions = self._inbound(place)
        released = {folder.name for folder in self._entries(place / "outbound") if is_folder(folder)}
        return CourseFolder(
            place, sorted(released | {submission.assignment for submission in submissions}), submissions
        )

    def _assignments(self, course: CourseFolder) -> Iterator[SourceAssignment]:
        for name in course.assignments:
            released = course.place / "outbound" / name
            release = self._files(released, course.name, name) if is_folder(released) else None
            submissions = (folder for folder in course.submissions if folder.assignment == name)
            yield SourceAssignment(name, release, self._submissions(course, submissions))

    def _inbound(self, course: Path) -> list[InboundFolder]:
        """Return the submissions by time. Of two at one instant the second gets a later one, the same in every run."""
        found: list[InboundFolder] = []
        taken: set[tuple[str, str, datetime]] = set()
        for place in self._entries(course / "inbound"):
            match = INBOUND.fullmatch(place.name)
            if not match or not is_folder(place):
                where = (course.name, "inbound", place.name)
                self._report.leave_out(Kind.SUBMISSION, "this is no submission of nbgrader's", *where)
                continue
            created = self._created(place, match["time"], course.name)
            if created is None:
                continue
            while (match["student"], match["assignment"], created) in taken:
                created += timedelta(microseconds=1)
            taken.add((match["student"], match["assignment"], created))
            found.append(InboundFolder(place, match["student"], match["assignment"], match["time"], created))
        return sorted(found, key=lambda folder: (folder.created, folder.place.name))

    def _created(self, place: Path, time_in_name: str, course: str) -> datetime | None:
        text = read_small(place / TIME_FILE).strip() or time_in_name
        try:
            return parse_time(text)
        except UnknownZone as error:
            self._report.note(f"the zone of {text!r} is not known; read as UTC, as nbgrader does", course, place.name)
            return error.as_utc
        except ValueError:
            self._report.leave_out(Kind.SUBMISSION, f"{text[:80]!r} is no time", course, "inbound", place.name)
            return None

    def _submissions(self, course: CourseFolder, folders: Iterator[InboundFolder]) -> Iterator[SourceSubmission]:
        for folder in folders:
            files = self._files(folder.place, course.name, folder.place.name)
            kept = [file for file in files if file.path not in (TIME_FILE, SECRET_FILE)]
            yield SourceSubmission(folder.student, folder.created, kept, self._feedback(course, folder))

    def _feedback(self, course: CourseFolder, submission: InboundFolder) -> list[SourceFile]:
        files = []
        for notebook in sorted(submission.place.glob("*.ipynb")):
            for name in feedback_names(course.name, submission, notebook):
                place = course.place / "feedback" / name
                if is_file(place):
                    files.append(SourceFile(f"{notebook.stem}.html", place))
                    break
        return files

    def _files(self, folder: Path, *where: str) -> list[SourceFile]:
        """Return every plain file below the folder, sorted by path. Links are not followed but reported."""

        def report_error(error: OSError) -> None:
            self._report.leave_out(Kind.FILE, f"{error.filename} cannot be read: {error.strerror}", *where)

        files = []
        for parent, folders, names in os.walk(folder, onerror=report_error):
            links = [name for name in folders if (Path(parent) / name).is_symlink()]
            for name in [*names, *links]:
                place = Path(parent) / name
                path = place.relative_to(folder).as_posix()
                if is_file(place):
                    files.append(SourceFile(path, place))
                else:
                    self._report.leave_out(Kind.FILE, "this is no plain file", *where, path)
        return sorted(files, key=lambda file: file.path)

    def _entries(self, folder: Path) -> list[Path]:
        """Return what the folder contains, sorted; nothing if there is none. What cannot be read is reported."""
        try:
            return sorted(folder.iterdir()) if is_folder(folder) else []
        except OSError as error:
            self._report.problem(f"{folder} cannot be read: {error.strerror}")
            return []


def feedback_names(course: str, submission: InboundFolder, notebook: Path) -> Iterator[str]:
    """Yield the names that the feedback on a notebook may have, the newest convention first."""
    if secret := read_small(submission.place / SECRET_FILE):
        yield f"{hashlib.md5((secret + notebook.stem).encode(), usedforsecurity=False).hexdigest()}.html"
        return
    try:
        with open_plain(notebook) as file:
            content = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))  # type: ignore[arg-type]
    except Broken:
        return
    plain = content.hexdigest()
    key = "+".join([course, submission.assignment, notebook.stem, submission.student, submission.time])
    content.update(key.encode())
    yield f"{content.hexdigest()}.html"
    yield f"{plain}.html"


class UnknownZone(ValueError):
    """The zone is not known; `as_utc` is the time read as UTC."""

    def __init__(self, as_utc: datetime) -> None:
        super().__init__("unknown zone")
        self.as_utc = as_utc


def parse_time(text: str) -> datetime:
    """Return the time in a timestamp.txt. Errors: UnknownZone, ValueError.

    >>> parse_time("2026-11-24 14:33:56.000120 UTC"), parse_time("2026-11-24 14:33:56 +0100").hour
    (datetime.datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=datetime.timezone.utc), 13)
    """
    match = TIME.fullmatch(text.strip())
    if not match:
        raise ValueError("no time")
    moment = datetime.fromisoformat(match["moment"] + (match["offset"] or ""))
    if moment.tzinfo:
        return moment.astimezone(UTC)
    if match["zone"].upper() not in UTC_NAMES:
        raise UnknownZone(moment.replace(tzinfo=UTC))
    return moment.replace(tzinfo=UTC)


def read_small(place: Path) -> str:
    """Return the text of one of nbgrader's own small files; empty if there is none."""
    try:
        with open_plain(place) as file:
            return file.read(SMALL).decode(errors="replace")
    except (Broken, OSError):
        return ""


def is_course(place: Path) -> bool:
    return is_folder(place / "inbound") or is_folder(place / "outbound")


def is_folder(place: Path) -> bool:
    return os.path.isdir(place) and not os.path.islink(place)


def is_file(place: Path) -> bool:
    return os.path.isfile(place) and not os.path.islink(place)
