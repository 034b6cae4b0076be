"""The protocol of ngshare 0.6, as its published plugin (ngshare_exchange 0.5.3) speaks it: its requests."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.crowd import Visit
from benchmarks.http import Http, raw_request
from benchmarks.work import ADMINISTRATOR, COURSE, INSTRUCTOR, FileSet

SPECIAL = '%&+=/?#;:,"\\[]{} '
SUCCESS = b'"success": true'


def address(*parts: str) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


@dataclass
class ApiV1:
    http: Http

    def start_course(self) -> None:
        self._post(ADMINISTRATOR, address("course", COURSE), instructors=json.dumps([INSTRUCTOR]))

    def add_students(self, names: Iterable[str]) -> None:
        rows = [{"username": name, "first_name": "First", "last_name": name, "email": ""} for name in names]
        answer = self._post(INSTRUCTOR, address("students", COURSE), students=json.dumps(rows))
        if not all(row["success"] for row in answer["status"]):
            raise RuntimeError("not all were added")

    def release(self, assignment: str, files: FileSet) -> None:
        self._post(INSTRUCTOR, address("assignment", COURSE, assignment), files=_files(files))

    def submission(self, student: str, assignment: str, files: FileSet, unchanged: FileSet) -> Visit:
        """Every file, each time. (The plugin asks for the release's files before that; this is left out.)"""
        path = address("submission", COURSE, assignment)
        return Visit(self.http.netloc, [raw_request("POST", path, *_form(student, files=_files(files)))], proof=SUCCESS)

    def list_of(self, student: str) -> Visit:
        """Courses, each course's assignments, each assignment's files."""
        paths = [address("courses")]
        for course in self._get(student, paths[0])["courses"]:
            paths.append(address("assignments", course))
            for assignment in self._get(student, paths[-1])["assignments"]:
                paths.append(f"{address('assignment', course, assignment)}?list_only=true")
        headers = {"Authorization": f"token {student}"}
        return Visit(self.http.netloc, [raw_request("GET", path, headers) for path in paths], proof=SUCCESS)

    def submit_file(self, student: str, assignment: str, file: Path) -> Callable[[], object]:
        headers, body = _form(student, files=_files({"large.bin": file.read_bytes()}))
        return partial(self.http, "POST", address("submission", COURSE, assignment), body, headers)

    def list_submissions(self, assignment: str) -> int:
        """The submissions, each one's files, each one's feedback."""
        found = self._get(INSTRUCTOR, address("submissions", COURSE, assignment))["submissions"]
        for submission in found:
            where = {"list_only": "true", "timestamp": submission["timestamp"]}
            self._get(INSTRUCTOR, address("submission", COURSE, assignment, submission["student_id"]), **where)
            self._get(INSTRUCTOR, address("feedback", COURSE, assignment, submission["student_id"]), **where)
        return len(found)

    def collect(self, assignment: str) -> dict[str, FileSet]:
        found = self._get(INSTRUCTOR, address("submissions", COURSE, assignment))["submissions"]
        latest = {row["student_id"]: row["timestamp"] for row in sorted(found, key=lambda row: row["timestamp"])}
        trees = {}
        for student, timestamp in latest.items():
            where = address("submission", COURSE, assignment, student)
            files = self._get(INSTRUCTOR, where, timestamp=timestamp)["files"]
            trees[student] = {file["path"]: base64.b64decode(file["content"]) for file in files}
        return trees

    def give_feedback(self, assignment: str, page: bytes) -> int:
        """A request for each student."""
        found = self._get(INSTRUCTOR, address("submissions", COURSE, assignment))["submissions"]
        files = _files({"ps1.html": page})
        for row in found:
            path = address("feedback", COURSE, assignment, row["student_id"])
            self._post(INSTRUCTOR, path, timestamp=row["timestamp"], files=files)
        return len(found)

    def _get(self, user: str, path: str, **query: str) -> Any:
        headers = {"Authorization": f"token {user}"}
        return json.loads(self.http("GET", f"{path}?{urlencode(query)}", headers=headers))

    def _post(self, user: str, path: str, **fields: str) -> Any:
        headers, body = _form(user, **fields)
        return json.loads(self.http("POST", path, body, headers))


def _form(user: str, **fields: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body."""
    headers = {"Authorization": f"token {user}", "Content-Type": "application/x-www-form-urlencoded"}
    return headers, "&".join(f"{name}={_quoted(text)}" for name, text in {"user": user, **fields}.items()).encode()


def _quoted(text: str) -> str:
    """Return ASCII text percent-encoded. urllib takes a tenth of a second for a data file, and there are hundreds."""
    for character in SPECIAL:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _files(files: FileSet) -> str:
    return json.dumps(
        [
            {
                "path": path,
                "content": base64.b64encode(content).decode(),
                "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            }
            for path, content in files.items()
        ]
    )
