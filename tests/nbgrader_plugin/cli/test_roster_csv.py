"""What is understood of a CSV file, whichever program wrote it."""

import io
from pathlib import Path

import pytest

from nbgrader_plugin.cli.output import CommandFailed
from nbgrader_plugin.cli.roster_csv import ColumnChoice, read, write

WANTED = {"username": "bob", "first_name": "Bjørn", "last_name": "Müller", "email": "b@x.org"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["student_id", "username", "id", "Student ID"])
def test_any_usual_encoding_separator_and_name_of_the_first_column(encoding, separator, name):
    lines = [[name, "First Name", "last_name", "email", "shoe size"], ["bob", " Bjørn", "Müller", "b@x.org", "44"]]
    text = "\r\n".join(separator.join(cells) for cells in lines)
    assert [dict(line.fields) for line in read(text.encode(encoding))] == [WANTED]


def test_empty_cells_and_lines_say_nothing():
    (line,) = read(b"student_id,first_name,email\n\n,,\nbob,,\n")
    assert dict(line.fields) == {"username": "bob"}
    assert line.line == 4


def test_quoted_separators_and_line_breaks_belong_to_the_cell():
    (line,) = read(b'id;last_name\nbob;"Smith;\nJr."\n')
    assert line.fields["last_name"] == "Smith;\nJr."


@pytest.mark.parametrize("content", [b"", b"\n", b"bob,Bob\n", b"id,username\nbob,bob\n"])
def test_file_without_one_column_of_names_is_refused(content):
    with pytest.raises(CommandFailed):
        read(content)


def test_what_is_written_is_read_back_and_holds_no_formula():
    member = {
        "username": "bob",
        "role": "student",
        "first_name": "=1+1",
        "last_name": "O'Neill",
        "email": "-",
        "section": "'@",
    }
    text = io.StringIO()
    write([member], text)
    assert "'=1+1" in text.getvalue()
    (line,) = read(text.getvalue().encode())
    assert dict(line.fields) == member


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", " =1", "\t＝1", "\r\n@x", "'＝1"]
)
def test_nothing_written_is_a_formula(cell):
    text = io.StringIO()
    write([{"username": "bob", "last_name": cell}], text)
    assert text.getvalue().splitlines()[1] == f"bob,,'{cell.strip()},,,"
    (line,) = read(text.getvalue().encode())
    assert line.fields["last_name"] == cell.strip()


def test_names_do_not_control_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    text = Terminal()
    write([{"username": "bob", "last_name": "\x1b[2JSmith\nJr."}], text)
    assert text.getvalue().splitlines()[1] == "bob,,[2JSmith Jr.,,,"


PLATFORMS = Path(__file__).parents[2] / "courses" / "importers" / "platforms"
LOGIN = ColumnChoice({"username": "SIS Login ID"})
EMAIL = ColumnChoice({"username": "email address"}, before_at=True)


@pytest.mark.parametrize(
    ("name", "choice"),
    [("canvas-gradebook.csv", LOGIN), ("canvas-gradebook-names.csv", LOGIN), ("moodle-grades.csv", EMAIL)]
    + [("canvas-class-roster.csv", ColumnChoice({"username": "Email"}, before_at=True))]
    + [("moodle-grading-worksheet.csv", EMAIL), ("moodle-grades-username.csv", None), ("moodle-participants.csv", None)]
    + [("blackboard-grade-center.xls", ColumnChoice({"username": "Username"})), ("blackboard-gradebook.csv", None)]
    + [("sakai-gradebook.csv", None), ("sakai-assignment-grades.csv", None)],
)
def test_files_of_learning_platforms_are_read(name, choice):
    people = read((PLATFORMS / name).read_bytes(), choice)
    assert [person.username for person in people] == ["bob", "dave", "frank"]
    assert [(person.fields["first_name"], person.fields["last_name"]) for person in people][:2] == [
        ("Bob", "Li"),
        ("Dave", "Müller"),
    ]


def test_columns_that_could_be_meant_are_named_with_the_option_that_chooses():
    with pytest.raises(CommandFailed, match="3 columns say “username”: “ID”, .* --column username='ID'"):
        read((PLATFORMS / "canvas-gradebook.csv").read_bytes())


@pytest.mark.parametrize("choice", ["shoe=ID", "username"])
def test_choice_that_is_none_is_refused(choice):
    with pytest.raises(CommandFailed, match="FIELD=COLUMN"):
        ColumnChoice.parse([choice], before_at=False)


def test_column_that_is_not_there_is_refused():
    with pytest.raises(CommandFailed, match="no column “Login”"):
        read(b"id,email\nbob,b@x.org\n", ColumnChoice({"username": "Login"}))
