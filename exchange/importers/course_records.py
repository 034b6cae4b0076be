"""The zip of `export_course`, read with suspicion: it may come from anywhere.

Whatever is not what it should be raises BadArchive. A name in the zip is only ever looked up there, never used as a
path.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from courses import services as course_services
from courses.errors import Invalid
from courses.models import Course
from courses.services import RosterEntry
from exchange import services, short_codes
from exchange.course_archive import FORMAT, RECORDS
from exchange.models import Assignment
from exchange.services import Grant
from exchange.storage import blobs, manifests, zip_files
from exchange.storage.manifests import ManifestEntry

MAX_LINE = 2**25  # bytes of one record: 10,000 files with long paths
MEMBER_FIELDS = ("username", "role", "first_name", "last_name", "email", "section")
Record = dict[str, Any]
UNREADABLE = (*zip_files.UNREADABLE, KeyError)  # KeyError of a name that is not in the zip


class BadArchive(Invalid):
    """The zip is not one of `export_course`, or it was changed or damaged."""


@dataclass
class Files:
    """The files of one record, verified: the manifest, and where the bytes are in the zip, None where they are lost."""

    manifest: list[ManifestEntry]
    members: dict[str, str | None]  # by hash


class CourseArchive:
    """An open zip. Reading any part of it raises BadArchive where that is not what it should be."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise BadArchive("The zip has the same name twice.")
        if RECORDS not in names:
            raise BadArchive(f"The zip has no {RECORDS}: it was not made by export_course.")
        self._verified: dict[str, tuple[str, int]] = {}  # hash and size by name

    def records(self, *kinds: str) -> Iterator[Record]:
        """Yield the records of these kinds, in their order."""
        with _readable("its records"), self._zip.open(RECORDS) as file:
            while line := file.readline(MAX_LINE):
                record = _parse(line)
                if record["kind"] in kinds:
                    yield record

    def course(self) -> Record:
        first = next(self.records("course"), None)
        if first is None or first.get("format") != FORMAT:
            raise BadArchive("The zip is of another version of ngshare, in a format unknown to this one.")
        return first

    def files(self, record: Record) -> Files:
        """Return the files of a record, after checking the manifest and its digest."""
        rows = get(record, "files", list)
        if not all(isinstance(row, dict) for row in rows):
            raise BadArchive("A file of a record is no object.")
        manifest = [
            ManifestEntry(get(row, "path", str), get(row, "sha256", str), get(row, "size", int)) for row in rows
        ]
        manifests.check_manifest(manifest)
        if manifests.digest(manifest) != record.get("digest"):
            raise BadArchive(f"The files of a {record['kind']} do not have the digest that it states.")
        members = {get(row, "sha256", str): get(row, "file", str, is_optional=True) for row in rows}
        return Files(manifest, members)

    def verify(self, files: Files) -> None:
        """Read the bytes of the files that were not read before, and compare them with the manifest."""
        with blobs.staging() as folder:
            for entry in files.manifest:
                name = files.members[entry.sha256]
                if name is None or self._verified.get(name) == (entry.sha256, entry.size):
                    continue
                with self.open(name, entry.size) as stream:
                    blobs.stage(stream, folder, sha256=entry.sha256, size=entry.size).path.unlink()
                self._verified[name] = (entry.sha256, entry.size)

    @contextmanager
    def open(self, name: str, size: int) -> Iterator[blobs.Readable]:
        """Open a file of the zip, which must say that it has this size. No more than that is ever read."""
        with _readable(name):
            if self._zip.getinfo(name).file_size != size:
                raise BadArchive(f"{name[:200]!r} in the zip is not of the size that is recorded.")
            with self._zip.open(name) as stream:
                yield stream


@contextmanager
def _readable(what: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise BadArchive(f"The zip is damaged: {what[:200]!r} cannot be read ({error}).") from error


def _parse(line: bytes) -> Record:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadArchive("A record in the zip is no JSON.") from error
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise BadArchive("A record in the zip has no kind.")
    return record


def get(record: Record, name: str, kind: type, *, is_optional: bool = False) -> Any:
    value = record.get(name)
    if (value is None and is_optional) or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise BadArchive(f"A record in the zip has no right {name}.")


def get_time(record: Record, name: str, *, is_optional: bool = False) -> Any:
    text = get(record, name, str, is_optional=is_optional)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise BadArchive(f"{text[:80]!r} in the zip is a time without a zone.")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadArchive(f"{text[:80]!r} in the zip is no time.") from error


def roster_entry(record: Record) -> RosterEntry:
    """Return the roster entry of a member's record. Errors: BadArchive, Invalid."""
    fields = {name: get(record, name, str, is_optional=name not in ("username", "role")) for name in MEMBER_FIELDS}
    entry = RosterEntry(**fields)
    course_services.check_name(entry.username)
    course_services.check_role(fields["role"])
    course_services.check_names(entry)
    return entry


class SubmissionRecord:
    """What an import takes from the record of a submission. Errors: BadArchive, Invalid.

    Archives of earlier versions have most of it in the receipt alone. A receipt may name somebody as they were called.
    """

    def __init__(self, record: Record) -> None:
        self.receipt: Record = get(record, "receipt", dict)
        facts = record if "id" in record else self.receipt
        self.id: int = get(facts, "id", int)
        self.assignment: str = get(facts, "assignment", str)
        self.student: str = course_services.check_name(get(facts, "student", str))
        self.submitted_by: str | None = get_person(facts, "submitted_by")
        self.release: int | None = get(facts, "release", int, is_optional=True)
        self.is_trial: bool = get(facts, "trial", bool)
        self.has_due: bool = "due" in record
        self.due: datetime | None = get_time(record, "due", is_optional=True)
        self.code: str | None = short_codes.parse(get(record, "code", str, is_optional=True) or "")
        if any(
            self.receipt.get(name) != record.get(of) for name, of in (("timestamp", "created"), ("digest", "digest"))
        ):
            raise BadArchive("A submission in the zip does not fit its receipt.")
        for time in ("due", "collected_at", "withdrawn_at"):
            get_time(record, time, is_optional=True)
        key = get(record, "idempotency_key", str, is_optional=True) or ""
        if len(key) > 200 or not key.isprintable() or not 0 <= get(record, "own_bytes", int) < 2**63:
            raise BadArchive("A submission in the zip has a value out of range.")


def get_person(record: Record, name: str) -> str | None:
    """Return a user name, or None. Errors: BadArchive, Invalid."""
    username: str | None = get(record, name, str, is_optional=True)
    return username if username is None else course_services.check_name(username)


def assignment_values(record: Record) -> dict[str, Any]:
    """Return the deadlines of an assignment and its other times. Errors: BadArchive, Invalid."""
    names = ("release_at", "due", "cut_off", "withdrawn_at")
    values = {name: get_time(record, name, is_optional=True) for name in names}
    values["max_attempts"] = get(record, "max_attempts", int, is_optional=True)
    services.check_deadlines(Assignment(course=Course(), **values))
    return {**values, "created": get_time(record, "created")}


def extension_values(record: Record) -> dict[str, Any]:
    """Return an extension without the people that it names. Errors: BadArchive, Invalid."""
    values = {name: get_time(record, name, is_optional=True) for name in ("due", "cut_off")}
    values |= {"attempts": get(record, "attempts", int), "reason": get(record, "reason", str)}
    user, section = get_person(record, "user"), get(record, "section", str, is_optional=True)
    services.check_grant(Grant(student=user, section=section, **values))
    get_person(record, "granted_by")
    return {**values, "section": section, "created": get_time(record, "created")}


def course_rules(header: Record) -> dict[str, Any]:
    """Return the rules about deadlines; an older archive has none. Errors: BadArchive, Invalid."""
    rules = get(header, "rules", dict, is_optional=True) or {}
    values = {name: get(rules, name, int, is_optional=True) for name in ("late_days", "min_days")}
    found = {"timezone": get(rules, "timezone", str, is_optional=True) or "", **values}
    course_services.check_rules(found)
    return found
