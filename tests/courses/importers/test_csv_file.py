"""Rosters as CSV: what is understood of a file, and what it does to a roster."""

import codecs
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses import csv_writer, roster_export
from courses.errors import Invalid
from courses.importers import csv_file, tables
from courses.models import Membership, Role
from courses.permissions import SERVER
from courses.services import RosterEntry
from tests import cast

BJORN = RosterEntry("bob", "student", "Bjørn", "Müller", "b@x.org", "B")
HEADER = ("username", "first_name", "last_name", "email", "section", "role")
CELLS = ("bob", "Bjørn", "Müller", "b@x.org", "B", "student")


def people(content):
    return [line.person for line in csv_file.read(content).lines]


def sheet(*lines, header="username,role,first_name"):
    return csv_file.read("\n".join([header, *lines]).encode())


# Reading


@pytest.mark.parametrize(
    ("codec", "mark", "said"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", codecs.BOM_UTF8, "UTF-8"),
        ("latin-1", b"", "Latin-1"),
        ("cp1252", b"", "Latin-1"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
    ],
)
@pytest.mark.parametrize("separator", tables.SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_every_usual_encoding_separator_and_line_end_is_read(codec, mark, said, separator, end):
    text = "".join(separator.join(cells) + end for cells in (HEADER, CELLS))
    found = csv_file.read(mark + text.encode(codec))
    assert (found.encoding, found.separator, found.columns) == (said, separator, HEADER)
    assert [(line.number, line.person, line.fault) for line in found.lines] == [(2, BJORN, "")]


def test_windows_own_letters_are_read():
    assert people("id;last_name\nbob;Šimůnek “€”".replace("ů", "u").encode("cp1252")) == [
        RosterEntry("bob", last_name="Šimunek “€”")
    ]


@pytest.mark.parametrize("hint", ["sep=;", "SEP=;"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_hint_of_excel_is_followed_and_counts_as_a_line(hint, mark):
    found = csv_file.read(mark + f"{hint}\r\nid;email\r\nbob;b@x.org".encode())
    assert [(line.number, line.person) for line in found.lines] == [(3, RosterEntry("bob", email="b@x.org"))]


@pytest.mark.parametrize(
    ("name", "field"),
    [("User Name", "username"), ("STUDENT_ID", "username"), ("Login-ID", "username"), ("Surname", "last_name")]
    + [("Given name", "first_name"), ("E-Mail", "email"), ("Email address", "email"), (" Section ", "section")],
)
def test_columns_may_be_called_as_others_call_them(name, field):
    header = name if field == "username" else f"id,{name}"
    (person,) = people(f"{header}\nbob,x".encode() if field != "username" else f"{name},email\nbob,x".encode())
    assert person.username == "bob" and getattr(person, field) in ("bob", "x")


def test_file_of_nbgrader_is_read():
    content = b"id,last_name,first_name,email,lms_user_id\nbob,Bitdiddle,Ben,ben@x.org,17\n"
    assert csv_file.read(content).ignored == ("lms_user_id",)
    assert people(content) == [RosterEntry("bob", None, "Ben", "Bitdiddle", "ben@x.org")]


def test_columns_that_are_not_kept_are_named():
    found = csv_file.read(b"id,shoe size,,email\nbob,44,,b@x.org")
    assert (found.columns, found.ignored) == (("id", "email"), ("shoe size",))


def test_cells_lose_the_spaces_around_them_and_empty_ones_say_nothing():
    assert people(b'id, last_name , email,section\n bob\t,"  Smith, Jr. ", "b@x.org",   ') == [
        RosterEntry("bob", last_name="Smith, Jr.", email="b@x.org")
    ]


def test_separators_inside_quotation_marks_belong_to_the_name():
    assert people(b'id,last_name\nbob,"Smith; Jr., the ""third"""') == [
        RosterEntry("bob", last_name='Smith; Jr., the "third"')
    ]


def test_line_numbers_are_those_of_an_editor():
    content = b'\n"user\nname",section\n\nbob,"a\nb\n\nc"\n , \ncarol,x,y\n,z\n'
    found = csv_file.read(content)
    assert [(line.number, line.person.username, bool(line.fault)) for line in found.lines] == [
        (5, "bob", False),
        (10, "carol", True),
        (11, "", True),
    ]


def test_roles_may_be_written_in_capitals():
    assert [person.role for person in people(b"id;role\nbob;STUDENT\ngina; Grader \ndave;")] == [
        "student",
        "grader",
        None,
    ]


@pytest.mark.parametrize("header", ["user,shoe", "user;shoe", "user\tshoe"])
def test_header_is_cut_where_it_has_the_most_columns(header):
    separator = header[4]
    assert people(f"{header}\nbob{separator}Bob the Builder".encode()) == [RosterEntry("bob")]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (",student,Bob", "names nobody"),
        ("bob,student,Bob,x", "has more cells than there are columns"),
        ("a/b", "cannot be a user name"),
        ("\u200bbob", "cannot be a user name"),
        ("*", "cannot be a user name"),
        ("..", "cannot be a user name"),
        ("x" * 256, "cannot be a user name"),
        ('"bob\ncarol"', "cannot be a user name"),
    ],
)
def test_line_that_does_not_say_whom_it_means_is_told(line, fault):
    (found,) = sheet(line).lines
    assert fault in found.fault and found.number == 2


def test_one_column_of_names_takes_no_second():
    (line,) = sheet("bob,Bob", header="username").lines
    assert line.fault == "has more cells than there are columns"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (b"\r\n \r\n;;;\r\n"[:6], "empty"),
        (b"sep=;\n", "empty"),
        (b"bob,Bob\n", "must name the columns"),
        (b"first_name,last_name\nBob,B\n", "must name the columns"),
        (b"id,username\nbob,bob\n", "Two columns say “username”: “username”, “id”"),
        (b"id,Surname,last_name\nbob,B,B\n", "Two columns say “last_name”: “last_name”, “Surname”"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "NUL"),
        (b"PK\x03\x04\x14\x08[Content_Types].xml", "Excel workbook"),
        ("id,role\nbob,\n".encode("utf-16-le"), "NUL"),
        (b"\xff\xfei\0d\0\n", "cannot be read"),
        (b"\xff\xfei\0d\0\n\0\0\xd8,\0", "cannot be read"),
        (b"id,role\nbob," + b"x" * 200_000, "Line 2 cannot be read"),
        (b"x" * 5_000_001, "5,000,000 bytes"),
        (b"id\n" + b"x\n" * 20_001, "20,000 lines at most"),
        (b"id\n" + b"x\n" * 2_000_000, "20,000 lines at most"),
        (b"id," * 1_500_000, "1,500,001 columns"),
    ],
)
def test_what_is_no_roster_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(Invalid, match=sentence):
        csv_file.read(content)


@pytest.mark.parametrize("before", [b"", b"sep=,\n"])
def test_quotation_mark_that_is_never_closed_swallows_nobody(before):
    with pytest.raises(Invalid, match=f"Line {3 + bool(before)} cannot be read"):
        csv_file.read(before + b'id,last_name\ncarol,C\nbob,"Smith\ndave,D\n')


def test_twenty_thousand_lines_are_read():
    assert len(csv_file.read(b"id\n" + b"x\n" * 20_000).lines) == 20_000


def test_file_that_grows_when_it_is_written_as_utf8_is_still_one():
    line = b"\xe9" * 248 + b"\n"
    text, encoding = tables.decode(b"id\n" + line * 20_000)
    assert encoding == "Latin-1" and len(text.encode()) > tables.MAX_BYTES
    assert len(csv_file.read_text(text.replace("\n", "\r\n")).lines) == 20_000


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"id,role\n{text}".encode("utf-8", "replace")))
def test_any_bytes_are_a_roster_or_refused_and_survive_the_form_of_a_browser(content):
    with suppress(Invalid):
        found = csv_file.read(content)
        text = tables.decode(content)[0]
        assert csv_file.read_text(text.replace("\n", "\r\n")).lines == found.lines


# Writing

ODD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        " x ",
        "'=1",
        "=1",
        " =1",
        "-",
        "''",
        "\t",
        "\r\nx",
        "\rx\r",
        "a;b,c\t|",
        '"',
        '"a',
        "\ufeff",
        "x\x85",
        "＝1",
        "'\tx",
    ]
)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=20)


@given(NAMES.filter(lambda name: name not in (".", "..", "*")), ODD)
def test_what_is_written_is_read_back(username, value):
    content = "".join(csv_writer.write_rows([("username", "last_name"), (username, value)])).encode()
    trimmed = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert people(content) == [RosterEntry(username, last_name=trimmed or None)]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ODD | st.none(), min_size=3, max_size=3), ODD)
def test_importing_what_was_exported_changes_nothing(course, names, section):
    bob = Membership.objects.get(user__username="bob")
    bob.first_name, bob.last_name, bob.email, bob.section = *names, section
    bob.save()
    before = cast.everything()
    content = "".join(roster_export.export_roster(course.memberships.all())).encode()
    report, _ = csv_file.import_roster(course, csv_file.read(content), by=SERVER, remove_others=True)
    assert {row.result for row in report.rows} == {"unchanged"}
    assert cast.everything() == before


def test_value_that_a_cell_cannot_carry_whole_can_still_be_changed(course):
    Membership.objects.filter(user__username="bob").update(first_name=" Bob ")
    csv_file.import_roster(course, sheet("bob,,Robert"), by=SERVER)
    assert course.memberships.get(user__username="bob").first_name == "Robert"


def test_roster_of_any_size_is_one_query(course, django_assert_num_queries):
    with django_assert_num_queries(1):
        lines = list(roster_export.export_roster(course.memberships.all()))
    assert [line.strip() for line in lines] == [
        "username,first_name,last_name,email,section,role",
        "alice,,,,,instructor",
        "bob,,,,,student",
        "dave,,,,,student",
        "gina,,,,,grader",
    ]


def test_nbgrader_gets_the_students_under_their_very_names_and_no_formula(course):
    cast.enrol(course, "@mal", Role.STUDENT)
    cast.enrol(course, "eve+1", Role.STUDENT, first_name="=1+1", last_name='"', email="e@x.org")
    lines = [line.strip() for line in roster_export.export_for_nbgrader(course.memberships.all())]
    assert sorted(lines) == ["bob,,,", "dave,,,", 'eve+1,\'=1+1,"""",e@x.org', "id,first_name,last_name,email"]
