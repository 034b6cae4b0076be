"""What a roster file would change, as the admin shows it before anything is written."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.audit_names import detail_name
from courses.importers import csv_file, tables
from courses.importers.csv_file import LineOutcome, RosterFile
from courses.models import Course, role_name
from courses.permissions import Actor
from courses.roster import MemberChange, MemberFields, Result, RosterReport

MAX_ROWS = 500  # of one kind on the page
FIELDS = ("role", "first_name", "last_name", "email", "section")
GROUPS = [
    (Result.REFUSED, gettext_lazy("Refused"), gettext_lazy("These lines are left out.")),
    (
        Result.REMOVED,
        gettext_lazy("Removed from the roster"),
        gettext_lazy("The file does not name them. Their submissions are kept."),
    ),
    (Result.CHANGED, gettext_lazy("Changed"), ""),
    (Result.CREATED, gettext_lazy("New"), ""),
]


@dataclass(frozen=True)
class FieldChange:
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class PreviewRow:
    """What happens to one person; `line` is None for those whom the file does not name."""

    line: int | None
    change: MemberChange
    fields: list[FieldChange]


@dataclass(frozen=True)
class PreviewGroup:
    """The people to whom the same happens: how many they are, and the first of them."""

    result: Result
    title: str
    help_text: str
    count: int
    rows: list[PreviewRow]

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class RosterPreview:
    """The outcome of importing a file, without having imported it."""

    file: RosterFile
    report: RosterReport
    outcomes: Sequence[LineOutcome]

    @classmethod
    def of(cls, course: Course, file: RosterFile, *, by: Actor, remove_others: bool) -> "RosterPreview":
        """Errors: Conflict, PermissionDenied, as the import would raise them."""
        report, outcomes = csv_file.import_roster(course, file, by=by, remove_others=remove_others, dry_run=True)
        return cls(file, report, outcomes)

    @property
    def digest(self) -> str:
        """Identify the differences, to tell later whether they are still the same."""
        return _digest([(outcome.line, vars(outcome.row)) for outcome in self.outcomes])

    @property
    def goal(self) -> str:
        """Identify what the named members are afterwards, to tell later whether that has been reached."""
        named = [outcome for outcome in self.outcomes if outcome.line is not None]
        return _digest([(outcome.line, outcome.row.username, _goal_of(outcome.row)) for outcome in named])

    @property
    def sentences(self) -> Iterator[str]:
        """Yield how the file was read, and how many of its lines are on the roster already."""
        file = self.file
        names = {"encoding": file.encoding, "separator": tables.SEPARATORS[file.separator]}
        text = _("Read as %(encoding)s with %(separator)s.") if file.encoding else _("Read with %(separator)s.")
        yield text % names
        yield _("Columns: %(columns)s.") % {"columns": ", ".join(file.columns)}
        if file.ignored:
            yield _("Ignored: %(columns)s.") % {"columns": ", ".join(file.ignored)}
        if file.left_out:
            left_out = (_("line %(line)d (%(what)s)") % {"line": line, "what": what} for line, what in file.left_out)
            yield _("Left out: %(lines)s.") % {"lines": ", ".join(left_out)}
        text = ngettext(
            "%(unchanged)d of %(count)d line would change nothing.",
            "%(unchanged)d of %(count)d lines would change nothing.",
            len(file.lines),
        )
        yield text % {"unchanged": self.report.count(Result.UNCHANGED), "count": len(file.lines)}

    @property
    def has_changes(self) -> bool:
        return any(self.report.count(result) for result in (Result.CREATED, Result.CHANGED, Result.REMOVED))

    @property
    def groups(self) -> list[PreviewGroup]:
        groups = []
        for result, title, help_text in GROUPS:
            outcomes = [outcome for outcome in self.outcomes if outcome.row.result == result]
            if outcomes:
                rows = [_preview_row(outcome) for outcome in outcomes[:MAX_ROWS]]
                groups.append(PreviewGroup(result, str(title), str(help_text), len(outcomes), rows))
        return groups


def count_of(number: int, result: Result) -> str:
    """Return how many met a result: “2 created”."""
    match result:
        case Result.CREATED:
            text = ngettext("%d created", "%d created", number)
        case Result.CHANGED:
            text = ngettext("%d changed", "%d changed", number)
        case Result.UNCHANGED:
            text = ngettext("%d unchanged", "%d unchanged", number)
        case Result.REMOVED:
            text = ngettext("%d removed", "%d removed", number)
        case Result.REFUSED:
            text = ngettext("%d refused", "%d refused", number)
    return text % number


def _digest(rows: object) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _goal_of(change: MemberChange) -> list[str] | None:
    """Return the values of a member afterwards; None for what is refused."""
    after = change.after
    return None if after is None else [after.get(name) or "" for name in FIELDS]


def _in_words(fields: MemberFields | None) -> dict[str, str]:
    values = {name: (fields or {}).get(name) or "" for name in FIELDS}
    return {**values, "role": role_name(values["role"])}


def _preview_row(outcome: LineOutcome) -> PreviewRow:
    before, after = _in_words(outcome.row.before), _in_words(outcome.row.after)
    changes = [
        FieldChange(detail_name(name), before[name], after[name]) for name in FIELDS if before[name] != after[name]
    ]
    return PreviewRow(outcome.line, outcome.row, changes)
