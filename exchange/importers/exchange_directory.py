"""nbgrader's exchange directory as a source: `<root>/<course>/{outbound,inbound,feedback}`.

Source of the facts: nbgrader's exchange/default (submit.py, list.py, release_feedback.py). A hand-in is a folder
`<user>+<assignment>+<time>` with, as a rule, a random part behind another `+`; feedback is `<hash>.html`, its hash made
of a secret that lies in the hand-in, or, by older versions, of the notebook itself. The folder names no instructors.
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
MOST = 4096  # bytes that are read of nbgrader's own small files
UTC_NAMES = ("", "UTC", "GMT", "Z")


@dataclass(frozen=True)
class InboundFolder:
    """One folder of `inbound`."""

    place: Path
    student: str
    assignment: str
    time: str  # as its name has it
    created: datetime


@dataclass
class CourseFolder:
    """What lies in the folder of one course: the names of the assignments, and the hand-ins by time."""

    place: Path
    assignments: list[str]
    hand_ins: list[InboundFolder]

    @property
    def name(self) -> str:
        return self.place.name


class ExchangeDirectory:
    """`only` names the courses to take; all of them where it is empty. `instructors` are made such in each."""

    def __init__(self, root: Path, report: ImportReport, *, only: list[str], instructors: list[str]) -> None:
        """Errors: CannotRead."""
        self._report, self._instructors = report, instructors
        if not is_folder(root):
            raise CannotRead(f"there is no folder {root}")
        places = {place.name: place for place in self._listed(root) if is_course(place)}
        if absent := sorted(set(only) - set(places)):
            raise CannotRead(f"{root} has no course {', '.join(absent)}")
        if not places:
            raise CannotRead(f"{root} is no exchange directory: no folder in it has an inbound or outbound folder")
        self._courses = [self._course(place) for name, place in places.items() if not only or name in only]

    def count(self) -> int:
        return sum(len(course.assignments) + len(course.hand_ins) for course in self._courses)

    def courses(self) -> Iterator[SourceCourse]:
        for course in self._courses:
            staff = [RosterEntry(instructor, Role.INSTRUCTOR) for instructor in self._instructors]
            students = sorted({one.student for one in course.hand_ins} - set(self._instructors))
            members = [*staff, *(RosterEntry(student, Role.STUDENT) for student in students)]
            if not staff:
                message = "the folder does not say who teaches it; add an instructor, or give --instructor"
                self._report.note(message, course.name)
            yield SourceCourse(course.name, members, self._assignments(course))

    def _course(self, place: Path) -> CourseFolder:
        hand_ins = self._hand_ins(place)
        released = {folder.name for folder in self._listed(place / "outbound") if is_folder(folder)}
        return CourseFolder(place, sorted(released | {one.assignment for one in hand_ins}), hand_ins)

    def _assignments(self, course: CourseFolder) -> Iterator[SourceAssignment]:
        for name in course.assignments:
            released = course.place / "outbound" / name
            release = self._tree(released, course.name, name) if is_folder(released) else None
            submissions = (one for one in course.hand_ins if one.assignment == name)
            yield SourceAssignment(name, release, self._submissions(course, submissions))

    def _hand_ins(self, course: Path) -> list[InboundFolder]:
        """Two of one student at one instant come after each other, in every run the same."""
        found: list[InboundFolder] = []
        taken: set[tuple[str, str, datetime]] = set()
        for place in self._listed(course / "inbound"):
            named = INBOUND.fullmatch(place.name)
            if not named or not is_folder(place):
                where = (course.name, "inbound", place.name)
                self._report.left_out(Kind.SUBMISSION, "this is no hand-in of nbgrader's", *where)
                continue
            created = self._created(place, named["time"], course.name)
            if created is None:
                continue
            while (named["student"], named["assignment"], created) in taken:
                created += timedelta(microseconds=1)
            taken.add((named["student"], named["assignment"], created))
            found.append(InboundFolder(place, named["student"], named["assignment"], named["time"], created))
        return sorted(found, key=lambda one: (one.created, one.place.name))

    def _created(self, place: Path, named: str, course: str) -> datetime | None:
        told = small(place / TIME_FILE).strip() or named
        try:
            return instant(told)
        except UnknownZone as error:
            self._report.note(f"the zone of {told!r} is not known; read as UTC, as nbgrader does", course, place.name)
            return error.as_utc
        except ValueError:
            self._report.left_out(Kind.SUBMISSION, f"{told[:80]!r} is no time", course, "inbound", place.name)
            return None

    def _submissions(self, course: CourseFolder, hand_ins: Iterator[InboundFolder]) -> Iterator[SourceSubmission]:
        for one in hand_ins:
            files = self._tree(one.place, course.name, one.place.name)
            kept = [file for file in files if file.path not in (TIME_FILE, SECRET_FILE)]
            yield SourceSubmission(one.student, one.created, kept, self._feedback(course, one))

    def _feedback(self, course: CourseFolder, hand_in: InboundFolder) -> list[SourceFile]:
        given = []
        for notebook in sorted(hand_in.place.glob("*.ipynb")):
            for name in feedback_names(course.name, hand_in, notebook):
                place = course.place / "feedback" / name
                if is_file(place):
                    given.append(SourceFile(f"{notebook.stem}.html", place))
                    break
        return given

    def _tree(self, folder: Path, *where: str) -> list[SourceFile]:
        """Every plain file below the folder, sorted by path. Links are not followed but reported."""

        def tell(error: OSError) -> None:
            self._report.left_out(Kind.FILE, f"{error.filename} cannot be read: {error.strerror}", *where)

        files = []
        for parent, folders, names in os.walk(folder, onerror=tell):
            links = [name for name in folders if (Path(parent) / name).is_symlink()]
            for name in [*names, *links]:
                place = Path(parent) / name
                path = place.relative_to(folder).as_posix()
                if is_file(place):
                    files.append(SourceFile(path, place))
                else:
                    self._report.left_out(Kind.FILE, "this is no plain file", *where, path)
        return sorted(files, key=lambda file: file.path)

    def _listed(self, folder: Path) -> list[Path]:
        """What is in the folder, sorted; nothing where there is none, or it cannot be read, which is reported."""
        try:
            return sorted(folder.iterdir()) if is_folder(folder) else []
        except OSError as error:
            self._report.problem(f"{folder} cannot be read: {error.strerror}")
            return []


def feedback_names(course: str, hand_in: InboundFolder, notebook: Path) -> Iterator[str]:
    """What the feedback on a notebook may be called, the newest way of naming it first."""
    if secret := small(hand_in.place / SECRET_FILE):
        yield f"{hashlib.md5((secret + notebook.stem).encode(), usedforsecurity=False).hexdigest()}.html"
        return
    try:
        with open_plain(notebook) as file:
            content = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))  # type: ignore[arg-type]
    except Broken:
        return
    plain = content.hexdigest()
    key = "+".join([course, hand_in.assignment, notebook.stem, hand_in.student, hand_in.time])
    content.update(key.encode())
    yield f"{content.hexdigest()}.html"
    yield f"{plain}.html"


class UnknownZone(ValueError):
    def __init__(self, as_utc: datetime) -> None:
        super().__init__("unknown zone")
        self.as_utc = as_utc


def instant(told: str) -> datetime:
    """What timestamp.txt says. Errors: UnknownZone, ValueError.

    >>> instant("2026-11-24 14:33:56.000120 UTC"), instant("2026-11-24 14:33:56 +0100").hour
    (datetime.datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=datetime.timezone.utc), 13)
    """
    match = TIME.fullmatch(told.strip())
    if not match:
        raise ValueError("no time")
    moment = datetime.fromisoformat(match["moment"] + (match["offset"] or ""))
    if moment.tzinfo:
        return moment.astimezone(UTC)
    if match["zone"].upper() not in UTC_NAMES:
        raise UnknownZone(moment.replace(tzinfo=UTC))
    return moment.replace(tzinfo=UTC)


def small(place: Path) -> str:
    """What one of nbgrader's own small files says; empty text where there is none."""
    try:
        with open_plain(place) as file:
            return file.read(MOST).decode(errors="replace")
    except (Broken, OSError):
        return ""


def is_course(place: Path) -> bool:
    return is_folder(place / "inbound") or is_folder(place / "outbound")


def is_folder(place: Path) -> bool:
    return os.path.isdir(place) and not os.path.islink(place)


def is_file(place: Path) -> bool:
    return os.path.isfile(place) and not os.path.islink(place)
