"""How due dates in the service and in the gradebook are made equal."""

from datetime import UTC, datetime, timedelta

import pytest

from nbgrader_plugin.gradebook.deadline_sync import TO_SERVICE, Side, Step, find_differences, plan_steps
from nbgrader_plugin.gradebook.sync import BOTH, TO_GRADEBOOK

DUE = datetime(2027, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def plan(service, gradebook, direction):
    return [
        (step.side, step.student, step.due)
        for step in plan_steps(find_differences("ps1", service, gradebook), direction)
    ]


@pytest.mark.parametrize("side", [Side(None), Side(DUE), Side(DUE, {"bob": DUE + DAY})])
def test_equal_sides_do_not_differ(side):
    assert find_differences("ps1", side, side) == []


def test_extension_that_says_what_holds_anyway_is_no_difference():
    assert find_differences("ps1", Side(DUE, {"bob": DUE}), Side(DUE)) == []


@pytest.mark.parametrize(
    ("service", "gradebook", "side"),
    [(Side(DUE), Side(None), TO_GRADEBOOK), (Side(None), Side(DUE), TO_SERVICE)],
)
def test_in_both_directions_each_side_gets_the_due_date_that_it_lacks(service, gradebook, side):
    assert plan(service, gradebook, BOTH) == [(side, "", DUE)]


def test_in_both_directions_two_due_dates_are_left_to_a_person():
    service, gradebook = Side(DUE, {"bob": DUE + 3 * DAY}), Side(DUE + DAY, {"carol": DUE + 2 * DAY})
    assert plan(service, gradebook, BOTH) == []
    assert len(find_differences("ps1", service, gradebook)) == 3


def test_in_both_directions_students_get_the_later_due_date():
    service = Side(DUE, {"bob": DUE + DAY, "carol": DUE + 3 * DAY, "dave": DUE + DAY})
    gradebook = Side(DUE, {"carol": DUE + 2 * DAY, "dave": DUE + 2 * DAY, "erin": DUE + DAY})
    assert plan(service, gradebook, BOTH) == [
        (TO_GRADEBOOK, "bob", DUE + DAY),
        (TO_GRADEBOOK, "carol", DUE + 3 * DAY),
        (TO_SERVICE, "dave", DUE + 2 * DAY),
        (TO_SERVICE, "erin", DUE + DAY),
    ]


def test_to_the_gradebook_it_says_what_the_service_says():
    service, gradebook = Side(None, {}), Side(DUE, {"bob": DUE + DAY})
    assert plan(service, gradebook, TO_GRADEBOOK) == [(TO_GRADEBOOK, "", None), (TO_GRADEBOOK, "bob", None)]
    assert plan(Side(DUE), gradebook, TO_GRADEBOOK) == [(TO_GRADEBOOK, "bob", DUE)]


def test_extension_in_the_gradebook_does_not_move_with_the_due_date_that_is_written_there():
    same = {"bob": DUE + 3 * DAY}
    assert plan(Side(DUE + DAY, same), Side(DUE, same), TO_GRADEBOOK) == [
        (TO_GRADEBOOK, "", DUE + DAY),
        (TO_GRADEBOOK, "bob", DUE + 3 * DAY),
    ]


def test_to_the_service_no_extension_becomes_shorter():
    service = Side(DUE, {"bob": DUE + 3 * DAY, "carol": DUE + DAY})
    gradebook = Side(DUE + DAY, {"bob": DUE + 2 * DAY, "carol": DUE + 2 * DAY})
    assert plan(service, gradebook, TO_SERVICE) == [
        (TO_SERVICE, "", DUE + DAY),
        (TO_SERVICE, "carol", DUE + 2 * DAY),
    ]


def test_differences_of_one_assignment_do_not_stop_those_of_another():
    differences = [
        *find_differences("ps1", Side(DUE), Side(DUE + DAY)),
        *find_differences("ps2", Side(DUE, {"bob": DUE + DAY}), Side(DUE)),
    ]
    assert plan_steps(differences, BOTH) == [Step("ps2", "bob", TO_GRADEBOOK, DUE + DAY)]
