"""nbgrader's exchange directory as a source: `<root>/<course>/{outbound,inbound,feedback}`.

Source of the facts: nbgrader's exchange/default (submit.py, list.py, release_feedback.py). A submission is a folder
`<user>+<assignment>+<time>`, usually with a random part after another `+`. Feedback is `<hash>.html`; the hash is made
from a secret in the submission, or, by older versions, from the notebook itself. Nothing names the instructors.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from django.conf import settings

from courses.models import Role
from courses.services import RosterEntry
from exchange.importers.places import (
    Broken,
    Place,
    is_file,
    is_folder,
    mode_of,
    open_folder,
    open_plain,
    owner_of,
    read_small,
)
from exchange.importers.report import ImportReport, Kind
from exchange.importers.sources import (
    LAST_YEAR,
    CannotRead,
    Instants,
    SourceAssignment,
    SourceCourse,
    SourceFile,
    SourceSubmission,
    to_utc,
)
from exchange.paths import MAX_PARTS

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

    place: Place
    student: str
    assignment: str
    time: str  # as in the name of the folder
    created: datetime


@dataclass
class CourseFolder:
    """What the folder of one course contains: the submissions by assignment, each by time; none of some assignments."""

    place: Place
    assignments: dict[str, list[InboundFolder]]

    @property
    def name(self) -> str:
        return self.place.name


class ExchangeDirectory:
    """The source. `only` names the courses to import, all if it is empty; `instructors` get that role in each."""

    def __init__(
        self, root: Path, report: ImportReport, *, only: list[str], instructors: list[str], check_owner: bool = True
    ) -> None:
        """Errors: CannotRead."""
        self._report, self._instructors, self._check_owner = report, instructors, check_owner
        if not is_folder(Place(root)):
            raise CannotRead(f"there is no folder {root}")
        places = {place.name: place for place in self._entries(Place(root)) if is_course(place)}
        if absent := sorted(set(only) - set(places)):
            raise CannotRead(f"{root} has no course {', '.join(absent)}")
        if not places:
            raise CannotRead(f"{root} is no exchange directory: no folder in it has an inbound or outbound folder")
        self._courses = [self._course(place) for name, place in places.items() if not only or name in only]

    def count(self) -> int:
        return sum(1 + len(submissions) for course in self._courses for submissions in course.assignments.values())

    def courses(self) -> Iterator[SourceCourse]:
        for course in self._courses:
            staff = [RosterEntry(instructor, Role.INSTRUCTOR) for instructor in self._instructors]
            submissions = chain.from_iterable(course.assignments.values())
            students = sorted({submission.student for submission in submissions} - set(self._instructors))
            members = [*staff, *(RosterEntry(student, Role.STUDENT) for student in students)]
            if not staff:
                message = "the folder does not say who teaches it; add an instructor, or give --instructor"
                self._report.note(message, course.name)
            yield SourceCourse(course.name, members, self._assignments(course))

    def _course(self, place: Place) -> CourseFolder:
        assignments: dict[str, list[InboundFolder]] = {
            folder.name: [] for folder in self._entries(place / "outbound") if is_folder(folder)
        }
        for submission in self._inbound(place):
            assignments.setdefault(submission.assignment, []).append(submission)
        return CourseFolder(place, dict(sorted(assignments.items())))

    def _assignments(self, course: CourseFolder) -> Iterator[SourceAssignment]:
        for name, submissions in course.assignments.items():
            released = course.place / "outbound" / name
            release = self._files(released, course.name, name) if is_folder(released) else None
            yield SourceAssignment(name, release, self._submissions(course, submissions))

    def _inbound(self, course: Place) -> list[InboundFolder]:
        """Return the submissions by time."""
        found: list[InboundFolder] = []
        instants = Instants()
        for place in self._entries(course / "inbound"):
            match = INBOUND.fullmatch(place.name)
            if not match or not is_folder(place):
                where = (course.name, "inbound", place.name)
                self._report.leave_out(Kind.SUBMISSION, "this is no submission of nbgrader's", *where)
                continue
            created = self._created(place, match["time"], course.name)
            if created is None:
                continue
            student, assignment = match["student"], match["assignment"]
            created = instants.claim((student, assignment), created)
            found.append(InboundFolder(place, student, assignment, match["time"], created))
        return sorted(found, key=lambda folder: (folder.created, folder.place.name))

    def _created(self, place: Place, time_in_name: str, course: str) -> datetime | None:
        text = read_small(place / TIME_FILE, SMALL).strip() or time_in_name
        try:
            return parse_time(text)
        except UnknownZone as error:
            self._report.note(f"the zone of {text!r} is not known; read as UTC, as nbgrader does", course, place.name)
            return error.as_utc
        except ValueError:
            self._report.leave_out(Kind.SUBMISSION, f"{text[:80]!r} is no time", course, "inbound", place.name)
            return None

    def _submissions(self, course: CourseFolder, folders: list[InboundFolder]) -> Iterator[SourceSubmission]:
        for folder in folders:
            if self._check_owner:
                self._note_other_owner(folder, course.name)
            files = self._files(folder.place, course.name, folder.place.name)
            kept = [file for file in files if file.path not in (TIME_FILE, SECRET_FILE)]
            yield SourceSubmission(folder.student, folder.created, kept, self._feedback(course, folder, kept))

    def _note_other_owner(self, folder: InboundFolder, course: str) -> None:
        """Note a folder that somebody else made than its name says (nbgrader/exchange/default/collect.py)."""
        try:
            owner = owner_of(folder.place)
        except OSError:
            return
        if owner != folder.student:
            message = f"claims to be submitted by {folder.student} but is owned by {owner}; cheating attempt?"
            self._report.note(f"{message} (--no-check-owner leaves this out)", course, "inbound", folder.place.name)

    def _feedback(
        self, course: CourseFolder, submission: InboundFolder, files: Iterable[SourceFile]
    ) -> list[SourceFile]:
        feedback = []
        for notebook in files:
            stem = notebook.path.removesuffix(".ipynb")
            if "/" in stem or stem == notebook.path or notebook.place is None:
                continue
            for name in feedback_names(course.name, submission, stem, notebook.place):
                place = course.place / "feedback" / name
                if is_file(place):
                    feedback.append(SourceFile(f"{stem}.html", place))
                    break
        return feedback

    def _files(self, folder: Place, *where: str) -> list[SourceFile]:
        """Return every plain file below the folder, sorted by path. Links are not followed but reported."""

        def report_error(error: OSError) -> None:
            self._report.leave_out(Kind.FILE, f"{error.filename} cannot be read: {error.strerror}", *where)

        files = []
        try:
            with open_folder(folder) as top:
                for parent, folders, names, descriptor in os.fwalk(".", onerror=report_error, dir_fd=top):
                    above = parent.split("/")[1:]
                    links = [name for name in folders if stat.S_ISLNK(mode_of(name, descriptor))]
                    if len(above) >= MAX_PARTS - 1 and len(folders) > len(links):
                        self._report.leave_out(Kind.FILE, "its folders are nested too deep", *where, *above[:1])
                        folders.clear()
                    for name in [*names, *links]:
                        if stat.S_ISREG(mode_of(name, descriptor)):
                            place = Place(folder.root, (*folder.parts, *above, name))
                            files.append(SourceFile("/".join([*above, name]), place))
                        else:
                            self._report.leave_out(Kind.FILE, "this is no plain file", *where, *above, name)
        except OSError as error:
            report_error(error)
        return sorted(files, key=lambda file: file.path)

    def _entries(self, folder: Place) -> list[Place]:
        """Return what the folder contains, sorted; nothing if there is none. What cannot be read is reported."""
        if not is_folder(folder):
            return []
        try:
            with open_folder(folder) as descriptor:
                return [folder / name for name in sorted(os.listdir(descriptor))]
        except OSError as error:
            self._report.problem(f"{folder} cannot be read: {error.strerror}")
            return []


def feedback_names(course: str, submission: InboundFolder, name: str, notebook: Place) -> Iterator[str]:
    """Yield the file names that the feedback on a notebook may have, the newest convention first."""
    if secret := read_small(submission.place / SECRET_FILE, SMALL):
        yield f"{hashlib.md5((secret + name).encode(), usedforsecurity=False).hexdigest()}.html"
        return
    try:
        with open_plain(notebook) as file:
            if os.fstat(file.fileno()).st_size > settings.NGSHARE_MAX_FILE_SIZE:
                return
            content = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))  # type: ignore[arg-type]
    except Broken:
        return
    plain = content.hexdigest()
    key = "+".join([course, submission.assignment, name, submission.student, submission.time])
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
    if moment.year == LAST_YEAR:
        raise ValueError("no time to submit anything")
    if moment.tzinfo:
        return to_utc(moment)
    if match["zone"].upper() not in UTC_NAMES:
        raise UnknownZone(moment.replace(tzinfo=UTC))
    return moment.replace(tzinfo=UTC)


def is_course(place: Place) -> bool:
    return is_folder(place / "inbound") or is_folder(place / "outbound")
