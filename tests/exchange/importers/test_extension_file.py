"""Extensions as CSV: what is understood of a file, and what is said of a line that is not."""

from datetime import UTC, datetime, timedelta

import pytest

from courses.errors import Invalid
from courses.models import Membership
from exchange import services
from exchange.importers import extension_file
from tests import cast

DUE = datetime(2031, 7, 1, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_berlin(course, assignment):
    course.timezone = "Europe/Berlin"
    course.save()
    Membership.objects.filter(user__username="dave").update(section="B")
    changes = {"due": DUE, "cut_off": DUE + timedelta(days=1), "max_attempts": 3}
    services.set_deadlines(assignment, changes, by=cast.actor("alice"))
    assignment.course = course


def read(assignment, *lines, header="username,section,due,cut_off,attempts,reason"):
    return extension_file.read(assignment, "\n".join([header, *lines]))


def test_times_without_an_offset_are_in_the_zone_of_the_course(assignment):
    file = read(assignment, "bob,,2031-07-03T12:00,2031-07-04 12:00:00+00:00,2,illness")
    assert file.faults == []
    assert file.grants == [
        services.Grant(
            "bob",
            due=DUE + timedelta(days=2),
            cut_off=datetime(2031, 7, 4, 12, tzinfo=UTC),
            attempts=2,
            reason="illness",
        )
    ]


def test_sections_and_other_names_of_columns_are_understood(assignment):
    (grant,) = read(assignment, "B;2031-07-03T00:00", header="Section;Due date").grants
    assert (grant.section, grant.due) == ("B", datetime(2031, 7, 2, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("erin,,2031-07-03T00:00,,,", "Line 2, column username: erin is not a member of NBG 101."),
        (",Z,2031-07-03T00:00,,,", "Line 2, column section: nobody is in section Z of NBG 101."),
        ("bob,,tomorrow,,,", "Line 2, column due: 'tomorrow' is not a time; write it as"),
        (
            "bob,,2031-07-03,,,",
            "Line 2, column due: 2031-07-03 lacks the time of day; write for",
        ),
        ("bob,,2031-13-01T00:00,,,", "Line 2, column due: '2031-13-01T00:00' is not a time"),
        ("bob,,,2031-03-30T02:30,,", "Line 2, column cut_off: 2031-03-30 02:30 does not exist in Europe/Berlin"),
        ("bob,,,,many,", "Line 2, column attempts: 'many' is not a number."),
        ("bob,,,,-1,", "Line 2, column attempts: '-1' is not a number."),
        ("bob,B,2031-07-03T00:00,,,", "Line 2: An extension is for a person or for a section."),
        (",,2031-07-03T00:00,,,", "Line 2: An extension is for a person or for a section."),
        ("bob,,,,,illness", "Line 2: An extension needs a due date, a cut-off or further attempts."),
        ("bob,,2031-07-03T00:00,,,,surplus", "Line 2: has more cells than there are columns."),
        ("bob,,2031-07-03T00:00,2031-07-02T00:00,,", "Line 2: The cut-off of bob would be before the due date."),
    ],
)
def test_fault_names_line_and_column(assignment, line, fault):
    file = read(assignment, line, "dave,,2031-07-03T00:00,,,")
    assert len(file.faults) == 1 and file.faults[0].startswith(fault)


def test_somebody_who_comes_twice_is_a_fault(assignment):
    assert read(
        assignment, "bob,,2031-07-03T00:00,,,", "dave,,2031-07-03T00:00,,,", "bob,,2031-07-04T00:00,,,"
    ).faults == ["Line 4: bob is in line 2 already."]


@pytest.mark.parametrize(("header", "message"), [("due,reason", "“username” or “section”"), ("username", "nobody")])
def test_file_that_is_no_table_of_extensions_is_refused(assignment, header, message):
    with pytest.raises(Invalid, match=message):
        read(assignment, header=header)


def test_what_is_exported_can_be_imported(assignment):
    lines = ['bob,,2031-10-26T02:30:00+02:00,,2,"=ill, very"', ",B,,2031-07-09T00:00:00+02:00,,"]
    file = read(assignment, *lines)
    services.grant_extensions(assignment, file.grants, by=cast.actor("alice"))
    text = "".join(extension_file.export(assignment))
    assert "2031-10-26T02:30:00+02:00" in text and "2031-07-09T00:00:00+02:00" in text
    again = extension_file.read(assignment, text)
    assert again.faults == [] and sorted(map(repr, again.grants)) == sorted(map(repr, file.grants))
