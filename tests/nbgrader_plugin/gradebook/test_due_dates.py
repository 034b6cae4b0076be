"""Due dates and extensions in nbgrader's gradebook."""

from datetime import UTC, datetime, timedelta

import pytest

from nbgrader_plugin.gradebook.due_dates import DueDates, due_dates_of, set_due_date, set_due_date_of
from tests.nbgrader_plugin.desk import open_gradebook

DUE = datetime(2027, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def gradebook(tmp_path):
    with open_gradebook(tmp_path, "NBG") as opened:
        opened.add_assignment("ps1", duedate=DUE)
        opened.add_student("bob")
        yield opened


def test_extension_beyond_the_end_of_time_is_the_end_of_time():
    due = DueDates(datetime(9999, 12, 31, tzinfo=UTC), {"bob": timedelta(days=7)})
    assert due.of("bob") == datetime.max.replace(tzinfo=UTC)
    assert due.of("eve") == due.due


def test_due_date_is_written_as_nbgrader_reads_it(gradebook):
    set_due_date(gradebook, "ps1", datetime.fromisoformat("2027-02-01T12:30+01:00"))
    assert gradebook.find_assignment("ps1").duedate == datetime(2027, 2, 1, 11, 30)
    set_due_date(gradebook, "ps1", None)
    assert gradebook.find_assignment("ps1").duedate is None


@pytest.mark.parametrize(
    ("due", "extension"), [(DUE + DAY, DAY), (DUE + timedelta(seconds=1), timedelta(seconds=1)), (DUE, None)]
)
def test_due_date_of_a_student_is_an_extension(gradebook, due, extension):
    set_due_date_of(gradebook, "ps1", "bob", DUE + 2 * DAY)
    set_due_date_of(gradebook, "ps1", "bob", due)
    assert gradebook.find_submission("ps1", "bob").extension == extension
    assert due_dates_of(gradebook.find_assignment("ps1")).of("bob") == due


@pytest.mark.parametrize("due", [None, DUE - DAY])
def test_due_date_that_is_not_later_is_no_extension(gradebook, due):
    set_due_date_of(gradebook, "ps1", "bob", DUE + DAY)
    set_due_date_of(gradebook, "ps1", "bob", due)
    assert gradebook.find_submission("ps1", "bob").extension is None


def test_student_whom_the_gradebook_does_not_have_is_added(gradebook):
    set_due_date_of(gradebook, "ps1", "carol", DUE + DAY)
    assert due_dates_of(gradebook.find_assignment("ps1")).extensions == {"carol": DAY}
