"""Files as Canvas, Moodle, Blackboard and Sakai write them, of the same three students."""

from pathlib import Path

import pytest

from courses.errors import Invalid
from courses.importers import csv_file, roster_columns, tables
from courses.importers.roster_columns import COLUMN_NAMES, ColumnChoice
from courses.importers.tables import UnclearColumns

FILES = Path(__file__).parent / "platforms"
STUDENTS = ["bob", "dave", "frank"]
LOGIN = ColumnChoice({"username": "SIS Login ID"})
BEFORE_AT = ColumnChoice({"username": "Email address"}, before_at=True)


def read(name, choice=roster_columns.UNCHOSEN):
    return csv_file.read((FILES / name).read_bytes(), choice)


def sheet(name):
    return tables.read_sheet(tables.decode((FILES / name).read_bytes())[0], COLUMN_NAMES)


@pytest.mark.parametrize(
    ("name", "choice", "separator", "sections", "has_email"),
    [
        ("canvas-gradebook.csv", LOGIN, ",", ["NBG 101 A and NBG 101 B", "NBG 101 A", "NBG 101 B"], False),
        ("canvas-gradebook-names.csv", LOGIN, ";", ["A", "A", "B"], False),
        (
            "canvas-class-roster.csv",
            ColumnChoice({"username": "email"}, before_at=True),
            *(",", ["NBG 101 A", "NBG 101 A", "NBG 101 B"], True),
        ),
        ("moodle-grades.csv", BEFORE_AT, ",", [None] * 3, True),
        ("moodle-grades-username.csv", roster_columns.UNCHOSEN, "\t", [None] * 3, True),
        ("moodle-participants.csv", roster_columns.UNCHOSEN, ",", ["A, Monday", "A", None], True),
        ("moodle-grading-worksheet.csv", BEFORE_AT, ",", [None] * 3, True),
        ("blackboard-grade-center.xls", ColumnChoice({"username": "Username"}), "\t", [None] * 3, False),
        ("blackboard-gradebook.csv", roster_columns.UNCHOSEN, ",", [None] * 3, False),
        (
            "sakai-gradebook.csv",
            roster_columns.UNCHOSEN,
            *(",", ["NBG 101 A", "NBG 101 A", "NBG 101 B"], False),
        ),
        ("sakai-assignment-grades.csv", roster_columns.UNCHOSEN, ",", [None] * 3, False),
    ],
)
def test_students_of_every_platform_are_read(name, choice, separator, sections, has_email):
    file = read(name, choice)
    people = [line.person for line in file.lines]
    assert [line.fault for line in file.lines] == [""] * 3
    assert [person.username for person in people] == STUDENTS
    assert file.separator == separator
    assert [person.section for person in people] == sections
    assert [person.email for person in people] == (
        [f"{student}@example.edu" for student in STUDENTS] if has_email else [None] * 3
    )
    assert [person.first_name for person in people][:2] == ["Bob", "Dave"]
    assert [person.last_name for person in people][:2] == ["Li", "Müller"]
    assert {person.role for person in people} == {None}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("canvas-gradebook.csv", "3 columns say “username”: “SIS Login ID”, “ID”, “SIS User ID”"),
        ("canvas-class-roster.csv", "Two columns say “username”: “Student ID”, “Student SIS ID”"),
        ("blackboard-grade-center.xls", "Two columns say “username”: “Username”, “Student ID”"),
        ("moodle-grades.csv", "one of them must be “username”"),
    ],
)
def test_columns_that_could_be_meant_are_named(name, sentence):
    with pytest.raises(UnclearColumns, match=sentence):
        read(name)


def test_lines_of_canvas_that_are_no_students_are_left_out_and_told():
    file = read("canvas-gradebook.csv", LOGIN)
    assert file.left_out == ((2, "posting of grades"), (3, "Points Possible"), (7, "Student, Test"))
    assert [line.number for line in file.lines] == [4, 5, 6]
    names = read("canvas-gradebook-names.csv", LOGIN)
    assert names.left_out == ((2, "Points Possible"), (6, "Student, Test"))
    assert names.lines[2].person.last_name == "=Formel"


def test_student_called_test_is_one_elsewhere():
    (line,) = csv_file.read(b'username,name\nteststudent,"Student, Test"\n').lines
    assert (line.person.last_name, line.person.first_name, line.fault) == ("Student", "Test", "")


def test_column_that_names_most_members_is_suggested():
    chosen = roster_columns.suggest(sheet("canvas-gradebook.csv"), {"2026001", "2026003", "gina"})
    assert (chosen.columns["username"], chosen.before_at) == ("SIS User ID", False)
    chosen = roster_columns.suggest(sheet("moodle-grades.csv"), {"bob", "dave"})
    assert (chosen.columns["username"], chosen.before_at) == ("Email address", True)
    assert roster_columns.suggest(sheet("canvas-gradebook.csv"), set()).columns["username"] == "SIS Login ID"
    assert "username" not in roster_columns.suggest(sheet("moodle-grades.csv"), {"alice"}).columns


def test_column_is_suggested_by_the_first_lines():
    lines = [f"{'bob' if n < 300 else 'x'},{'x' if n < 300 else 'bob'}" for n in range(1000)]
    suggested = roster_columns.suggest(tables.read_sheet("\n".join(["one,two", *lines]), COLUMN_NAMES), {"bob"})
    assert suggested.columns["username"] == "one"


GRADEBOOK = b'Student,ID,Section,PS1\n    Points Possible,,,10\n"Li, Bob",4711,A,7\n'  # without the right to see IDs


def test_number_of_canvas_is_no_user_name():
    with pytest.raises(UnclearColumns, match="Canvas's own number"):
        csv_file.read(GRADEBOOK)
    cells = tables.read_sheet(GRADEBOOK.decode(), COLUMN_NAMES)
    assert "username" not in roster_columns.suggest(cells, {"bob"}).columns
    assert roster_columns.suggest(cells, {"4711"}).columns["username"] == "ID"
    (line,) = csv_file.read(GRADEBOOK, ColumnChoice({"username": "ID"})).lines
    assert line.person.username == "4711"


@pytest.mark.parametrize("choice", ["username", "shoe=ID", "=ID"])
def test_choice_that_is_none_is_refused(choice):
    with pytest.raises(Invalid, match="chooses no column"):
        ColumnChoice.parse([choice])


def test_column_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(Invalid, match="no column “Login”. Its columns are: Student, ID, SIS User ID"):
        read("canvas-gradebook.csv", ColumnChoice({"username": "Login"}))


def test_columns_of_the_same_name_are_told_apart():
    content = b"username,email,Email\nbob,a@x.org,b@x.org\n"
    with pytest.raises(UnclearColumns, match="Two columns say “email”: “email”, “Email \\(column 3\\)”"):
        csv_file.read(content)
    (line,) = csv_file.read(content, ColumnChoice({"email": "Email (column 3)"})).lines
    assert line.person.email == "b@x.org"
    (line,) = csv_file.read(content, ColumnChoice({"email": ""})).lines
    assert line.person.email is None


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14", b"\xd0\xcf\x11\xe0\xa1"])
def test_workbook_is_told_to_be_saved_as_csv(content):
    with pytest.raises(Invalid, match="save it as “CSV UTF-8”"):
        csv_file.read(content)


def test_title_above_the_names_of_columns_is_no_line_that_is_lost_without_a_word():
    with pytest.raises(Invalid, match="must name the columns"):
        csv_file.read(b"bob,B\nusername,section\ncarol,C\n")
