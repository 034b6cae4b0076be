"""Responses of the server as values."""

import pytest

from nbgrader_plugin.client.errors import InvalidResponse
from nbgrader_plugin.client.records import Deadline, parse_assignment, parse_receipt

RECEIPT = {
    "id": 1, "student": "bob", "timestamp": "2027-01-31T12:00:00Z", "digest": "ab", "file_count": 1, "size": 2,
}  # fmt: skip
ASSIGNMENT = {"course": "NBG", "name": "ps1", "notebooks": []}


@pytest.mark.parametrize(
    ("fields", "late"),
    [
        ({}, False),
        ({"late": True}, True),
        ({"late": False}, False),
        ({"due": None}, False),
        ({"due": "2027-01-31T12:00:00Z"}, False),
        ({"due": "2027-01-31T13:59:59.999999+02:00"}, True),
    ],
)
def test_receipt_is_late_by_its_due_date(fields, late):
    assert parse_receipt(RECEIPT | fields).late is late


def test_due_date_is_that_of_the_person_who_asks():
    own = {"due": "2027-02-02T12:00:00Z", "cut_off": None, "attempts_left": None, "reason": "extended"}
    assignment = parse_assignment(ASSIGNMENT | {"due": "2027-01-31T12:00:00Z", "deadline": own})
    assert (assignment.deadline.due.day, assignment.deadline.extended) == (2, True)
    assignment = parse_assignment(ASSIGNMENT | {"due": "2027-01-31T12:00:00Z"})
    assert (assignment.deadline.due.day, assignment.deadline.extended) == (31, False)
    assert parse_assignment(ASSIGNMENT).deadline == Deadline()


@pytest.mark.parametrize(
    "fields",
    [
        {"due": 3},
        {"due": "soon"},
        {"deadline": "soon"},
        {"deadline": {"due": []}},
        {"deadline": {"attempts_left": "1"}},
    ],
)
def test_due_date_of_another_form_is_refused(fields):
    with pytest.raises(InvalidResponse):
        parse_assignment(ASSIGNMENT | fields)
