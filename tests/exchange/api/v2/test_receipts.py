"""receipts/: a text is genuine only if a person reads in it what was signed; the public keys, for everybody."""

import json

import pytest

from courses.permissions import SERVER
from exchange import receipt_keys, receipts
from exchange.receipts import State
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
    ("found", "written", "state"),
    [
        ('{"id":', '{"student": "mallory", "id":', State.NO_RECEIPT),
        ('"student": "bob"', '"student": "mallory", "student": "bob"', State.NO_RECEIPT),
        ('"student": "bob"', '"student": "\\u0062ob"', State.NO_RECEIPT),
        ('"student": "bob"', '"stud\\u0065nt": "bob"', State.NO_RECEIPT),
        ('"size": 23', '"size": 23.0', State.CHANGED),
        ('"due": null', '"due": "2026-11-03T12:00:00Z", "due": null', State.NO_RECEIPT),
        ('"trial": false', '"trial": 0', State.CHANGED),
    ],
)
def test_receipt_that_reads_differently_to_a_person_does_not_verify(receipt, bob, found, written, state):
    text = json.dumps(receipt)
    assert found in text
    answer = verify(bob, text.replace(found, written))
    expected = {"valid": False, "state": state, "message": receipts.MESSAGES[state]}
    assert (answer.status_code, answer.json()) == (200, expected)


def test_receipt_in_another_order_does_not_verify(receipt, bob):
    assert verify(bob, json.dumps(receipt, sort_keys=True)).json()["valid"] is False


@pytest.mark.parametrize(
    ("text", "status"), [("[]", 400), ("nonsense", 400), ("", 200), ("{}", 200), ('{"id": "' + "x" * 2**14 + '"}', 413)]
)
def test_what_is_no_receipt_is_answered(submission, bob, text, status):
    before = cast.everything()
    assert verify(bob, text).status_code == status
    assert cast.everything() == before


def test_public_keys_are_there_for_everybody_and_may_be_kept(receipt):
    answer = cast.client().get("/api/v2/receipts/keys/")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300" and not answer.cookies
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["kid"]) == ("OKP", "Ed25519", receipt["key"])
    assert receipts.fits(receipt, key["x"])


def test_earlier_public_keys_stay_and_the_newest_comes_first(receipt):
    new = receipt_keys.rotate(by=SERVER)
    keys = cast.client().get("/api/v2/receipts/keys/").json()["keys"]
    assert [key["kid"] for key in keys] == [new.key_id, receipt["key"]]


def test_public_key_is_there_before_the_first_receipt_and_asking_writes_nothing(course):
    before = cast.everything()
    assert len(cast.client().get("/api/v2/receipts/keys/").json()["keys"]) == 1
    assert cast.everything() == before
