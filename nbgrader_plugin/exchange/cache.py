"""The local cache of what was submitted: `cache/<course>/<student>+<assignment>+<timestamp>/`, as nbgrader has it.

Beside the copy lie `timestamp.txt` and the server's `receipt.json`. Attempts whose answer was lost are remembered, so
that doing it again gives the same receipt; and what `--cached --remove` has hidden stays hidden.
"""

import json
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..client import paths
from ..client.errors import BadPath
from ..client.records import Submission
from . import folders as trees

RECEIPT = "receipt.json"
TIMESTAMP = "timestamp.txt"
PENDING = ".pending.json"
HIDDEN = ".hidden.json"
LOST_ANSWER = 15 * 60  # seconds within which the same files are the same attempt, if its answer was never seen


@dataclass(frozen=True)
class LocalCopy:
    course: str
    student: str
    assignment: str
    timestamp: str
    folder: Path


def copy_folder(cache: Path, submission: Submission, timestamp: str) -> Path | None:
    """Where the copy of a submission is, or would be; None if a name in it cannot be part of a path."""
    try:
        return folder(cache, submission.course, submission.student, submission.assignment, timestamp)
    except BadPath:
        return None


def folder(cache: Path, course: str, student: str, assignment: str, timestamp: str) -> Path:
    return cache / paths.name(course, "course") / paths.name(f"{student}+{assignment}+{timestamp}", "submission")


def local_copies(cache: Path, *, course: str, assignment: str) -> Iterator[LocalCopy]:
    """The copies in the cache, of one course or all, of one assignment or all."""
    for place in sorted(cache.glob("*/*+*+*")):
        parts = place.name.rsplit("+", 2)  # a user name may hold a plus, an assignment's may not
        if not place.is_dir() or len(parts) != 3 or place.name.startswith("."):
            continue
        student, name, timestamp = parts
        if course in ("", place.parent.name) and assignment in ("", name):
            yield LocalCopy(place.parent.name, student, name, timestamp, place)


def hide(cache: Path, submissions: Iterable[Submission]) -> None:
    """Show these no more in `list --cached`."""
    names = hidden(cache) | {str(one.id) for one in submissions}
    trees.write_text(cache / HIDDEN, json.dumps(sorted(names)))


def remove(copies: Iterable[Path]) -> None:
    """Remove those of the copies that are here."""
    for copy in copies:
        if copy.is_dir():
            shutil.rmtree(copy)


def hidden(cache: Path) -> set[str]:
    return {str(one) for one in _read(cache / HIDDEN, [])}


# Attempts


def key_of_attempt(cache: Path, place: str, digest: str) -> str:
    """The idempotency key for handing in these files there: that of an attempt without an answer, or a new one."""
    pending = _pending(cache)
    attempt = pending.get(f"{place} {digest}")
    if isinstance(attempt, dict) and time.time() - float(attempt.get("at", 0)) < LOST_ANSWER:
        return str(attempt["key"])
    key = secrets.token_urlsafe(24)
    pending[f"{place} {digest}"] = {"key": key, "at": time.time()}
    _remember(cache, pending)
    return key


def answered(cache: Path, place: str, digest: str) -> None:
    """The receipt was seen: handing in the same files again is a new attempt."""
    pending = _pending(cache)
    if pending.pop(f"{place} {digest}", None):
        _remember(cache, pending)


def _remember(cache: Path, pending: dict[str, Any]) -> None:
    """A full or unwritable home must not keep anybody from handing in: then the attempt is not remembered."""
    with suppress(OSError):
        trees.write_text(cache / PENDING, json.dumps(pending))


def _pending(cache: Path) -> dict[str, Any]:
    now = time.time()
    found = _read(cache / PENDING, {})
    return {
        name: one
        for name, one in found.items()
        if isinstance(one, dict) and now - float(one.get("at", 0)) < LOST_ANSWER
    }


def _read(path: Path, otherwise: Any) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise
