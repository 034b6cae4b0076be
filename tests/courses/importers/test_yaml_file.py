"""`apply_courses`: courses and rosters as a YAML file declares them."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from courses import services
from courses.errors import Invalid, PermissionDenied
from courses.importers import yaml_file
from courses.models import AuditEntry, Course, Membership, User
from courses.permissions import SERVER
from tests.cast import COURSE, actor, everything

FILE = """
courses:
  NBG 101:
    instructors: [alice]
    graders: [gina]
    students:
      - bob
      - {username: carol, first_name: Carol, last_name: Cook, email: c@x.edu, section: B}
  New:
    instructors: [carol]
    students: [bob]
"""


@pytest.fixture
def apply(tmp_path):
    """(went well, what was said on standard output and error)"""

    def run(content, *arguments):
        path = tmp_path / "courses.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return called(str(path), *arguments)

    return run


def called(*arguments):
    out = io.StringIO()
    try:
        call_command("apply_courses", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        return False, f"{out.getvalue()}{error}"
    return True, out.getvalue()


def roster(name=COURSE):
    found = Membership.objects.filter(course__name=name, course__removed_at=None)
    return dict(found.values_list("user__username", "role"))


def people(*names):
    return f"courses: {{{COURSE}: {{students: [{', '.join(names)}]}}}}"


# What it does


def test_courses_and_rosters_come_to_be_as_declared(course, apply):
    went_well, said = apply(FILE)
    assert went_well
    assert said.splitlines() == [
        "NBG 101: 1 created, 3 unchanged",
        "carol: created as student",
        "New: new; 2 created",
        "carol: created as instructor",
        "bob: created as student",
    ]
    assert roster("New") == {"carol": "instructor", "bob": "student"}
    carol = Membership.objects.get(course=course, user__username="carol")
    assert (carol.first_name, carol.last_name, carol.email, carol.section) == ("Carol", "Cook", "c@x.edu", "B")


def test_repeat_changes_nothing(course, apply):
    apply(FILE)
    before = everything()
    assert apply(FILE) == (True, "NBG 101: 4 unchanged\nNew: 2 unchanged\n")
    assert everything() == before


def test_what_is_done_is_logged_as_the_servers(course, apply):
    apply(FILE)
    created, changed = AuditEntry.objects.filter(course="New").order_by("pk")
    assert (created.action, created.role, created.actor) == ("create course", "server", "")
    assert changed.details["source"] == "declaration" and changed.details["created"] == ["carol", "bob"]


REFUSALS = """
courses:
  New:
    instructors: [erin]
    students: [bob, {username: dave, first_name: "a\\0b"}]
    remove_others: true
  NBG 101:
    graders: [alice, bob]
    students: [gina, {username: erin, section: A}]
    remove_others: true
"""


def test_dry_run_says_what_is_done_then_and_writes_nothing(course, apply):
    before, known = everything(), set(User.objects.values_list("username", flat=True))
    _, foretold = apply(REFUSALS.replace("erin", "frank"), "--dry-run")
    assert everything() == before and set(User.objects.values_list("username", flat=True)) == known
    went_well, said = apply(REFUSALS.replace("erin", "frank"))
    assert foretold.splitlines() == [
        "New: new; 2 created, 1 refused",
        "frank: created as instructor",
        "bob: created as student",
        "dave: refused (first_name has a character that cannot be stored)",
        "NBG 101: 1 created, 1 changed, 1 removed, 2 refused",
        "alice: refused (is instructor of this course; a roster never demotes staff)",
        "bob: changed; role 'student' → 'grader'",
        "gina: refused (is grader of this course; a roster never demotes staff)",
        "frank: created as student",
        "dave: removed",
        "dry run: nothing was done",
        "3 of the declared people were refused.",
    ]
    assert not went_well and said == foretold.replace("dry run: nothing was done\n", "")


def test_refused_people_are_left_out_and_the_rest_is_done(course, apply):
    went_well, _ = apply(REFUSALS)
    assert not went_well
    assert roster() == {"alice": "instructor", "gina": "grader", "bob": "grader", "erin": "student"}
    assert roster("New") == {"erin": "instructor", "bob": "student"}


def test_others_stay_unless_the_file_says_so(course, apply):
    apply(people("bob"))
    assert set(roster()) == {"alice", "gina", "bob", "dave"}
    apply(f"courses: {{{COURSE}: {{students: [bob], remove_others: false}}}}")
    assert set(roster()) == {"alice", "gina", "bob", "dave"}


@pytest.mark.parametrize("yes", ["true", "True", "yes", '"true"'])
def test_others_are_taken_off_but_never_staff(course, apply, yes):
    went_well, said = apply(f"courses: {{{COURSE}: {{students: [bob], remove_others: {yes}}}}}")
    assert went_well and "dave: removed" in said
    assert roster() == {"alice": "instructor", "gina": "grader", "bob": "student"}


def test_course_that_holds_nothing_is_made(course, apply):
    assert apply("courses:\n  Empty:\n  Also: {}\n") == (
        True,
        "Empty: new; nobody is named\nAlso: new; nobody is named\n",
    )


def test_no_course_at_all_does_nothing(course, apply):
    before = everything()
    assert apply("courses: {}") == (True, "")
    assert everything() == before


def test_course_in_the_bin_stays_there_and_is_told_of(course, apply):
    services.trash_course(course, by=SERVER)
    went_well, said = apply(people("erin"), "--dry-run")
    assert went_well and said.startswith("NBG 101: new, beside a course of this name in the trash; 1 created\n")
    assert Course.objects.filter(name=COURSE).count() == 1
    apply(people("erin"))
    assert roster() == {"erin": "student"} and course.memberships.count() == 4
    assert apply(people("erin")) == (True, "NBG 101: 1 unchanged\n")


def test_one_transaction_holds_the_whole_file(course):
    declared = yaml_file.read(f"courses: {{{COURSE}: {{students: [erin]}}, New: {{}}, Other: {{}}}}")
    before = everything()
    with pytest.raises(PermissionDenied):
        yaml_file.apply_declarations(declared, by=actor("alice"))  # may change her roster, and make no course
    assert everything() == before


# How it reads


@pytest.mark.parametrize("name", ["007", "no", "null", "~", "true", "1e3", "2026-11-03", "0x1F", "=", "'!x'", "1_000"])
def test_names_are_the_text_that_stands_there(course, apply, name):
    assert apply(f"courses: {{{name}: {{students: [{name}]}}}}")[0]
    written = name.strip("'")
    assert roster(written) == {written: "student"}


def test_anchors_may_share_what_courses_have_in_common(course, apply):
    assert apply("courses: {A: {students: &all [bob, dave]}, B: {graders: *all}}")[0]
    assert roster("B") == {"bob": "grader", "dave": "grader"}


def test_byte_order_mark_and_utf16_are_understood(course, apply):
    text = people("bób")
    assert apply(b"\xef\xbb\xbf" + text.encode())[0]
    assert apply(text.encode("utf-16"))[1] == "NBG 101: 1 unchanged\n"


BOMB = "a: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
CROWD = "courses:\n  C0: {students: &all [" + ", ".join(f"s{n}" for n in range(1000)) + "]}\n"
CROWD += "".join(f"  C{n}: {{students: *all}}\n" for n in range(1, 1001))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file must hold keys and values: courses."),
        ("7", "The file must hold keys"),
        ("[courses]", "The file must hold keys"),
        ("{}", "“courses” must map"),
        ("courses:", "“courses” must map"),
        ("courses: [A]", "“courses” must map"),
        ("courses: {}\nversion: 2", "unknown key 'version'"),
        ("courses: {New: {}, A: {student: [x]}}", "The course A has the unknown key 'student'"),
        ("courses: {New: {}, A: {<<: {students: [x]}}}", "unknown key '<<'"),
        ("courses: {New: {}, New: {}}", "Line 1: 'New' comes twice."),
        ("courses:\n  New: {}\n  'New': {}", "Line 3: 'New' comes twice."),
        ("courses: {New: {students: [x], students: [y]}}", "'students' comes twice"),
        ("courses: {New: {}, A: {students: [{username: x, username: y}]}}", "'username' comes twice"),
        ("courses: {New: {}, [A]: {}}", "a key must be text"),
        ("courses: {New: {}, ? {A: b} : {}}", "a key must be text"),
        ("courses: {New: {}, A: x}", "The course A must hold keys and values"),
        ("courses: {New: {}, A: []}", "The course A must hold keys and values"),
        ("courses: {New: {}, A: [x]}", "The course A must hold keys and values"),
        ("courses: {New: {}, a/b: {}}", "'a/b' cannot be a course name"),
        ("courses: {New: {}, '': {}}", "cannot be a course name"),
        ('courses: {New: {}, "a\\nb": {}}', "cannot be a course name"),
        ("courses: {New: {}, A: {students: x}}", "A, students must be a list."),
        ("courses: {New: {}, A: {students: {x: y}}}", "A, students must be a list."),
        ("courses: {New: {}, A: {students: {}}}", "A, students must be a list."),
        ("courses: {New: {}, A: {students: [[x]]}}", "A, students must hold keys and values"),
        ("courses: {New: {}, A: {students: [[]]}}", "A, students must hold keys and values"),
        ("courses: {New: {}, A: {students: [{}]}}", "A, students: a person needs a “username”."),
        ("courses: {New: {}, A: {students: [{username: [x]}]}}", "every value of a person must be text"),
        ("courses: {New: {}, A: {students: [{username: x, email: {}}]}}", "must be text"),
        ("courses: {New: {}, A: {students: [{username: x, role: grader}]}}", "unknown key 'role'"),
        ("courses:\n  New:\n  A:\n    students:\n    -\n", "A, students: '' cannot be a user name"),
        ("courses: {New: {}, A: {graders: [x/y]}}", "A, graders: 'x/y' cannot be a user name"),
        (
            "courses: {New: {}, A: {students: [x], graders: [x]}}",
            "A: x comes twice; a person has one role in a course.",
        ),
        ("courses: {New: {}, A: {students: [x, x]}}", "x comes twice"),
        ("courses: {New: {}, A: {remove_others: }}", "A, remove_others: write true or false."),
        ("courses: {New: {}, A: {remove_others: 1}}", "write true or false"),
        ("courses: {New: {}, A: {remove_others: [true]}}", "write true or false"),
        ("courses: {New: {}", "This is not YAML"),
        ("courses: {New: {}}\n---\ncourses: {}", "This is not YAML"),
        ("\tcourses: {New: {}}", "This is not YAML"),
        ("courses: {New: {}, A: *nowhere}", "This is not YAML"),
        ("courses: &a {New: *a}", "This is not YAML"),
        ("courses: {New: {students: &a [*a]}}", "This is not YAML"),
        ('courses: {New: {}, "\\UFFFFFFFF": {}}', "This is not YAML"),
        ("%YAML " + "1" * 5000 + ".1\n--- {courses: {}}", "This is not YAML"),
        ("courses: " + "[" * 20_000, "This is not YAML"),
        ("courses: " + "{a: " * 20_000, "This is not YAML"),
        (b"courses: {New: {}, caf\xe9: {}}", "This is not YAML"),
        (b"courses: {New: {}}\0", "This is not YAML"),
        (BOMB + "courses: *a11", "The file has the unknown key 'a'"),
        (BOMB + "courses: {New: {students: *a11}}", "The file has the unknown key 'a'"),
        (CROWD, "names more than 200,000 people"),
    ],
)
def test_what_is_not_foreseen_stops_the_whole_file_before_anything_is_done(course, apply, content, sentence):
    before = everything()
    went_well, said = apply(content)
    assert not went_well and sentence in said, said
    assert "\n" not in said and len(said) < 500
    assert everything() == before and not User.objects.filter(username__startswith="x").exists()


def test_tags_run_nothing(course):
    text = "courses: {A: {students: [!!python/object/apply:os.system [x]]}}"
    with pytest.raises(Invalid, match="must hold keys and values"):
        yaml_file.read(text)
    (declared,) = yaml_file.read("courses: {A: {students: [!!int 007, !!python/name:os.system x]}}")
    assert [one.username for one in declared.people] == ["007", "x"]


@pytest.mark.wide
def test_many_courses_are_read_in_a_moment():
    text = "courses:\n" + "".join(f"  C{n}: {{students: [a{n}]}}\n" for n in range(5000))
    assert len(yaml_file.read(text)) == 5000


# Where it comes from


def test_dash_is_standard_input(course, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(people("bób").encode()), "latin-1"))
    assert called("-") == (True, "NBG 101: 1 created\nbób: created as student\n")


def test_file_that_cannot_be_read_is_told(course, tmp_path):
    before = everything()
    for path, why in ((tmp_path / "nowhere.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        assert called(str(path)) == (False, f"{path} cannot be read: {why}.")
    assert everything() == before
