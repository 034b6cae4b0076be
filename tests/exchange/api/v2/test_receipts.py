"""receipts/verify/: a text is genuine only if a person reads in it what was signed."""

import json

import pytest

from exchange import receipts
from tests import cast

ADDRESS = "/api/v2/receipts/verify/"


@pytest.fixture
def receipt(submission):
    return receipts.receipt(submission)


def verify(client, text):
    return client.generic("POST", ADDRESS, text, content_type="application/json")


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_receipt_verifies_as_it_was_answered_or_stored(submission, bob, options):
    submission.student.username = 'bøb ,:{}"'
    submission.student.save()
    answer = verify(bob, json.dumps(receipts.receipt(submission), **options) + "\n")
    assert (answer.status_code, answer.json()["valid"]) == (200, True)


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ('{"id":', '{"student": "mallory", "id":'),
        ('"student": "bob"', '"student": "mallory", "student": "bob"'),
        ('"student": "bob"', '"student": "\\u0062ob"'),
        ('"student": "bob"', '"stud\\u0065nt": "bob"'),
        ('"size": 23', '"size": 23.0'),
        ('"due": null', '"due": "2026-11-03T12:00:00Z", "due": null'),
        ('"trial": false', '"trial": 0'),
    ],
)
def test_receipt_that_reads_differently_to_a_person_does_not_verify(receipt, bob, found, written):
    text = json.dumps(receipt)
    assert found in text
    answer = verify(bob, text.replace(found, written))
    message = "This is no receipt of this server, or it was changed."
    assert (answer.status_code, answer.json()) == (200, {"valid": False, "state": "no receipt", "message": message})


def test_receipt_in_another_order_does_not_verify(receipt, bob):
    assert verify(bob, json.dumps(receipt, sort_keys=True)).json()["valid"] is False


@pytest.mark.parametrize(
    ("text", "status"), [("[]", 400), ("nonsense", 400), ("", 200), ("{}", 200), ('{"id": "' + "x" * 2**14 + '"}', 413)]
)
def test_what_is_no_receipt_is_answered(submission, bob, text, status):
    before = cast.everything()
    assert verify(bob, text).status_code == status
    assert cast.everything() == before
