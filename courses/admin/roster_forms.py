"""The forms with which a roster file is imported: the file, its columns where they are unclear, and what was shown."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import Truncator

from courses.errors import Invalid
from courses.importers.roster_columns import COLUMN_NAMES, ColumnChoice, lines_about_nobody
from courses.importers.tables import Sheet

MAX_CHOICE = 20_000  # characters
SAMPLES = 3  # cells of a column that its choice shows
LABELS = {"username": "User name", "name": "Whole name", "first_name": "First name", "last_name": "Last name"}
HELP = {
    "username": "As on JupyterHub.",
    "name": "“Last, First” or “First Last”, where the file has no columns for the parts of names.",
    "role": "student, grader or instructor; without it, who is new becomes a student.",
}


class RosterFileForm(forms.Form):
    """A CSV file, whose differences are shown before it is imported."""

    file = forms.FileField(
        label="CSV file",
        help_text="From a spreadsheet, nbgrader, or the gradebook or participants of Canvas, Moodle, Blackboard or "
        "Sakai. It names its columns: username (or id), and optionally first_name, last_name or name, email, section, "
        "role. Where that is not clear, you choose.",
    )
    remove_others = forms.BooleanField(
        required=False,
        label="Remove students whom the file does not name from the roster",
        help_text="Their submissions are kept, and you see who they are before anything is done.",
    )


class ReadRosterForm(forms.Form):
    """A file that was read, on its way through the pages that follow."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    remove_others = forms.BooleanField(widget=forms.HiddenInput, required=False)


class ColumnsForm(ReadRosterForm):
    """Which column of the file each field is read from."""

    def __init__(self, data: QueryDict | None = None, *, sheet: Sheet, choice: ColumnChoice, **initial: Any) -> None:
        super().__init__(data, initial=initial)
        columns = [("", "(none)"), *((name, _describe(sheet, name)) for name in sheet.header if name)]
        for name in COLUMN_NAMES:
            self.fields[f"column_{name}"] = forms.ChoiceField(
                choices=columns,
                required=name == "username",
                label=LABELS.get(name, name.capitalize()),
                help_text=HELP.get(name, ""),
                initial=choice.columns.get(name, ""),
            )
            if name == "username":
                self.fields["before_at"] = forms.BooleanField(
                    required=False,
                    label="User names are what comes before the @",
                    help_text="For a column of email addresses.",
                    initial=choice.before_at,
                )

    @property
    def choice(self) -> ColumnChoice:
        columns = {name: self.cleaned_data[f"column_{name}"] for name in COLUMN_NAMES}
        return ColumnChoice(columns, self.cleaned_data["before_at"])


def _describe(sheet: Sheet, name: str) -> str:
    nobody = lines_about_nobody(sheet)
    cells = zip((number for number, _ in sheet.rows), sheet.column(name), strict=True)
    samples = [cell for number, cell in cells if cell and number not in nobody][:SAMPLES]
    return Truncator(f"{name}: {', '.join(samples)}" if samples else f"{name} (empty)").chars(80)


class SeenRosterForm(ReadRosterForm):
    """The same file again, after its differences were shown."""

    # A JSON list of what ColumnChoice.parse reads: names of columns may have any other separator in them.
    columns = forms.CharField(widget=forms.HiddenInput, required=False, strip=False, max_length=MAX_CHOICE)
    before_at = forms.BooleanField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)  # digest of the differences
    goal = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def clean_columns(self) -> ColumnChoice:
        try:
            written = json.loads(self.cleaned_data["columns"] or "[]")
        except (ValueError, RecursionError) as error:
            raise ValidationError("The columns cannot be read.") from error
        if not (isinstance(written, list) and all(isinstance(each, str) for each in written)):
            raise ValidationError("The columns are no list.")
        try:
            return ColumnChoice.parse(written)
        except Invalid as error:
            raise ValidationError(error.message) from error

    @property
    def choice(self) -> ColumnChoice:
        return ColumnChoice(self.cleaned_data["columns"].columns, self.cleaned_data["before_at"])
