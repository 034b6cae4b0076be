"""What a roster file would change, as the admin shows it before anything is written."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from courses.importers import csv_file, tables
from courses.importers.csv_file import LineOutcome, RosterFile
from courses.models import Course
from courses.permissions import Actor
from courses.roster import MemberChange, Result, RosterReport

MAX_ROWS = 500  # of one kind on the page
FIELDS = ("role", "first_name", "last_name", "email", "section")
GROUPS = [
    (Result.REFUSED, "Refused", "These lines are left out."),
    (Result.REMOVED, "Removed from the roster", "The file does not name them. Their submissions are kept."),
    (Result.CHANGED, "Changed", ""),
    (Result.CREATED, "New", ""),
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
        rows = [(outcome.line, vars(outcome.row)) for outcome in self.outcomes]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def separator(self) -> str:
        return tables.SEPARATORS[self.file.separator]

    @property
    def unchanged(self) -> int:
        return self.report.count(Result.UNCHANGED)

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
                groups.append(PreviewGroup(result, title, help_text, len(outcomes), rows))
        return groups


def _preview_row(outcome: LineOutcome) -> PreviewRow:
    before, after = outcome.row.before or {}, outcome.row.after or {}
    changes = [
        FieldChange(name.replace("_", " "), before.get(name) or "", after.get(name) or "")
        for name in FIELDS
        if (before.get(name) or "") != (after.get(name) or "")
    ]
    return PreviewRow(outcome.line, outcome.row, changes)
