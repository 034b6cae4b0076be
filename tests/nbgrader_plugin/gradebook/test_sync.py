"""How roster and gradebook are made equal."""

import pytest

from nbgrader_plugin.gradebook.roster import NotRemoved
from nbgrader_plugin.gradebook.sync import (
    BOTH,
    TO_GRADEBOOK,
    TO_ROSTER,
    Step,
    apply_steps,
    find_differences,
    plan_steps,
)

MEMBERS = {
    "alice": {"role": "instructor"},
    "gina": {"role": "grader"},
    "bob": {"role": "student", "first_name": "Bob", "email": ""},
    "dora": {"role": "student", "first_name": "Dora", "last_name": "D"},
    "same": {"role": "student", "first_name": "S", "last_name": None},
}
LOCAL = {
    "alice": {},
    "carol": {"first_name": "Carol"},
    "dora": {"first_name": "Dorothea", "email": "d@x.org"},
    "same": {"first_name": "S"},
}


def plan(direction, remove=False):
    return [str(step) for step in plan_steps(find_differences(MEMBERS, LOCAL), direction, remove=remove)]


def test_staff_and_equal_students_are_no_difference():
    assert [found.username for found in find_differences(MEMBERS, LOCAL)] == ["bob", "carol", "dora"]


@pytest.mark.parametrize("remove", [False, True])
def test_in_both_directions_nobody_is_removed_and_no_name_overwritten(remove):
    assert plan(BOTH, remove) == [
        "add to gradebook",
        "add to roster",
        "gradebook: last_name = D",
        "roster: email = d@x.org",
    ]


def test_one_direction_overwrites_and_removes_only_if_asked():
    assert plan(TO_GRADEBOOK) == ["add to gradebook", "gradebook: first_name = Dora, last_name = D"]
    assert plan(TO_GRADEBOOK, remove=True) == [
        "add to gradebook",
        "remove from gradebook",
        "gradebook: first_name = Dora, last_name = D",
    ]
    assert plan(TO_ROSTER, remove=True) == [
        "remove from roster",
        "add to roster",
        "roster: first_name = Dorothea, email = d@x.org",
    ]


class Refusing:
    """A roster or gradebook that removes nobody."""

    def members(self):
        return {}

    def remove(self, username, *_, **__):
        raise NotRemoved(f"{username} stays.")

    def add(self, *arguments):
        self.added = arguments


def test_failed_steps_do_not_stop_the_others():
    gradebook = Refusing()
    steps = [
        Step("a", TO_ROSTER, "remove", {}),
        Step("b", TO_GRADEBOOK, "remove", {}),
        Step("c", TO_GRADEBOOK, "add", {"email": "c@x.org"}),
    ]
    assert apply_steps(steps, Refusing(), gradebook, force=False) == ["a stays.", "b stays."]
    assert gradebook.added == ("c", {"email": "c@x.org"})
