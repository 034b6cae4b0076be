"""An installation of ngshare 0.5 or 0.6 as a source: its database (one schema for both) and its folder of files.

Source of the facts: databases that ngshare made (tests/exchange/importers/make_ngshare_database.py). The name of a
user is the key; the association tables keep keys as text; times are UTC without saying so; the name of a file in the
storage folder is `files.actual_name`, its checksum an MD5.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from courses.models import Role
from courses.services import RosterEntry
from exchange.importers.places import Place
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

try:
    import sqlalchemy
except ImportError:  # SQLite files are read without it
    sqlalchemy = None  # type: ignore[assignment]

DatabaseRow = Mapping[str, Any]

COUNT = "SELECT (SELECT COUNT(*) FROM assignments) + (SELECT COUNT(*) FROM submissions) AS number"
COURSES = "SELECT _id, id FROM courses ORDER BY _id"
MEMBERS = """
    SELECT left_id AS username, first_name, last_name, email FROM {role}_assoc_table
    WHERE right_id = :course ORDER BY left_id
"""
ASSIGNMENTS = "SELECT _id, id, due FROM assignments WHERE course_id = :course ORDER BY _id"
ASSIGNMENT_FILES = """
    SELECT files.filename, files.checksum, files.actual_name FROM assignment_files_assoc_table AS link
    JOIN files ON files._id = link.right_id WHERE link.left_id = :assignment ORDER BY files._id
"""
SUBMISSIONS = """
    SELECT _id, student_id, timestamp FROM submissions WHERE assignment_id = :assignment ORDER BY timestamp, _id
"""
SUBMISSION_FILES = """
    SELECT submissions._id, files.filename, files.checksum, files.actual_name FROM submissions
    JOIN {kind}_files_assoc_table AS link ON link.left_id = CAST(submissions._id AS VARCHAR)
    JOIN files ON files._id = link.right_id
    WHERE submissions.assignment_id = :assignment ORDER BY submissions._id, files._id
"""


class Database(Protocol):
    def rows(self, query: str, **parameters: object) -> Iterable[DatabaseRow]:
        """Return the rows of a query. Errors: CannotRead."""


class SQLiteFile:
    """An SQLite file, opened read-only: the old service may still run on it."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise CannotRead(f"there is no database {path}")
        self._connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")

    def rows(self, query: str, **parameters: object) -> Iterable[DatabaseRow]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise CannotRead(f"this cannot be read as ngshare's database: {error}") from error


class AnyDatabase:
    """Whatever SQLAlchemy speaks to."""

    def __init__(self, url: str) -> None:
        if sqlalchemy is None:
            raise CannotRead(
                "for another database than SQLite install SQLAlchemy: pip install 'ngshare-service[takeover]'"
            )
        # The driver that comes with this service; SQLAlchemy 2.1 would look for another.
        url = re.sub("^postgres(ql)?://", "postgresql+psycopg2://", url)
        try:
            self._connection = sqlalchemy.create_engine(url).connect()
        except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
            raise CannotRead(f"this database cannot be opened: {error}") from error

    def rows(self, query: str, **parameters: object) -> Iterable[DatabaseRow]:
        try:
            return [dict(row) for row in self._connection.execute(sqlalchemy.text(query), parameters).mappings()]
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise CannotRead(f"this cannot be read as ngshare's database: {error}") from error


def database(name: str) -> Database:
    """Return the database at a path, or at any URL of SQLAlchemy. Errors: CannotRead."""
    if "://" not in name:
        return SQLiteFile(Path(name))
    if name.startswith("sqlite:///"):
        return SQLiteFile(Path(name.removeprefix("sqlite:///")))
    return AnyDatabase(name)


class Ngshare:
    """The source: a database and a folder of files."""

    def __init__(self, database: Database, storage: Path, report: ImportReport) -> None:
        """Errors: CannotRead."""
        if not storage.is_dir():
            raise CannotRead(f"there is no folder {storage}")
        self._database, self._storage, self._report = database, storage, report

    def count(self) -> int:
        (row,) = self._database.rows(COUNT)
        return int(row["number"])

    def courses(self) -> Iterator[SourceCourse]:
        for row in self._database.rows(COURSES):
            if row["id"] is None:
                self._report.leave_out(Kind.COURSE, f"the course with the key {row['_id']} has no name")
                continue
            name = str(row["id"])
            yield SourceCourse(name, self._members(name), self._assignments(row))

    def _members(self, course: str) -> list[RosterEntry]:
        members: dict[str, RosterEntry] = {}
        for role in (Role.INSTRUCTOR, Role.STUDENT):
            for row in self._database.rows(MEMBERS.format(role=role.value), course=course):
                if row["username"] in members:
                    self._report.note(
                        "is instructor and student there; becomes instructor here", course, row["username"]
                    )
                    continue
                names = {field: row[field] for field in ("first_name", "last_name", "email")}
                members[row["username"]] = RosterEntry(row["username"], role, **names)
        return list(members.values())

    def _assignments(self, course: DatabaseRow) -> Iterator[SourceAssignment]:
        seen: set[str] = set()
        in_course = str(course["id"])
        for row in self._database.rows(ASSIGNMENTS, course=course["_id"]):
            key, name, release = row["_id"], row["id"], None
            if name is None:
                message = f"the assignment with the key {key} has no name"
                self._report.leave_out(Kind.ASSIGNMENT, message, in_course)
                continue
            if name in seen:
                message = "the name comes twice; the submissions to both are imported"
                self._report.leave_out(Kind.RELEASE, message, in_course, name)
            else:
                release = self._files(self._database.rows(ASSIGNMENT_FILES, assignment=str(key)))
            seen.add(name)
            submissions = self._submissions(key, in_course, name)
            yield SourceAssignment(name, release, submissions, due=_instant(row["due"]))

    def _submissions(self, assignment: int, *where: str) -> Iterator[SourceSubmission]:
        files, feedback = (self._files_by_submission(kind, assignment) for kind in ("submission", "feedback"))
        instants = Instants()
        for row in self._database.rows(SUBMISSIONS, assignment=assignment):
            student, created = row["student_id"], _instant(row["timestamp"])
            if student is None or created is None or created.year == LAST_YEAR:
                message = f"the submission with the key {row['_id']} has no student or no possible time"
                self._report.leave_out(Kind.SUBMISSION, message, *where)
                continue
            created = instants.claim(student, created)
            yield SourceSubmission(student, created, files.get(row["_id"], []), feedback.get(row["_id"], []))

    def _files_by_submission(self, kind: str, assignment: int) -> dict[int, list[SourceFile]]:
        rows = self._database.rows(SUBMISSION_FILES.format(kind=kind), assignment=assignment)
        return {key: self._files(group) for key, group in groupby(rows, key=lambda row: row["_id"])}

    def _files(self, rows: Iterable[DatabaseRow]) -> list[SourceFile]:
        return [SourceFile(row["filename"] or "", self._place(row["actual_name"]), row["checksum"]) for row in rows]

    def _place(self, name: str | None) -> Place | None:
        """Return the place of a file directly in the storage folder; None for a name that leads elsewhere."""
        is_plain = bool(name) and Path(str(name)).name == name and name != ".." and "\0" not in str(name)
        return Place(self._storage, (str(name),)) if is_plain else None


def _instant(value: str | datetime | None) -> datetime | None:
    """Return the time in a column of ngshare; None where there is none, or no valid one."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return to_utc(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    except ValueError:
        return None
