"""ngshare's native protocol (docs/api.md), as its plugin speaks it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.crowd import Visit
from benchmarks.http import Http, raw_request
from benchmarks.work import ADMINISTRATOR, COURSE, INSTRUCTOR, FileSet

TAR = "application/x-tar"
END = bytes(2 * tarfile.BLOCKSIZE)


def address(*parts: str, **query: str) -> str:
    path = "".join(f"{quote(part, safe='')}/" for part in parts)
    return f"/api/v2/{path}" + (f"?{urlencode(query)}" if query else "")


def of_assignment(assignment: str, *parts: str) -> str:
    return address("courses", COURSE, "assignments", assignment, *parts)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def member(name: str, content: bytes) -> bytes:
    return header(name, len(content)) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def header(name: str, size: int) -> bytes:
    found = tarfile.TarInfo(name)
    found.size = size
    return found.tobuf(tarfile.USTAR_FORMAT)


def bundle(manifest: bytes, blobs: Mapping[str, bytes]) -> bytes:
    return b"".join([member("manifest.json", manifest), *(member(name, blobs[name]) for name in blobs), END])


@dataclass
class Native:
    http: Http
    etags: dict[str, str] = field(default_factory=dict)  # of the latest releases, by assignment

    def start_course(self) -> None:
        self._json(ADMINISTRATOR, "POST", address("courses"), {"name": COURSE, "instructors": [INSTRUCTOR]})

    def add_students(self, names: Iterable[str]) -> None:
        members = [{"username": name, "first_name": "First", "last_name": name, "email": ""} for name in names]
        report = self._json(INSTRUCTOR, "POST", address("courses", COURSE, "members", "bulk"), {"members": members})
        if report["created"] != len(members):
            raise RuntimeError(f"not all were added: {report}")

    def import_roster(self, content: bytes) -> dict[str, int]:
        """Returns the counts: {"created": …, "changed": …}."""
        path = address("courses", COURSE, "roster")
        return json.loads(self.http("POST", path, content, self._headers(INSTRUCTOR, "text/csv")))

    def export_roster(self) -> bytes:
        return self.http("GET", address("courses", COURSE, "roster"), headers={"Authorization": f"token {INSTRUCTOR}"})

    def release(self, assignment: str, files: FileSet) -> None:
        manifest = json.dumps({"files": _manifest(files)}).encode()
        blobs = {sha256(content): content for content in files.values()}
        path = of_assignment(assignment, "releases")
        self.http("POST", path, bundle(manifest, blobs), self._headers(INSTRUCTOR, TAR))
        latest = of_assignment(assignment, "releases", "latest")
        self.etags[assignment] = self.http.header("ETag", latest, {"Authorization": f"token {INSTRUCTOR}"})

    def submission(self, student: str, assignment: str, files: FileSet, unchanged: FileSet) -> Visit:
        """One request: all that the release does not have, on condition that it is still the latest."""
        manifest = json.dumps({"files": _manifest(files)}).encode()
        blobs = {sha256(content): content for path, content in files.items() if path not in unchanged}
        headers = {**self._headers(student, TAR), "Idempotency-Key": sha256(manifest)}
        if etag := self.etags.get(assignment):
            headers["If-Match"] = etag
        path = of_assignment(assignment, "submissions")
        return Visit(self.http.netloc, [raw_request("POST", path, headers, bundle(manifest, blobs))], keep=True)

    def list_of(self, student: str) -> Visit:
        headers = {"Authorization": f"token {student}"}
        path = address("assignments", page_size="5000")
        return Visit(self.http.netloc, [raw_request("GET", path, headers)], keep=True, proof=b'"results"')

    def submit_file(self, student: str, assignment: str, file: Path) -> Callable[[], object]:
        with file.open("rb") as content:
            name = hashlib.file_digest(content, "sha256").hexdigest()
        files = [{"path": "large.bin", "sha256": name, "size": file.stat().st_size}]
        return partial(self._submit_file, student, assignment, files, file)

    def _submit_file(self, student: str, assignment: str, files: list[dict[str, Any]], file: Path) -> None:
        manifest = member("manifest.json", json.dumps({"files": files}).encode())
        size = file.stat().st_size
        length = len(manifest) + tarfile.BLOCKSIZE + size + -size % tarfile.BLOCKSIZE + len(END)

        def pieces() -> Iterator[bytes]:
            yield manifest + header(files[0]["sha256"], size)
            with file.open("rb") as content:
                while chunk := content.read(2**20):
                    yield chunk
            yield bytes(-size % tarfile.BLOCKSIZE) + END

        headers = {"Authorization": f"token {student}", "Content-Type": TAR}
        self.http("POST", of_assignment(assignment, "submissions"), pieces(), headers, length=length)

    def fetch_file(self, student: str, file: Path) -> None:
        """Download what was submitted with submit_file, and forget it on the way."""
        with file.open("rb") as content:
            name = hashlib.file_digest(content, "sha256").hexdigest()
        self.http("GET", address("blobs", name), headers={"Authorization": f"token {student}"}, keep=False)

    def list_submissions(self, assignment: str) -> int:
        return len(self._submissions(assignment=assignment))

    def collect(self, assignment: str) -> dict[str, FileSet]:
        chosen = self._submissions(assignment=assignment, latest="true", files="true")
        wanted = sorted({file["sha256"] for one in chosen for file in one["files"]})
        body = json.dumps({"sha256": wanted}).encode()
        stream = self.http("POST", address("blobs", "bundle"), body, self._headers(INSTRUCTOR, "application/json"))
        with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
            blobs = {found.name: tar.extractfile(found).read() for found in tar}  # type: ignore[union-attr]
        return {one["student"]: {file["path"]: blobs[file["sha256"]] for file in one["files"]} for one in chosen}

    def give_feedback(self, assignment: str, page: bytes) -> int:
        """All in one request."""
        files = _manifest({"ps1.html": page})
        rows = [{"submission": row["id"], "files": files} for row in self._submissions(assignment=assignment)]
        body = bundle(json.dumps({"feedback": rows}).encode(), {sha256(page): page})
        path = of_assignment(assignment, "feedback")
        return len(json.loads(self.http("POST", path, body, self._headers(INSTRUCTOR, TAR)))["returned"])

    def _submissions(self, **query: str) -> list[Any]:
        path = address("submissions", course=COURSE, page_size="5000", **query)
        results: list[Any] = self._json(INSTRUCTOR, "GET", path)["results"]
        return results

    def _json(self, user: str, method: str, path: str, body: Any = None) -> Any:
        text = json.dumps(body).encode() if body is not None else b""
        return json.loads(self.http(method, path, text, self._headers(user, "application/json")))

    @staticmethod
    def _headers(user: str, content_type: str) -> dict[str, str]:
        return {"Authorization": f"token {user}", "Content-Type": content_type}


def _manifest(files: FileSet) -> list[dict[str, Any]]:
    return [{"path": path, "sha256": sha256(files[path]), "size": len(files[path])} for path in sorted(files)]
