"""Receipts as files: what the service signs verifies with its public keys alone, and nothing else does."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from courses.permissions import SERVER
from exchange import receipt_keys, receipts
from exchange.models import Submission
from nbgrader_plugin.client import receipt_files
from nbgrader_plugin.client.receipt_files import CannotCheck, NotGenuine
from tests import cast
from tests.cast import person

NO_RECEIPTS = ["", "[]", "nonsense", "{}", '{"id": 1}', "[" * 10_000, '{"signature": "x"}', "\ud800"]


@pytest.fixture
def course(db):
    """A course in the tests' own database, where receipts are signed."""
    return cast.make_courses()


@pytest.fixture
def receipt(submission):
    return receipts.receipt(submission)


@pytest.fixture
def keys(receipt):
    return receipt_files.read_keys(receipt_keys.as_key_set())


def verify(text, keys):
    receipt_files.verify(receipt_files.read(text), keys)


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_receipt_of_the_service_verifies_in_each_spelling_of_it(submission, options):
    student = person("bob")
    student.username = 'bøb ,:{}"'
    student.save()
    Submission.objects.update(receipt="")
    receipt = receipts.receipt(Submission.objects.get())
    verify(json.dumps(receipt, **options) + "\n", receipt_files.read_keys(receipt_keys.as_key_set()))


def test_fields_are_those_that_the_service_signs(receipt):
    assert tuple(receipt) == receipt_files.FIELDS


def test_receipt_from_before_a_rotation_and_of_a_lost_secret_key_verifies(receipt, settings):
    receipt_keys.rotate(by=SERVER)
    settings.SECRET_KEY = "another"
    receipt_keys.current_key()
    keys = receipt_files.read_keys(receipt_keys.as_key_set())
    assert len(keys) == 3
    verify(json.dumps(receipt), keys)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_receipt_can_be_changed(receipt, keys, data):
    text = json.dumps(receipt, separators=(",", ":"))
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(max_codepoint=0xFFFF, exclude_characters=text[place] + " \t\r\n"))
    for changed in (text[:place] + char + text[place + 1 :], text[:place] + char + text[place:], text[:place]):
        with pytest.raises((NotGenuine, CannotCheck)):
            verify(changed, keys)


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ('{"id":', '{"student": "mallory", "id":'),
        ('"student": "bob"', '"student": "mallory", "student": "bob"'),
        ('"student": "bob"', '"student": "\\u0062ob"'),
        ('"size": 23', '"size": 23.0'),
        ('"trial": false', '"trial": 0'),
        ('"file_count": 2', '"file_count": true'),
        ('"signature": "', '"signature": " '),
    ],
)
def test_receipt_that_reads_differently_to_a_person_is_not_genuine(receipt, keys, found, written):
    text = json.dumps(receipt)
    assert found in text
    with pytest.raises(NotGenuine):
        verify(text.replace(found, written), keys)


def test_other_letters_for_the_same_signature_are_not_genuine(receipt, keys):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signature = receipt["signature"]
    for other in [signature[:-1] + char for char in alphabet if char != signature[-1]] + [f"{signature}=="]:
        with pytest.raises(NotGenuine):
            verify(json.dumps(receipt | {"signature": other}), keys)


@pytest.mark.parametrize("text", NO_RECEIPTS, ids=ascii)
def test_other_texts_are_no_receipts(keys, text):
    with pytest.raises(NotGenuine):
        verify(text, keys)


def test_receipt_of_an_unknown_key_cannot_be_checked(receipt, keys):
    other = receipt_keys.derive("mallory's", 1)
    with pytest.raises(CannotCheck, match="known key"):
        verify(json.dumps(receipt), {other.key_id: other.public_key})
    for key in ("0123456789abcdef", None, ["x"]):
        with pytest.raises(CannotCheck, match="known key"):
            verify(json.dumps(receipt | {"key": key}), keys)


def test_receipt_of_an_earlier_version_cannot_be_checked(receipt, keys):
    earlier = {name: receipt[name] for name in receipt if name not in ("key", "code", "due")} | {"late": False}
    with pytest.raises(CannotCheck, match="earlier version"):
        verify(json.dumps(earlier), keys)


def test_key_under_the_name_of_another_is_left_out(keys):
    (key_id,) = keys
    other = receipt_keys.derive("mallory's", 1)
    rows = receipt_files.as_key_set({key_id: other.public_key, other.key_id: other.public_key})
    assert receipt_files.read_keys(rows) == {other.key_id: other.public_key}


@pytest.mark.parametrize("value", [None, [], {}, {"keys": []}, {"keys": [1]}, {"keys": [{"crv": "Ed25519", "x": "ü"}]}])
def test_what_has_no_keys_is_refused(value):
    with pytest.raises(CannotCheck):
        receipt_files.read_keys(value)
