"""Due dates and extensions in nbgrader's gradebook."""

from datetime import UTC, datetime, timedelta

from nbgrader_plugin.gradebook.due_dates import DueDates


def test_extension_beyond_the_end_of_time_is_the_end_of_time():
    due = DueDates(datetime(9999, 12, 31, tzinfo=UTC), {"bob": timedelta(days=7)})
    assert due.of("bob") == datetime.max.replace(tzinfo=UTC)
    assert due.of("eve") == due.due
