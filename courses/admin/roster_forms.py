"""The forms with which a roster file is imported: the file, its columns where they are unclear, and what was shown."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.errors import Invalid
from courses.importers.roster_columns import COLUMN_NAMES, ColumnChoice, lines_about_nobody
from courses.importers.tables import Sheet

MAX_CHOICE = 20_000  # characters
SAMPLES = 3  # cells of a column that its choice shows
LABELS = {
    "username": gettext_lazy("User name"),
    "name": gettext_lazy("Whole name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "email": gettext_lazy("Email"),
    "section": gettext_lazy("Section"),
    "role": gettext_lazy("Role"),
}
HELP = {
    "username": gettext_lazy("As on JupyterHub."),
    "name": gettext_lazy("“Last, First” or “First Last”, where the file has no columns for the parts of names."),
    "role": gettext_lazy("student, grader or instructor; without it, who is new becomes a student."),
}


class RosterFileForm(forms.Form):
    """A CSV file, whose differences are shown before it is imported."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "From a spreadsheet, nbgrader, or the gradebook or participants of Canvas, Moodle, Blackboard or Sakai. It "
            "names its columns: username (or id), and optionally first_name, last_name or name, email, section, role. "
            "Where that is not clear, you choose."
        ),
    )
    remove_others = forms.BooleanField(
        required=False,
        label=gettext_lazy("Remove students whom the file does not name from the roster"),
        help_text=gettext_lazy("Their submissions are kept, and you see who they are before anything is done."),
    )


class ReadRosterForm(forms.Form):
    """A file that was read, on its way through the pages that follow."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    remove_others = forms.BooleanField(widget=forms.HiddenInput, required=False)


class ColumnsForm(ReadRosterForm):
    """Which column of the file each field is read from."""

    def __init__(self, data: QueryDict | None = None, *, sheet: Sheet, choice: ColumnChoice, **initial: Any) -> None:
        super().__init__(data, initial=initial)
        columns = [("", _("(none)")), *((name, _describe(sheet, name)) for name in sheet.header if name)]
        for name in COLUMN_NAMES:
            self.fields[f"column_{name}"] = forms.ChoiceField(
                choices=columns,
                required=name == "username",
                label=LABELS[name],
                help_text=HELP.get(name, ""),
                initial=choice.columns.get(name, ""),
            )
            if name == "username":
                self.fields["before_at"] = forms.BooleanField(
                    required=False,
                    label=_("User names are what comes before the @"),
                    help_text=_("For a column of email addresses."),
                    initial=choice.before_at,
                )

    @property
    def choice(self) -> ColumnChoice:
        columns = {name: self.cleaned_data[f"column_{name}"] for name in COLUMN_NAMES}
        return ColumnChoice(columns, self.cleaned_data["before_at"])


def _describe(sheet: Sheet, name: str) -> str:
    nobody = lines_about_nobody(sheet)
    cells = zip((row[0] for row in sheet.rows), sheet.column(name), strict=True)
    samples = [cell for number, cell in cells if cell and number not in nobody][:SAMPLES]
    empty = _("%(column)s (empty)") % {"column": name}
    return Truncator(f"{name}: {', '.join(samples)}" if samples else empty).chars(80)


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
            raise ValidationError(_("The columns cannot be read.")) from error
        if not (isinstance(written, list) and all(isinstance(each, str) for each in written)):
            raise ValidationError(_("The columns are no list."))
        try:
            return ColumnChoice.parse(written)
        except Invalid as error:
            raise ValidationError(error.message) from error

    @property
    def choice(self) -> ColumnChoice:
        return ColumnChoice(self.cleaned_data["columns"].columns, self.cleaned_data["before_at"])
