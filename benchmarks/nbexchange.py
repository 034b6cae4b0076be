"""The protocol of nbexchange (EDINA), as its plugin speaks it: its requests."""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.crowd import Visit
from benchmarks.http import Http, raw_request
from benchmarks.work import COURSE, INSTRUCTOR, FileSet

PREFIX = "/services/nbexchange/"
BOUNDARY = "b7a1c6f09e6b4d5f8f0c"
SUCCESS = b'"success": true'
NOT_OF_THE_STUDENT = "timestamp.txt"  # the plugin adds it to each submission

# Whoever runs nbexchange writes such a class. This one trusts the cookie: it asks nobody.
CONFIGURATION = """
from nbexchange.handlers.auth.user_handler import BaseUserHandler


class NamedByCookie(BaseUserHandler):
    def get_current_user(self, request):
        name = request.get_cookie("noteable_auth")
        role = "Instructor" if name == "{instructor}" else "Student"
        return name and dict(
            name=name, full_name=name, course_role=role, org_id=1, cust_id=1,
            course_id="{course}", course_title="{course}",
        )


c.NbExchange.user_plugin_class = NamedByCookie
c.NbExchange.ip = "127.0.0.1"
c.NbExchange.port = {port}
c.NbExchange.db_url = "{database}"
c.NbExchange.base_storage_location = "{files}"
c.NbExchange.log_level = 30  # warnings
"""


def configuration(port: int, database: str, files: Path) -> str:
    return CONFIGURATION.format(instructor=INSTRUCTOR, course=COURSE, port=port, database=database, files=files)


def address(name: str, **query: str) -> str:
    return f"{PREFIX}{name}?{urlencode({'course_id': COURSE, **query})}"


@dataclass
class NbExchange:
    http: Http

    def start_course(self) -> None:
        """The course is made when its instructor first comes."""
        self._get(INSTRUCTOR, address("assignments"))

    def add_students(self, names: Iterable[str]) -> None:
        """Everybody comes once: nbexchange has no roster, and adds whoever comes."""
        for name in names:
            self._get(name, address("assignments"))

    def release(self, assignment: str, files: FileSet) -> None:
        body = _form({"notebooks": "ps1"}, "assignment", "assignment.tar.gz", _archive(files))
        self._post(INSTRUCTOR, address("assignment", assignment_id=assignment), body)

    def submission(self, student: str, assignment: str, files: FileSet, unchanged: FileSet) -> Visit:
        """Every file, each time. (The plugin asks for the student's list before that; this is left out.)"""
        body = _form({}, "assignment", "assignment.tar.gz", _archive({**files, NOT_OF_THE_STUDENT: b"now"}))
        request = raw_request("POST", address("submission", assignment_id=assignment), _form_headers(student), body)
        return Visit(self.http.netloc, [request], proof=SUCCESS)

    def list_of(self, student: str) -> Visit:
        request = raw_request("GET", address("assignments"), _cookie(student))
        return Visit(self.http.netloc, [request], proof=SUCCESS)

    def submit_file(self, student: str, assignment: str, file: Path) -> Callable[[], object]:
        body = _form({}, "assignment", "assignment.tar.gz", _archive({"large.bin": file.read_bytes()}))
        return partial(self._post, student, address("submission", assignment_id=assignment), body)

    def list_submissions(self, assignment: str) -> int:
        return len(self._submissions(assignment))

    def collect(self, assignment: str) -> dict[str, FileSet]:
        """A request for each submission. (The plugin fetches earlier attempts as well; this is left out.)"""
        latest = {
            row["student_id"]: row for row in sorted(self._submissions(assignment), key=lambda row: row["timestamp"])
        }
        return {student: self._download(assignment, row["path"]) for student, row in latest.items()}

    def _download(self, assignment: str, path: str) -> FileSet:
        where = address("collection", assignment_id=assignment, path=path)
        content = self.http("GET", where, headers=_cookie(INSTRUCTOR))
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = {found.name: archive.extractfile(found).read() for found in archive}  # type: ignore[union-attr]
        return {name: files[name] for name in files if name != NOT_OF_THE_STUDENT}

    def give_feedback(self, assignment: str, page: bytes) -> int:
        """A request for each notebook."""
        found = self._submissions(assignment)
        body = _form({}, "feedback", "feedback.html", page)
        for row in found:
            fields = {"student": row["student_id"], "timestamp": row["timestamp"], "checksum": "0" * 32}
            self._post(INSTRUCTOR, address("feedback", assignment_id=assignment, notebook="ps1", **fields), body)
        return len(found)

    def _submissions(self, assignment: str) -> list[Any]:
        rows: list[Any] = self._get(INSTRUCTOR, address("collections", assignment_id=assignment))["value"]
        return rows

    def _get(self, user: str, path: str) -> Any:
        return _succeeded(self.http("GET", path, headers=_cookie(user)))

    def _post(self, user: str, path: str, body: bytes) -> Any:
        return _succeeded(self.http("POST", path, body, _form_headers(user)))


def _succeeded(answer: bytes) -> Any:
    """Return the JSON of an answer; nbexchange answers failures with 200 as well."""
    parsed = json.loads(answer)
    if not parsed["success"]:
        raise RuntimeError(parsed["note"])
    return parsed


def _cookie(user: str) -> dict[str, str]:
    return {"Cookie": f"noteable_auth={user}"}


def _form_headers(user: str) -> dict[str, str]:
    return {**_cookie(user), "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def _form(fields: dict[str, str], file_field: str, file_name: str, content: bytes) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="{file_field}"; filename="{file_name}"'
    parts.append(f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n")
    return "".join(parts).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _archive(files: FileSet) -> bytes:
    """Return a .tar.gz, compressed as fast as possible: what compressing costs the student is not measured."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
