"""Deadlines in ngshare-course-management, as they are typed, at a real service with a real gradebook."""

import io
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.nbgrader_plugin.desk import call, open_gradebook
from tests.nbgrader_plugin.people import write

pytestmark = pytest.mark.live

DAY = timedelta(days=1)
FUTURE = datetime(2101, 7, 1, 12, tzinfo=UTC)
PAST = datetime(2021, 7, 1, 12, tzinfo=UTC)
TYPED, LATER = "2101-07-01T12:00Z", "2101-07-03T12:00Z"


@pytest.fixture
def server(desk, released):
    """What the service has of the assignment."""

    class Server:
        place = f"courses/{released}/assignments/ps1/"

        def get(self):
            return call(desk.service, "GET", self.place)

        def patch(self, **values):
            return call(desk.service, "PATCH", self.place, json=values)

        def extend(self, **extension):
            call(desk.service, "POST", f"{self.place}extensions/", json={"extensions": [extension]})

        def extensions(self):
            rows = call(desk.service, "GET", f"{self.place}extensions/")["results"]
            return {row["student"] or f"section {row['section']}": row for row in rows}

    return Server()


def opened(folder, course):
    return open_gradebook(folder, course)


@pytest.fixture
def gradebook(desk, folder, released, monkeypatch):
    """nbgrader's gradebook in alice's folder: ps1 is due, and bob's work has been autograded."""
    monkeypatch.setenv("PATH", desk.env["PATH"])
    with opened(folder, released) as book:
        book.add_assignment("ps1", duedate=FUTURE)
        book.add_student("bob")
        book.add_submission("ps1", "bob")

    def read():
        with opened(folder, released) as book:
            assignment = book.find_assignment("ps1")
            extended = {row.student_id: row.extension for row in assignment.submissions if row.extension}
            return assignment.duedate and assignment.duedate.replace(tzinfo=UTC), extended

    return read


def grant_in_gradebook(folder, course, student, **longer):
    with opened(folder, course) as book:
        book.update_or_create_student(student)
        book.update_or_create_submission("ps1", student)
        book.grant_extension("ps1", student, **longer)


def cells(table):
    return [re.split(r"\s{2,}", line) for line in table.splitlines()]


def text(moment):
    return moment.isoformat().replace("+00:00", "") + ".000000Z"


# set_due


def test_times_are_typed_and_shown_in_the_zone_of_the_course(desk, manage, released, server):
    call(desk.service, "PATCH", f"courses/{released}/", json={"timezone": "Europe/Berlin"})
    arguments = ("--due", "2101-07-01T12:00", "--cut-off", "2101-12-01 12:00", "--attempts", "3")
    result = manage("set_due", released, "ps1", *arguments, "--release-at", "2021-01-01T00:00Z")
    assert result.stdout == (
        "ps1: due 2101-07-01 12:00 CEST, cut-off 2101-12-01 12:00 CET, released from 2021-01-01 01:00 CET, "
        "3 attempts.\n"
    )
    row = server.get()
    assert (row["due"], row["cut_off"]) == ("2101-07-01T10:00:00.000000Z", "2101-12-01T11:00:00.000000Z")
    assert (row["release_at"], row["max_attempts"]) == ("2021-01-01T00:00:00.000000Z", 3)


def test_none_clears_what_it_names_alone(manage, released, server):
    manage("set_due", released, "ps1", "--due", TYPED, "--cut-off", LATER, "--attempts", "3")
    manage("set_due", released, "ps1", "--cut-off", "none", "--attempts", "none")
    row = server.get()
    assert (row["due"], row["cut_off"], row["max_attempts"]) == (text(FUTURE), None, None)


def test_whose_state_changes_is_shown_before_it_is_changed(manage, released, server):
    server.patch(due=text(FUTURE))
    server.extend(student="carol", due=text(FUTURE))
    arguments = ("set_due", released, "ps1", "--due", "2021-07-01T12:00Z")
    result = manage(*arguments, status=1)
    assert cells(result.stdout)[2:] == [["bob", "in time, open", "late, open"]]
    assert "Nothing was changed" in result.stderr
    assert server.get()["due"] == text(FUTURE)
    assert "late, open" in manage(*arguments, "--yes").stdout
    assert server.get()["due"] == text(PAST)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("Yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_terminal_asks(manage, released, server, monkeypatch, answer, status):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    result = manage("set_due", released, "ps1", "--due", "2021-07-01T12:00Z", status=status)
    assert "Change this? [y/N]" in result.stdout
    assert server.get()["due"] == (None if status else text(PAST))


@pytest.mark.parametrize(("answer", "status"), [("j\n", 0), ("Ja\n", 0), ("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_terminal_asks_in_german(manage, released, server, monkeypatch, answer, status):
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    result = manage("set_due", released, "ps1", "--due", "2021-07-01T12:00Z", status=status)
    assert cells(result.stdout)[0] == ["Person", "jetzt", "dann"]
    assert "rechtzeitig, offen" in result.stdout
    assert "Ändern? [j/N]" in result.stdout
    assert server.get()["due"] == (None if status else text(PAST))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say what to set: --due, --cut-off, --release-at or --attempts."),
        (["--due", "tomorrow"], "tomorrow is no time"),
        (["--attempts", "many"], "many is no number of attempts"),
        (["--attempts", "0"], "0 is no number of attempts"),
        (["--due", TYPED, "--cut-off", "2021-07-01T12:00Z"], "The cut-off, 2021-07-01 12:00 UTC, would be before"),
    ],
)
def test_bad_input_is_a_sentence_and_changes_nothing(manage, released, server, arguments, sentence):
    before = server.get()
    result = manage("set_due", released, "ps1", *arguments, "--yes", status=1)
    assert sentence in result.stderr and "Traceback" not in result.stderr
    assert server.get() == before


def test_unknown_assignment_and_missing_permission_are_sentences(manage, released, server):
    assert "ps9" in manage("set_due", released, "ps9", "--due", TYPED, status=1).stderr
    assert manage("set_due", released, "ps1", "--due", TYPED, status=1, user="bob").stderr
    assert server.get()["due"] is None


def test_due_date_reaches_the_gradebook_here_and_extensions_keep_their_date(manage, released, server, gradebook):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(FUTURE + 3 * DAY))
    result = manage("set_due", released, "ps1", "--due", "2101-07-02T12:00Z")
    assert "The gradebook here has it, too." in result.stdout
    assert gradebook() == (FUTURE + DAY, {"bob": 2 * DAY})


def test_extension_that_only_the_gradebook_has_stays_there(manage, folder, released, server, gradebook):
    grant_in_gradebook(folder, released, "bob", days=3)
    manage("set_due", released, "ps1", "--due", "2101-07-02T12:00Z")
    assert gradebook() == (FUTURE + DAY, {"bob": 3 * DAY})


def test_extension_that_everybody_overtakes_ends_in_the_gradebook_too(manage, released, server, gradebook):
    server.patch(due=text(FUTURE))
    manage("extend", released, "ps1", "--student", "bob", "--due", LATER)
    assert gradebook() == (FUTURE, {"bob": 2 * DAY})
    manage("set_due", released, "ps1", "--due", "2101-07-08T12:00Z")
    assert gradebook() == (FUTURE + 7 * DAY, {})


def test_gradebook_is_left_alone_if_asked_and_elsewhere(desk, manage, released, server, gradebook):
    manage("set_due", released, "ps1", "--due", LATER, "--no-gb")
    result = manage("set_due", released, "ps1", "--due", LATER, cwd=desk.home)
    assert "Only the service was changed. There is no gradebook here." in result.stderr
    assert gradebook() == (FUTURE, {})
    assert server.get()["due"] == text(FUTURE + 2 * DAY)


# extend


def test_extension_of_students_is_granted_and_shown_with_its_reason(manage, released, server, gradebook):
    manage("set_due", released, "ps1", "--due", TYPED, "--attempts", "2")
    result = manage(
        "extend", released, "ps1", "--student", "bob", "carol", "--due", LATER, "--attempts", "1", "--reason", "illness"
    )
    assert "bob has an extension: due 2101-07-03 12:00 UTC, 1 more attempts, illness." in result.stdout
    assert set(server.extensions()) == {"bob", "carol"}
    lines = cells(manage("deadlines", released, "ps1").stdout)
    assert lines[0] == ["who", "due", "cut-off", "attempts", "why"]
    assert lines[2] == ["everybody", "2101-07-01 12:00 UTC", "–", "2"]
    assert lines[3] == ["bob", "2101-07-03 12:00 UTC", "–", "3", "extended: illness"]
    assert lines[4][0] == "carol"
    assert gradebook() == (FUTURE, {"bob": 2 * DAY}), "carol has nothing in the gradebook yet"


def test_extension_of_a_section_and_late_registration_are_shown(desk, manage, released, server):
    server.patch(due=text(PAST))
    manage("extend", released, "ps1", "--section", "A", "--due", LATER, "--yes")
    call(desk.service, "PATCH", f"courses/{released}/", json={"min_days": 7})
    output = manage("deadlines", released, "ps1").stdout
    bob, carol = (next(line for line in output.splitlines() if line.startswith(name)) for name in ("bob", "carol"))
    assert "2101-07-03 12:00 UTC" in bob and bob.endswith("extended for the section")
    assert carol.endswith("joined late")


def test_extension_that_something_more_generous_makes_useless_is_shown(manage, released, server):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(PAST))
    assert "an extension that changes nothing" in manage("deadlines", released, "ps1").stdout


def test_extension_takes_the_place_of_another_and_says_so(manage, released, server):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(FUTURE + DAY), reason="first")
    result = manage("extend", released, "ps1", "--student", "bob", "--due", LATER)
    assert "bob has an extension: due 2101-07-02 12:00 UTC, first. Yours takes its place." in result.stderr
    assert server.extensions()["bob"]["due"] == text(FUTURE + 2 * DAY)


def test_extension_that_is_refused_takes_nobodys_place(manage, released, server):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(FUTURE + DAY))
    for arguments in ((), ("--attempts", "1")):
        result = manage("extend", released, "ps1", "--student", "bob", *arguments, status=1)
        assert "Yours takes its place." not in result.stderr and len(result.stderr.splitlines()) == 1
    assert server.extensions()["bob"]["due"] == text(FUTURE + DAY)


def test_extension_that_is_not_longer_than_what_everybody_has_is_told(manage, released, server):
    manage("set_due", released, "ps1", "--due", TYPED, "--cut-off", LATER)
    result = manage("extend", released, "ps1", "--student", "bob", "--due", "2101-07-01T11:00Z")
    assert result.stderr.splitlines()[0] == (
        "This is no later than for everybody (due 2101-07-01 12:00 UTC, cut-off 2101-07-03 12:00 UTC), "
        "and what is more generous counts."
    )
    assert "no later" not in manage("extend", released, "ps1", "--student", "bob", "--due", LATER).stderr


def test_nothing_is_withdrawn_if_one_of_the_students_has_no_extension(manage, released, server):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(FUTURE + DAY))
    result = manage("extend", released, "ps1", "--student", "bob", "carol", "--withdraw", "--yes", status=1)
    assert result.stderr == "carol has no extension of ps1.\n"
    assert set(server.extensions()) == {"bob"}


def test_extension_is_withdrawn_after_asking(manage, released, server, gradebook):
    server.patch(due=text(PAST))
    manage("extend", released, "ps1", "--student", "bob", "--due", LATER, "--yes")
    assert "bob" in manage("extend", released, "ps1", "--student", "bob", "--withdraw", status=1).stdout
    assert set(server.extensions()) == {"bob"}
    manage("extend", released, "ps1", "--student", "bob", "--withdraw", "--yes")
    assert server.extensions() == {}
    assert gradebook()[1] == {}
    for option, name, whose in (("--student", "bob", "bob"), ("--section", "A", "section A")):
        result = manage("extend", released, "ps1", option, name, "--withdraw", "--yes", status=1)
        assert result.stderr == f"{whose} has no extension of ps1.\n"


def test_extension_of_a_section_is_withdrawn_in_the_gradebook_too(manage, released, server, gradebook):
    server.patch(due=text(FUTURE))
    manage("extend", released, "ps1", "--section", "A", "--due", LATER, "--yes")
    assert gradebook() == (FUTURE, {"bob": 2 * DAY})
    manage("extend", released, "ps1", "--section", "A", "--withdraw", "--yes")
    assert gradebook() == (FUTURE, {})


@pytest.mark.parametrize("who", [("--student", "eve"), ("--section", "Z")])
def test_extension_for_nobody_is_refused(manage, released, server, who):
    server.patch(due=text(FUTURE))
    assert who[1] in manage("extend", released, "ps1", *who, "--due", LATER, status=1).stderr
    assert server.extensions() == {}


# deadlines


def test_deadlines_of_the_course_are_a_table(manage, released, server):
    server.patch(due=text(FUTURE), cut_off=text(FUTURE + DAY), max_attempts=3)
    server.extend(student="bob", due=text(FUTURE + DAY))
    lines = cells(manage("deadlines", released).stdout)
    assert lines[0] == ["assignment", "released", "due", "cut-off", "attempts", "extensions"]
    assert lines[2] == ["ps1", "yes", "2101-07-01 12:00 UTC", "2101-07-02 12:00 UTC", "3", "1"]


@pytest.mark.parametrize("names", [(), ("ps1",)])
def test_deadlines_say_whether_the_gradebook_here_has_others(manage, released, server, gradebook, names):
    assert f'due dates than the service for ps1: see `ngshare-course-management sync_deadlines "{released}"`.' in (
        manage("deadlines", released, *names).stderr
    )
    server.patch(due=text(FUTURE))
    assert manage("deadlines", released, *names).stderr == ""


# sync_deadlines


def test_both_sides_are_shown_before_they_are_made_equal(manage, folder, released, server, gradebook):
    grant_in_gradebook(folder, released, "bob", days=2)
    result = manage("sync_deadlines", released)
    lines = cells(result.stdout)
    assert lines[0] == ["assignment", "who", "service", "gradebook", "to do"]
    assert lines[2] == ["ps1", "everybody", "–", "2101-07-01 12:00 UTC", "service: due 2101-07-01 12:00 UTC"]
    assert lines[3] == ["ps1", "bob", "–", "2101-07-03 12:00 UTC", "service: due 2101-07-03 12:00 UTC"]
    assert "--yes" in result.stderr
    assert server.get()["due"] is None
    assert manage("sync_deadlines", released, "--yes").stdout.endswith("\n2 changes were made.\n")
    assert server.get()["due"] == text(FUTURE)
    assert server.extensions()["bob"]["due"] == text(FUTURE + 2 * DAY)
    assert server.extensions()["bob"]["reason"] == "granted in nbgrader's gradebook"
    assert "Service and gradebook agree." in manage("sync_deadlines", released, "ps1").stdout


def test_two_due_dates_need_a_direction(manage, released, server, gradebook):
    server.patch(due=text(FUTURE + DAY))
    assert "--direction" in manage("sync_deadlines", released, "--yes").stderr
    assert (server.get()["due"], gradebook()[0]) == (text(FUTURE + DAY), FUTURE)
    result = manage("sync_deadlines", released, "--direction", "to-gradebook", "--yes")
    assert result.stdout.endswith("\n1 change was made.\n")
    assert gradebook()[0] == FUTURE + DAY
    server.patch(due=text(FUTURE + 2 * DAY))
    manage("sync_deadlines", released, "--direction", "to-service", "--yes")
    assert server.get()["due"] == text(FUTURE + DAY)


def test_sync_shows_whose_submissions_change_their_state(manage, folder, released, server, gradebook):
    with opened(folder, released) as book:
        book.update_or_create_assignment("ps1", duedate=PAST)
    assert "bob      in time, open  late, open" in manage("sync_deadlines", released).stdout
    assert server.get()["due"] is None


def test_sync_to_the_service_makes_no_extension_shorter(manage, folder, released, server, gradebook):
    server.patch(due=text(FUTURE))
    server.extend(student="bob", due=text(FUTURE + 2 * DAY))
    grant_in_gradebook(folder, released, "bob", days=1)
    result = manage("sync_deadlines", released, "--direction", "to-service", "--yes")
    assert "There is nothing to do: the service makes no extension shorter." in result.stderr
    assert server.extensions()["bob"]["due"] == text(FUTURE + 2 * DAY)


def test_extension_keeps_what_the_gradebook_does_not_know(manage, folder, released, server, gradebook):
    server.patch(due=text(FUTURE), cut_off=text(FUTURE + 9 * DAY), max_attempts=1)
    server.extend(student="bob", due=text(FUTURE + DAY), cut_off=text(FUTURE + 10 * DAY), attempts=2, reason="illness")
    grant_in_gradebook(folder, released, "bob", days=2)
    manage("sync_deadlines", released, "--yes")
    row = server.extensions()["bob"]
    assert (row["due"], row["cut_off"]) == (text(FUTURE + 2 * DAY), text(FUTURE + 10 * DAY))
    assert (row["attempts"], row["reason"]) == (2, "illness")


def test_extension_reaches_the_gradebook_when_the_work_was_collected(manage, folder, released, server, gradebook):
    server.patch(due=text(FUTURE))
    server.extend(student="carol", due=text(FUTURE + DAY))
    assert "Service and gradebook agree." in manage("sync_deadlines", released).stdout
    with opened(folder, released) as book:
        book.add_notebook("p1", "ps1")
    write(folder / "submitted/carol/ps1", {"p1.ipynb": "{}"})
    manage("sync_deadlines", released, "--yes")
    assert gradebook() == (FUTURE, {"carol": DAY})


def test_sync_of_an_assignment_that_one_side_lacks_is_refused(manage, folder, released, server, gradebook):
    with opened(folder, released) as book:
        book.add_assignment("ps2")
    assert "There is no assignment ps2" in manage("sync_deadlines", released, "ps2", status=1).stderr
    assert "There is no ps9 in the gradebook here." in manage("sync_deadlines", released, "ps9", status=1).stderr


def test_sync_outside_a_course_directory_is_refused(desk, manage, released):
    assert "no gradebook here" in manage("sync_deadlines", released, status=1, cwd=desk.home).stderr
