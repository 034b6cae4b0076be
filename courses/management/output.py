"""What the commands about courses share: finding the course, exit statuses, and the lines of a report."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import CommandError
from django.core.management.base import OutputWrapper

from courses.errors import DomainError
from courses.models import Course
from courses.roster import MemberChange, Result, RosterReport


@contextmanager
def report_errors() -> Iterator[None]:
    """End the command with the message of a domain error and a status of 1."""
    try:
        yield
    except DomainError as error:
        raise CommandError(error.message) from error


def get_course(name: str) -> Course:
    """Return the course that is not in the trash. Errors: CommandError."""
    course = Course.objects.present().filter(name=name).first()
    if course is None:
        raise CommandError(f"There is no course {name}.")
    return course


def write(lines: Iterable[str], out: OutputWrapper, path: str | None) -> None:
    """Write lines, which have their line ends, to a file or else to standard output. Errors: CommandError."""
    if path is None:
        for line in lines:
            out.write(line, ending="")
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error


def write_bytes(path: Path, chunks: Iterable[bytes]) -> int:
    """Write a file that is there whole or not at all, for its owner alone. Return its size. Errors: CommandError."""
    draft = path.with_name(f"{path.name}.unfinished")
    try:
        if path.exists():
            raise CommandError(f"{path} is there already.")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        draft.rename(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    return size


def format_counts(report: RosterReport) -> str:
    """Return the counts as in “2 created, 1 changed, 40 unchanged”."""
    counts = [f"{number} {result}" for result in Result if (number := report.count(result))]
    return ", ".join(counts) or "nobody is named"


def write_change(out: OutputWrapper, row: MemberChange, line: int | None = None) -> None:
    """Write one line about a member's change; none if nothing changes."""
    if row.result == Result.UNCHANGED:
        return
    where = f"line {line}: " if line else ""
    name = row.username if row.username.isprintable() else ascii(row.username)
    out.write(f"{where}{name or '(nobody)'}: {row.result}{_format_details(row)}")


def _format_details(row: MemberChange) -> str:
    if row.message:
        return f" ({row.message})"
    if row.result == Result.CHANGED and row.before and row.after:
        old, new = row.before, row.after
        return "".join(f"; {name} {old[name] or ''!r} → {new[name]!r}" for name in old if old[name] != new[name])
    if row.result == Result.CREATED and row.after:
        return f" as {row.after['role']}"
    return ""
