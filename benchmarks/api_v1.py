"""The protocol of ngshare 0.6, as its published plugin (ngshare_exchange 0.5.3) speaks it: its requests."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.client import Submit
from benchmarks.http import Http
from benchmarks.work import ADMINISTRATOR, COURSE, INSTRUCTOR, FileSet

FORM = "application/x-www-form-urlencoded"


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

    def submit(self, student: str, assignment: str, files: FileSet) -> Submit:
        body = urlencode({"user": student, "files": _files(files)}).encode()
        return partial(self._send, student, address("submission", COURSE, assignment), body)

    def submit_file(self, student: str, assignment: str, file: Path) -> Submit:
        return self.submit(student, assignment, {"large.bin": file.read_bytes()})

    def list_released(self, student: str) -> int:
        """Courses, each course's assignments, each assignment's files."""
        count = 0
        for course in self._get(student, address("courses"))["courses"]:
            for assignment in self._get(student, address("assignments", course))["assignments"]:
                self._get(student, address("assignment", course, assignment), list_only="true")
                count += 1
        return count

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

    def _get(self, user: str, path: str, **query: str) -> Any:
        headers = {"Authorization": f"token {user}"}
        return json.loads(self.http("GET", f"{path}?{urlencode(query)}", headers=headers))

    def _post(self, user: str, path: str, **fields: str) -> Any:
        return json.loads(self._send(user, path, urlencode({"user": user, **fields}).encode()))

    def _send(self, user: str, path: str, body: bytes) -> bytes:
        return self.http("POST", path, body, {"Authorization": f"token {user}", "Content-Type": FORM})


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
