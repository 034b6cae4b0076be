"""The local cache of submissions: `cache/<course>/<student>+<assignment>+<timestamp>/`, as in nbgrader.

Beside the copy lie `timestamp.txt` and the server's `receipt.json`. Attempts whose response was lost are remembered, so
that submitting again gives the same receipt; and submissions that `--cached --remove` has hidden stay hidden.
"""

import json
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ..client.errors import InvalidResponse
from ..client.paths import BadPath, check_name
from ..client.records import Receipt, Submission, parse_receipt
from ..translation import gettext as _
from . import folders

RECEIPT = "receipt.json"
TIMESTAMP = "timestamp.txt"
PENDING = ".pending.json"
HIDDEN = ".hidden.json"
LOST_RESPONSE = 15 * 60  # seconds within which the same files are the same attempt, if its response was never seen


class Attempt(TypedDict):
    """An attempt to submit without a response, as it is kept in PENDING."""

    key: str  # the idempotency key
    at: float  # seconds since the epoch


@dataclass(frozen=True)
class LocalCopy:
    course: str
    student: str
    assignment: str
    timestamp: str
    folder: Path


def find_folder(cache: Path, submission: Submission, timestamp: str) -> Path | None:
    """Return where the copy of a submission is, or would be; None if a name in it cannot be part of a path."""
    try:
        return copy_folder(cache, submission.course, submission.student, submission.assignment, timestamp)
    except BadPath:
        return None


def copy_folder(cache: Path, course: str, student: str, assignment: str, timestamp: str) -> Path:
    return cache / check_name(course, _("course")) / check_name(f"{student}+{assignment}+{timestamp}", _("submission"))


def local_copies(cache: Path, *, course: str, assignment: str) -> Iterator[LocalCopy]:
    """Yield the copies in the cache, of one course or all, of one assignment or all."""
    for folder in sorted(cache.glob("*/*+*+*")):
        parts = folder.name.rsplit("+", 2)  # a user name may hold a plus, an assignment's may not
        if not folder.is_dir() or len(parts) != 3 or folder.name.startswith("."):
            continue
        student, name, timestamp = parts
        if course in ("", folder.parent.name) and assignment in ("", name):
            yield LocalCopy(folder.parent.name, student, name, timestamp, folder)


def earlier_receipts(cache: Path, *, course: str, assignment: str) -> Iterator[Receipt]:
    """Yield the receipts of what was submitted from this computer, the oldest first; without damaged ones."""
    copies = local_copies(cache, course=course, assignment=assignment)
    for copy in sorted(copies, key=lambda copy: copy.timestamp):
        with suppress(InvalidResponse):
            yield parse_receipt(_read(copy.folder / RECEIPT))


def remove_copies(copies: Iterable[LocalCopy]) -> None:
    for copy in copies:
        if copy.folder.is_dir():
            shutil.rmtree(copy.folder)


def hide(cache: Path, submissions: Iterable[Submission]) -> None:
    """Leave these out of `list --cached` from now on."""
    ids = hidden_ids(cache) | {str(submission.id) for submission in submissions}
    folders.write_text(cache / HIDDEN, json.dumps(sorted(ids)))


def hidden_ids(cache: Path) -> set[str]:
    ids = _read(cache / HIDDEN)
    return {str(id) for id in ids} if isinstance(ids, list) else set()


# Attempts


def idempotency_key(cache: Path, place: str, digest: str) -> str:
    """Return the key for submitting these files there: that of an attempt without a response, or a new one."""
    pending = _pending(cache)
    attempt = pending.setdefault(f"{place} {digest}", {"key": secrets.token_urlsafe(24), "at": time.time()})
    _write_pending(cache, pending)
    return attempt["key"]


def forget_attempts(cache: Path, place: str) -> None:
    """Note that a response was seen: whatever is submitted there next is a new attempt.

    That holds for the files of earlier attempts, too: who submits them once more wants them to be the latest.
    """
    pending = _pending(cache)
    others = {name: attempt for name, attempt in pending.items() if name.rpartition(" ")[0] != place}
    if others != pending:
        _write_pending(cache, others)


def _write_pending(cache: Path, pending: dict[str, Attempt]) -> None:
    # A full or unwritable home must not keep anybody from submitting: then the attempt is not remembered.
    with suppress(OSError):
        folders.write_text(cache / PENDING, json.dumps(pending))


def _pending(cache: Path) -> dict[str, Attempt]:
    """Return the attempts that are not too old, by place and digest."""
    now = time.time()
    attempts = _read(cache / PENDING)
    if not isinstance(attempts, dict):
        return {}
    return {
        name: {"key": attempt["key"], "at": attempt["at"]}
        for name, attempt in attempts.items()
        if isinstance(attempt, dict)
        and isinstance(attempt.get("key"), str)
        and isinstance(attempt.get("at"), int | float)
        and now - attempt["at"] < LOST_RESPONSE
    }


def _read(path: Path) -> object:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content
