"""What the commands about rosters share: from a name to a course, from refusals to exit statuses, reports in lines,
lines into files."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError
from django.core.management.base import OutputWrapper

from courses.errors import DomainError
from courses.models import Course
from courses.roster import MemberChange, Result, RosterReport


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refusal ends the command with its sentence and a status of 1."""
    try:
        yield
    except DomainError as error:
        raise CommandError(error.message) from error


def course_named(name: str) -> Course:
    """Errors: CommandError."""
    course = Course.objects.present().filter(name=name).first()
    if course is None:
        raise CommandError(f"There is no course {name}.")
    return course


def write(lines: Iterable[str], out: OutputWrapper, path: str | None) -> None:
    """Lines with their ends, into a file or else to standard output. Errors: CommandError."""
    if path is None:
        for line in lines:
            out.write(line, ending="")
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error


def counted(report: RosterReport) -> str:
    """“2 created, 1 changed, 40 unchanged”."""
    counts = [f"{number} {result}" for result in Result if (number := report.count(result))]
    return ", ".join(counts) or "nobody is named"


def tell(out: OutputWrapper, row: MemberChange, line: int | None = None) -> None:
    """One line for what happens to a person; none where nothing does."""
    if row.result == Result.UNCHANGED:
        return
    where = f"line {line}: " if line else ""
    name = row.username if row.username.isprintable() else ascii(row.username)
    out.write(f"{where}{name or '(nobody)'}: {row.result}{_more(row)}")


def _more(row: MemberChange) -> str:
    if row.message:
        return f" ({row.message})"
    if row.result == Result.CHANGED and row.before and row.after:
        was, now = row.before, row.after
        return "".join(f"; {name} {was[name] or ''!r} → {now[name]!r}" for name in was if was[name] != now[name])
    if row.result == Result.CREATED and row.after:
        return f" as {row.after['role']}"
    return ""
