"""Due dates in formgrader: the dialog of an assignment, and what the page says."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import requests
from nbgrader.utils import to_numeric_tz

from nbgrader_plugin.formgrader_due_dates import typed_due_date
from tests.nbgrader_plugin.desk import call, jupyter_server, open_gradebook
from tests.nbgrader_plugin.people import notebook, write
from tests.nbgrader_plugin.test_formgrader_fix import course_directory

BERLIN = "Europe/Berlin"
DUE = datetime(2101, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "offset", "zone", "due"),
    [
        ("2101-01-31T12:00", "+0000", "UTC", "2101-01-31T12:00+00:00"),
        ("2101-01-31T12:00", None, "UTC", "2101-01-31T12:00+00:00"),
        ("2101-01-31T12:00:30", "+0500", "UTC", "2101-01-31T07:00:30+00:00"),
        ("2026-01-31T12:00", "today", BERLIN, "2026-01-31T11:00+00:00"),
        ("2026-07-31T12:00", "today", BERLIN, "2026-07-31T10:00+00:00"),
        ("2026-03-29T02:30", "today", BERLIN, "2026-03-29T01:30+00:00"),
        ("2026-10-25T02:30", "today", BERLIN, "2026-10-25T01:30+00:00"),  # the second of the two
        ("2026-07-31T12:00", "+0300", BERLIN, "2026-07-31T09:00+00:00"),
        ("2026-07-31T12:00", "+0200", "Nowhere/Nothing", "2026-07-31T10:00+00:00"),
        (None, None, BERLIN, None),
        ("", "+0100", BERLIN, None),
    ],
)
def test_offset_that_the_dialog_suggests_means_the_zone(typed, offset, zone, due):
    offset = to_numeric_tz(zone) if offset == "today" else offset
    fields = {"duedate_notimezone": typed, "duedate_timezone": offset}
    assert typed_due_date(fields, zone) == (due and datetime.fromisoformat(due))


@pytest.mark.parametrize(
    ("typed", "offset"),
    [("soon", "+0000"), ("2101-02-31T12:00", "+0700"), ("soon", None), ("2101-01-31T12:00", "Nowhere/Nothing")],
)
def test_what_is_no_time_is_refused(typed, offset):
    with pytest.raises(ValueError):
        typed_due_date({"duedate_notimezone": typed, "duedate_timezone": offset}, "UTC")


@pytest.fixture
def formgrader(desk, courses):
    """Formgrader, open for a course in whose folder ps1 is."""
    folder = course_directory(desk, "a", courses[0])
    write(folder / "source/ps1", {"p1.ipynb": notebook()})
    write(folder / "release/ps1", {"p1.ipynb": notebook()})
    with jupyter_server(desk) as (url, log):
        yield Formgrader(url, log, folder, courses[0], desk.service)


class Formgrader:
    def __init__(self, url, log, folder, course, service):
        self.url, self.log, self.folder, self.course, self.service = url, log, folder, course, service
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300).raise_for_status()

    def release(self):
        assert requests.post(f"{self.url}/formgrader/api/assignment/ps1/release", timeout=300).json()["success"]

    def save(self, due, status=200, name="ps1"):
        fields = {"duedate_notimezone": due, "duedate_timezone": due and "+0000"}
        answer = requests.put(f"{self.url}/formgrader/api/assignment/{quote(name)}", json=fields, timeout=300)
        assert answer.status_code == status, answer.text
        return answer.json()

    def page(self):
        return requests.get(f"{self.url}/formgrader/manage_assignments", timeout=300).text

    def in_service(self, method="GET", **values):
        place = f"courses/{self.course}/assignments/ps1/"
        return call(self.service, method, place, **({"json": values} if values else {}))["due"]

    def in_gradebook(self):
        with open_gradebook(self.folder, self.course) as gradebook:
            return gradebook.find_assignment("ps1").duedate


@pytest.mark.live
def test_due_date_that_is_set_after_the_release_reaches_the_service(formgrader):
    formgrader.release()
    row = formgrader.save("2101-01-31T12:00")
    assert (row["name"], row["status"], row["duedate"]) == ("ps1", "released", "2101-01-31T12:00:00")
    assert formgrader.in_service() == "2101-01-31T12:00:00.000000Z"
    assert formgrader.in_gradebook() == DUE.replace(tzinfo=None)
    formgrader.save(None)
    assert (formgrader.in_service(), formgrader.in_gradebook()) == (None, None)


@pytest.mark.live
def test_due_date_that_is_set_before_the_release_goes_along_with_it(formgrader):
    assert formgrader.save("2101-01-31T12:00")["status"] == "draft"
    formgrader.release()
    assert formgrader.in_service() == "2101-01-31T12:00:00.000000Z"


@pytest.mark.live
def test_dialog_that_is_saved_without_a_change_keeps_the_due_date_of_the_service(formgrader):
    formgrader.release()
    formgrader.in_service("PATCH", due="2101-02-01T12:00Z")
    formgrader.save(None)
    assert formgrader.in_service() == "2101-02-01T12:00:00.000000Z"


@pytest.mark.live
def test_due_date_that_the_service_refuses_is_not_saved_and_told(formgrader):
    formgrader.release()
    formgrader.save("2101-01-31T12:00")
    formgrader.in_service("PATCH", cut_off="2101-02-01T12:00Z")
    message = formgrader.save("2101-03-01T12:00", status=409)["message"]
    assert message.startswith("The due date of ps1 was not changed. The cut-off, 2101-02-01 12:00 UTC, would be before")
    assert formgrader.in_service() == "2101-01-31T12:00:00.000000Z"
    assert formgrader.in_gradebook() == DUE.replace(tzinfo=None)
    assert message in formgrader.log.read_text()
    assert "was not changed" in formgrader.save("soon", status=409)["message"]


@pytest.mark.live
def test_assignment_of_a_new_name_gets_a_folder(formgrader):
    formgrader.save(None, name="ps2")
    assert (formgrader.folder / "source/ps2").is_dir()


@pytest.mark.live
def test_page_and_log_say_that_service_and_gradebook_disagree(formgrader):
    formgrader.release()
    formgrader.save("2101-01-31T12:00")
    assert "warning-due-dates" not in formgrader.page()
    formgrader.in_service("PATCH", due="2101-02-01T12:00Z")
    sentence = (
        "ps1 has other due dates in the exchange (2101-02-01 12:00 UTC) and in the gradebook (2101-01-31 12:00 UTC)."
    )
    assert sentence in formgrader.page()
    formgrader.page()
    assert formgrader.log.read_text().count(sentence) == 1


@pytest.mark.live
def test_server_without_ngshare_configured_saves_as_nbgrader_does(desk):
    (desk.home / ".jupyter/nbgrader_config.py").write_text("")
    with jupyter_server(desk) as (url, log):
        opened = Formgrader(url, log, desk.home, "", desk.service)
        assert opened.save("2101-01-31T12:00")["duedate"] == "2101-01-31T12:00:00"
        assert "warning-due-dates" not in opened.page()
