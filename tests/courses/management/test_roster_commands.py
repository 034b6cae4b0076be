"""import_roster and export_roster: what they write where, and with which status they end."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line

from courses.management.output import format_counts
from courses.models import AuditEntry, Course, Role, User
from courses.roster import RosterReport
from tests import cast


@pytest.fixture
def bring(course, tmp_path):
    """Imports the text of a file. Gives the lines of standard output, of standard error, and the error at the end."""

    def call(content, *options):
        file = tmp_path / "roster.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        out, err, error = io.StringIO(), io.StringIO(), None
        try:
            call_command("import_roster", cast.COURSE, str(file), *options, stdout=out, stderr=err)
        except CommandError as caught:
            error = str(caught)
        return out.getvalue().splitlines(), err.getvalue().splitlines(), error

    return call


def export(*options, course=cast.COURSE):
    out = io.StringIO()
    call_command("export_roster", course, *options, stdout=out)
    return out.getvalue()


def members(course):
    return dict(course.memberships.values_list("user__username", "role"))


# import_roster

CANVAS = Path(__file__).parents[1] / "importers" / "platforms" / "canvas-gradebook.csv"


def test_columns_that_are_unclear_are_named_with_the_option_that_chooses(course, bring):
    before = cast.everything()
    out, err, error = bring(CANVAS.read_bytes())
    assert (out, err) == ([], [])
    assert "3 columns say “username”: “SIS Login ID”, “ID”, “SIS User ID”" in error
    assert "--column username='SIS Login ID'" in error
    assert cast.everything() == before


def test_columns_can_be_chosen(course, bring):
    out, err, error = bring(CANVAS.read_bytes(), "--column", "username=sis login id", "--column", "section=")
    assert "line 6: frank: created as student" in out and error is None
    assert "line 7: left out (Student, Test)" in err
    assert course.memberships.get(user__username="frank").section == ""


def test_user_names_can_be_what_comes_before_the_at(course, bring):
    out, _, error = bring("mail\ngrace@example.edu\n", "--column", "username=mail", "--before-at")
    assert out[0] == "line 2: grace: created as student" and error is None
    assert course.memberships.get(user__username="grace").email == "grace@example.edu"


@pytest.mark.parametrize("choice", ["username", "shoe=id", "username=shoe"])
def test_choice_of_no_column_is_refused(course, bring, choice):
    before = cast.everything()
    out, _, error = bring("id\nfrank\n", "--column", choice)
    assert out == [] and ("chooses no column" in error or "no column “shoe”" in error)
    assert cast.everything() == before


def test_each_change_is_told_by_its_line(course, bring):
    out, err, error = bring("id;role;section\nbob;grader;B\nfrank;;\n\ndave;;\n", "--remove-others")
    assert out == [
        "line 2: bob: changed; role 'student' → 'grader'; section '' → 'B'",
        "line 3: frank: created as student",
        "NBG 101: 1 created, 1 changed, 1 unchanged",
    ]
    assert (err, error) == ([], None)


def test_members_that_are_removed_are_told(course, bring):
    out, _, error = bring("id\nbob\n", "--remove-others")
    assert out == ["dave: removed", "NBG 101: 1 unchanged, 1 removed"] and error is None
    assert "dave" not in members(course)


def test_refused_lines_go_to_standard_error_and_end_with_a_failure_while_the_others_are_applied(course, bring):
    out, err, error = bring("id,role\ngina,student\nfrank,student\n,x\n")
    assert out == ["line 3: frank: created as student", "NBG 101: 1 created, 2 refused"]
    assert err == [
        "line 2: gina: refused (is grader of this course; a roster never demotes staff)",
        "line 4: (nobody): refused (names nobody)",
    ]
    assert error == "2 lines were refused."
    assert members(course) == {**cast.ROLES, "frank": "student"}


def test_columns_that_are_not_kept_are_told(course, bring):
    assert bring("id,shoe size,lms_user_id\nbob,44,1")[1] == ["columns that are not imported: shoe size, lms_user_id"]


def test_dry_run_tells_the_same_and_writes_nothing(course, bring):
    content = "id,role\nbob,grader\nfrank,\n"
    before, people = cast.everything(), User.objects.count()
    out, _, _ = bring(content, "--dry-run", "--remove-others")
    assert (cast.everything(), User.objects.count()) == (before, people)
    assert out.pop() == "NBG 101: 1 created, 1 changed, 1 removed (dry run: nothing was done)"
    assert bring(content, "--remove-others")[0][:-1] == out


def test_repeat_changes_nothing(course, bring):
    bring("id,role\nbob,grader\nfrank,\n")
    before = cast.everything()
    assert bring("id,role\nbob,grader\nfrank,\n")[0] == ["NBG 101: 2 unchanged"]
    assert cast.everything() == before


def test_others_stay_without_being_asked(course, bring):
    assert bring("id\n") == (["NBG 101: nobody is named"], [], None)
    assert members(course) == cast.ROLES


def test_server_makes_instructors_and_is_named_in_the_log(course, bring):
    bring("id,role\nbob,instructor\n")
    assert members(course)["bob"] == "instructor"
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.role, entry.action) == ("", "server", "change roster")
    assert entry.details["source"] == "CSV"


def test_file_may_come_through_a_pipe(course, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\ufeffid;first_name\nbob;Bjørn".encode())))
    call_command("import_roster", cast.COURSE, "-", stdout=io.StringIO())
    assert course.memberships.get(user__username="bob").first_name == "Bjørn"


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("", (), "The file is empty."),
        (b"\x89PNG\r\n\0", (), "NUL"),
        ("bob\x1b[2J,Bob", (), r"It is: bob\[2J, Bob\."),
        ("id,role\nbob,grader\n,x\n", ("--remove-others",), "Line 3 names nobody"),
        ("id\n", ("--remove-others",), "The file names nobody"),
    ],
    ids=["empty", "image", "no header", "a line of nobody", "nobody"],
)
def test_what_is_no_roster_ends_the_command_with_a_sentence(course, bring, content, options, sentence):
    before = cast.everything()
    out, err, error = bring(content, *options)
    assert (out, err) == ([], []) and re.search(sentence, error)
    assert cast.everything() == before


def test_names_out_of_a_file_do_not_steer_the_terminal(course, bring):
    out, err, _ = bring('id,first_name\nb\x1b[2Job,\n"a\nb",\nbob,\x1b[2J\n')
    assert err[0].startswith(r"line 2: 'b\x1b[2Job': refused") and err[1].startswith(r"line 3: 'a\nb': refused")
    assert not any("\x1b" in line for line in out + err)


@pytest.mark.parametrize("file", ["absent.csv", "."])
def test_file_that_cannot_be_read_is_told(course, tmp_path, file):
    with pytest.raises(CommandError, match="cannot be read: (No such file|Is a directory)"):
        call_command("import_roster", cast.COURSE, str(tmp_path / file))


@pytest.mark.parametrize("command", [("import_roster", "Nowhere", "x.csv"), ("export_roster", "Nowhere")])
def test_course_that_does_not_exist_is_told(course, command):
    with pytest.raises(CommandError, match="There is no course Nowhere"):
        call_command(*command)


@pytest.mark.parametrize("command", [("import_roster", cast.COURSE, "x.csv"), ("export_roster", cast.COURSE)])
def test_course_in_the_bin_has_no_roster(course, command):
    Course.objects.filter(pk=course.pk).update(removed_at=course.created)
    with pytest.raises(CommandError, match="There is no course"):
        call_command(*command)


def test_shell_sees_the_failure(course, tmp_path, capsys):
    file = tmp_path / "roster.csv"
    file.write_text("id\na/b\n")
    with pytest.raises(SystemExit) as end:
        execute_from_command_line(["manage.py", "import_roster", cast.COURSE, str(file)])
    assert end.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1] == "CommandError: 1 line was refused."


# export_roster


def test_roster_is_written_to_standard_output(course):
    cast.enrol(course, "eve", Role.STUDENT, first_name="Éve", last_name="=1", email='"', section="B;2")
    assert export().splitlines() == [
        "username,first_name,last_name,email,section,role",
        "alice,,,,,instructor",
        "bob,,,,,student",
        "dave,,,,,student",
        'eve,Éve,\'=1,"""",B;2,student',
        "gina,,,,,grader",
    ]


def test_students_are_written_for_nbgrader(course):
    assert export("--nbgrader") == "id,first_name,last_name,email\r\nbob,,,\r\ndave,,,\r\n"


@pytest.mark.parametrize("options", [(), ("--nbgrader",)])
def test_file_holds_the_same_bytes(course, tmp_path, options):
    cast.enrol(course, "eve", Role.STUDENT, first_name="Éve\nA.")
    file = tmp_path / "roster.csv"
    assert export(*options, "--output", str(file)) == ""
    assert file.read_bytes() == export(*options).encode()


def test_file_that_cannot_be_written_is_told(course, tmp_path):
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        export("--output", str(tmp_path / "no" / "roster.csv"))


def test_import_of_an_export_changes_nothing(course, bring):
    cast.enrol(course, "'-eve", Role.STUDENT, first_name=" É\r\n ", last_name="'=1", email="a,b;c\t", section="\"'")
    before = cast.everything()
    assert bring(export(), "--remove-others") == (["NBG 101: 5 unchanged"], [], None)
    assert cast.everything() == before


def test_roster_moves_to_another_course(course, tmp_path):
    cast.enrol(course, "'-eve", Role.STUDENT, first_name="É", last_name="'=1", section='"')
    other = Course.objects.create(name="Other")
    file = tmp_path / "roster.csv"
    export("--output", str(file))
    call_command("import_roster", "Other", str(file), stdout=io.StringIO())
    assert export(course="Other") == export()
    assert members(other) == members(course)


def test_report_of_nobody_says_so():
    assert format_counts(RosterReport()) == "nobody is named"
