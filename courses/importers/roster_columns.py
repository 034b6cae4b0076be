"""What the columns of a roster file mean: in the files of spreadsheets, nbgrader, Canvas, Moodle, Blackboard and Sakai.

Where their names do not tell, a person chooses. What learning platforms write is in tests/courses/importers/platforms.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.errors import Invalid
from courses.importers.tables import Sheet, UnclearColumns

# The names that a column may have, reduced to lowercase letters; the likeliest first. Canvas writes English, the others
# the language of whoever exports.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "username": (
        *("username", "user", "login", "loginid", "sisloginid", "id", "studentid", "sisuserid", "studentsisid"),
        *("benutzername", "anmeldename", "nomdutilisateur", "nombredeusuario"),
    ),
    "name": ("name", "student", "studentname", "fullname", "vollständigername", "nomcomplet", "nombrecompleto"),
    "first_name": ("firstname", "givenname", "vorname", "prénom", "nombre"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "nomdefamille", "nom", "apellidos", "apellido"),
    "email": (
        *("email", "mail", "emailaddress", "emailadresse"),
        *("adressedecourriel", "courriel", "direccióndecorreo", "correoelectrónico"),
    ),
    "section": ("section", "sectionname", "sections", "group", "groups", "gruppe", "gruppen", "groupes", "grupos"),
    "role": ("role",),
}
HINT = gettext_lazy("“username” (or “id”, as nbgrader calls it)")
NAME_PARTS = ("first_name", "last_name")
LOOKED_AT = 300  # lines, to tell which column names members


@dataclass(frozen=True)
class ColumnChoice:
    """What somebody chose: {field: name of its column, or "" for none}; fields that are missing go by their names.

    With `before_at`, user names are what comes before the @ of their column: for files that have emails alone.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    before_at: bool = False

    @classmethod
    def parse(cls, choices: Iterable[str], *, before_at: bool = False) -> "ColumnChoice":
        """Return what was written as `username=SIS Login ID`. Errors: Invalid."""
        columns = {}
        for choice in choices:
            name, sign, column = choice.partition("=")
            if not sign or name.strip() not in COLUMN_NAMES:
                text = _(
                    "“%(choice)s” chooses no column. Write a field, = and a column of the file, as username=Login; "
                    "fields are %(fields)s."
                )
                raise Invalid(text % {"choice": choice, "fields": ", ".join(COLUMN_NAMES)})
            columns[name.strip()] = column.strip()
        return cls(columns, before_at)

    def write(self) -> list[str]:
        """Return the columns as `parse` reads them."""
        return [f"{name}={column}" for name, column in self.columns.items()]

    def for_sheet(self, sheet: Sheet) -> dict[str, str]:
        """Return what is chosen for a file: where it has first or last names, whole names are not needed."""
        has_parts = any(self.columns.get(part) for part in NAME_PARTS) or (
            set(NAME_PARTS) & set(sheet.candidates(COLUMN_NAMES)) - set(self.columns)
        )
        return {**({"name": ""} if has_parts else {}), **self.columns}


UNCHOSEN = ColumnChoice()


def suggest(sheet: Sheet, members: Collection[str]) -> ColumnChoice:
    """Return a choice to begin with: for user names the column that names most members of the course, if any does."""
    known, head = set(members), replace(sheet, rows=sheet.rows[:LOOKED_AT])
    counted = [
        (sum(_user_name(cell, before_at) in known for cell in cells), column, before_at)
        for column in filter(None, sheet.header)
        for cells in [head.column(column)]
        for before_at in (False, True)
    ]
    count, username, before_at = max(counted, key=lambda each: (each[0], not each[2]), default=(0, "", False))
    likely = {name: columns[0] for name, columns in sheet.candidates(COLUMN_NAMES).items()}
    if count:
        return ColumnChoice({**likely, "username": username}, before_at)
    if _has_only_numbers_of_canvas(sheet):
        del likely["username"]
    return ColumnChoice(likely)


def _user_name(cell: str, before_at: bool) -> str:
    return cell.partition("@")[0] if before_at else cell


def split_name(name: str) -> dict[str, str]:
    """Return the parts of a whole name, `Last, First` or `First Last`.

    >>> split_name("Li, Bob"), split_name("Bob van Li"), split_name("Plato")
    ({'last_name': 'Li', 'first_name': 'Bob'}, {'first_name': 'Bob van', 'last_name': 'Li'}, {'last_name': 'Plato'})
    """
    if "," in name:
        last, _, first = name.partition(",")
        parts = {"last_name": last, "first_name": first}
    else:
        first, _, last = name.rpartition(" ")
        parts = {"first_name": first, "last_name": last}
    return {part: text.strip() for part, text in parts.items() if text.strip()}


def check_clear(sheet: Sheet, choice: ColumnChoice) -> None:
    """Check that a column of user names is chosen where none can be told. Errors: UnclearColumns."""
    if "username" not in choice.columns and _has_only_numbers_of_canvas(sheet):
        raise UnclearColumns(
            _("The “ID” in a gradebook of Canvas is Canvas's own number of a person. Choose the column of user names.")
        )


def _has_only_numbers_of_canvas(sheet: Sheet) -> bool:
    """Return whether it is what Canvas gives to somebody who may not see the IDs of the student information system."""
    return _is_gradebook_of_canvas(sheet) and sheet.candidates(COLUMN_NAMES).get("username") == ["ID"]


def _is_gradebook_of_canvas(sheet: Sheet) -> bool:
    return bool(sheet.header) and sheet.header[0] in ("Student", "LastName") and "Section" in sheet.header


def lines_about_nobody(sheet: Sheet) -> dict[int, str]:
    """Return the lines of a Canvas gradebook that are no people: what is above the students, and its test student."""
    if not _is_gradebook_of_canvas(sheet):
        return {}
    found: dict[int, str] = {}
    for index, (number, cells) in enumerate(sheet.rows):
        name = ", ".join(cell.strip() for cell in cells[: 1 if sheet.header[0] == "Student" else 2]).strip(", ")
        if name == "Points Possible" and index < 2:
            found |= {
                row[0]: "Points Possible" if row[0] == number else _("posting of grades")
                for row in sheet.rows[: index + 1]
            }
        elif name == "Student, Test":
            found[number] = name
    return found
