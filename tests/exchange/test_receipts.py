"""Receipts: exactly what is signed, that it stays the same, and what verifies."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from courses import people
from courses.models import AuditEntry, Course
from courses.permissions import SERVER
from exchange import receipt_keys, receipts, services
from exchange.models import ReceiptKey, Submission
from exchange.receipts import State
from exchange.storage import file_sets
from tests import cast
from tests.cast import PS1, actor, person

OLD_SECRET = "a key that is fixed for this test"
OF_EARLIER_VERSION = json.loads(
    '{"id": 4711, "course": "NBG 101", "assignment": "ps1", "student": "bob", "submitted_by": "bob", '
    '"timestamp": "2026-11-03T12:00:00.000120Z", "release": 1, "late": false, "trial": false, '
    '"digest": "e96cce0315f2037da8569221fda5473b954cb2902c8e029a5b3b0357f7834dfb", "size": 23, "file_count": 2, '
    '"signature": "OqWkUtGDy1ePPSA3DRHflGFC03BBI2iM7ZB5eaqggro"}'
)


@pytest.fixture
def receipt(submission):
    return receipts.receipt(submission)


def again():
    return receipts.receipt(Submission.objects.get())


def state_of(claimed):
    return receipts.verify(claimed).state


# What is signed


def test_signed_bytes_never_change(submission, settings):
    settings.SECRET_KEY = OLD_SECRET
    created = datetime(2026, 11, 3, 12, 0, 0, 120, tzinfo=UTC)
    Submission.objects.update(id=4711, created=created, code="7K3MQ0ZD4XHC", receipt="")
    receipt = again()
    assert json.dumps(receipt, ensure_ascii=True) == (
        '{"id": 4711, "code": "7K3M-Q0ZD-4XHC", "course": "NBG 101", "assignment": "ps1", "student": "bob", '
        '"submitted_by": "bob", "timestamp": "2026-11-03T12:00:00.000120Z", "due": null, "release": 1, '
        '"trial": false, "digest": "e96cce0315f2037da8569221fda5473b954cb2902c8e029a5b3b0357f7834dfb", "size": 23, '
        '"file_count": 2, "key": "b5455ea4b86189d8", "signature": "iFJk3_NYunvx4JHuhq5i5feWrf-3FVj2n96YHE1M'
        'hX-LzlwrSGuppkEcsmHpH2rYCcqFxV3DPPzqEg6nduNACg"}'
    )
    assert state_of(receipt) == State.GENUINE


def test_receipt_says_who_submitted_for_whom(assignment):
    submission, _ = services.submit(assignment, cast.upload(PS1), by=actor("gina"), student=person("bob"))
    receipt = receipts.receipt(submission)
    assert (receipt["student"], receipt["submitted_by"], receipt["trial"]) == ("bob", "gina", False)


def test_receipt_of_a_sender_and_release_that_are_gone_says_none(submission):
    Submission.objects.update(submitted_by=None, release=None, receipt="")
    assert (again()["submitted_by"], again()["release"]) == (None, None)
    assert state_of(again()) == State.GENUINE


def test_submission_gets_the_id_that_its_receipt_states(assignment):
    for _ in range(3):
        submission, _ = services.submit(assignment, cast.upload(PS1), by=actor("bob"))
        assert receipts.receipt(submission)["id"] == submission.pk
    assert len({row["code"] for row in map(receipts.receipt, Submission.objects.all())}) == 3


# It stays the same


def change_due_date(submission):
    submission.assignment.due = datetime(2020, 1, 1, tzinfo=UTC)
    submission.assignment.save()


def rotate(submission):
    assert receipt_keys.rotate(by=SERVER).key_id != receipts.receipt(submission)["key"]


CHANGES = {
    "due date": change_due_date,
    "course's name": lambda submission: Course.objects.filter(name=cast.COURSE).update(name="Another 101"),
    "student's name": lambda submission: people.rename(person("bob"), "robert", by=SERVER),
    "merged accounts": lambda submission: people.merge(person("bob"), person("dave"), by=SERVER),
    "sender is gone": lambda submission: Submission.objects.update(submitted_by=None),
    "rotation": rotate,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_submission_has_the_same_receipt_for_ever(submission, receipt, change):
    change(submission)
    assert json.dumps(again()) == json.dumps(receipt)
    assert state_of(receipt) == State.GENUINE


def test_submission_of_an_earlier_version_gets_a_receipt_that_stays_the_same(submission):
    Submission.objects.update(receipt="", code=None)
    receipt = again()
    change_due_date(submission)
    receipt_keys.rotate(by=SERVER)
    assert again() == receipt and state_of(receipt) == State.GENUINE and receipt["code"]


def test_two_who_ask_first_at_the_same_time_get_the_same_receipt(submission):
    Submission.objects.update(receipt="", code=None)
    one, other = Submission.objects.get(), Submission.objects.get()
    assert receipts.receipt(one) == receipts.receipt(other)


def test_anonymised_person_is_named_in_no_receipt_and_old_ones_verify(submission, receipt):
    name = people.anonymise(person("bob"), by=SERVER)
    assert "bob" not in Submission.objects.get().receipt
    assert again()["student"] == name and again()["code"] == receipt["code"]
    assert state_of(receipt) == state_of(again()) == State.GENUINE


# What verifies


def test_genuine_receipt_verifies(submission, receipt):
    verdict = receipts.verify(receipt)
    assert (verdict.valid, verdict.submission) == (True, submission)
    assert verdict.message == "The receipt is genuine and the submission is here, with exactly these files."


@pytest.mark.parametrize("field", receipts._FIELDS)
@pytest.mark.parametrize("value", ["other", None, "ü", "\ud800", 0, 1, True, 1.0, [], {}], ids=ascii)
def test_changed_or_incomplete_receipt_does_not_verify(receipt, field, value):
    if receipt[field] is not value:
        assert not receipts.verify(receipt | {field: value}).valid
    assert not receipts.verify({name: receipt[name] for name in receipt if name != field}).valid


def test_receipt_in_another_order_or_with_more_in_it_does_not_verify(receipt):
    for changed in (dict(reversed(receipt.items())), dict(sorted(receipt.items())), receipt | {"grade": 100}):
        assert state_of(changed) == State.NO_RECEIPT


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_receipt_can_be_changed(submission, data):
    text = receipts.to_text(receipts.receipt(submission))
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(max_codepoint=0xFFFF, exclude_characters=text[place] + " \t\r\n"))
    for changed in (text[:place] + char + text[place + 1 :], text[:place] + char + text[place:], text[:place]):
        claimed = receipts.read(changed)
        assert claimed is None or not receipts.verify(claimed).valid


def test_signature_of_other_letters_for_the_same_bytes_does_not_verify(receipt):
    """The last of 86 characters has bits that decode to nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signature = receipt["signature"]
    others = [signature[:-1] + char for char in alphabet if char != signature[-1]]
    assert not any(receipts.verify(receipt | {"signature": other}).valid for other in [*others, signature + "=="])


def test_changed_receipt_is_told_from_one_of_another_server(receipt):
    assert state_of(receipt | {"size": 22}) == State.CHANGED
    assert state_of(receipt | {"key": "0123456789abcdef"}) == State.UNKNOWN_KEY


def test_receipt_signed_by_somebody_elses_key_under_our_keys_name_does_not_verify(submission, receipt):
    forged = receipt_keys.derive("mallory's own secret", 1)
    fields = {name: value for name, value in receipt.items() if name != "signature"}
    assert state_of(fields | {"signature": forged.sign(receipts.to_text(fields))}) == State.CHANGED
    fields["key"] = forged.key_id
    assert state_of(fields | {"signature": forged.sign(receipts.to_text(fields))}) == State.UNKNOWN_KEY


def test_receipt_of_a_deleted_submission_says_so(submission, receipt):
    submission.delete()
    verdict = receipts.verify(receipt)
    assert not verdict.valid and "deleted the submission permanently" in verdict.message


def test_receipt_does_not_pass_for_a_later_submission_of_the_same_number(receipt):
    Submission.objects.update(created=datetime(2026, 1, 1, tzinfo=UTC))
    assert state_of(receipt) == State.DELETED


def test_receipt_of_changed_files_says_so(submission, receipt):
    Submission.objects.update(file_set=submission.assignment.releases.get().file_set)
    assert file_sets.manifest_of(Submission.objects.get().file_set)
    assert state_of(receipt) == State.OTHER_FILES


# Receipts of earlier versions


@pytest.fixture
def earlier(submission, settings):
    settings.SECRET_KEY = OLD_SECRET
    Submission.objects.update(id=4711, created=datetime(2026, 11, 3, 12, 0, 0, 120, tzinfo=UTC))
    return OF_EARLIER_VERSION


def test_receipt_of_an_earlier_version_still_verifies(earlier):
    assert state_of(earlier) == State.GENUINE


@pytest.mark.parametrize("field", OF_EARLIER_VERSION)
@pytest.mark.parametrize("value", ["other", None, "ü", "\ud800"], ids=ascii)
def test_changed_receipt_of_an_earlier_version_does_not_verify(earlier, field, value):
    for changed in (earlier | {field: value}, {name: earlier[name] for name in earlier if name != field}):
        assert not receipts.verify(changed).valid


def test_receipt_of_an_earlier_version_verifies_with_the_secret_keys_that_are_named(earlier, settings):
    settings.SECRET_KEY = "another"
    assert state_of(earlier) == State.NO_RECEIPT
    settings.SECRET_KEY_FALLBACKS = [OLD_SECRET]
    assert state_of(earlier) == State.GENUINE


# Keys


def test_receipts_verify_after_the_secret_key_is_gone(receipt, settings):
    settings.SECRET_KEY = "another"
    assert state_of(receipt) == State.GENUINE


def test_new_secret_key_signs_with_a_new_key(assignment, receipt, settings):
    settings.SECRET_KEY = "another"
    new = receipts.receipt(cast.submit(assignment, "bob"))
    assert new["key"] != receipt["key"] and state_of(new) == State.GENUINE
    assert ReceiptKey.objects.count() == 2


def test_process_that_still_has_the_old_secret_key_goes_on_with_its_key(assignment, receipt, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    receipts.receipt(cast.submit(assignment, "bob"))
    settings.SECRET_KEY = old
    assert receipts.receipt(cast.submit(assignment, "bob"))["key"] == receipt["key"]
    assert ReceiptKey.objects.count() == 2


def test_rotation_signs_with_another_key_from_then_on_and_is_noted(assignment, receipt):
    new = receipt_keys.rotate(by=SERVER)
    later = receipts.receipt(cast.submit(assignment, "bob"))
    assert later["key"] == new.key_id != receipt["key"]
    assert state_of(later) == state_of(receipt) == State.GENUINE
    entry = AuditEntry.objects.get(action="rotate receipt key")
    assert (entry.target, entry.details) == (new.key_id, {"was": receipt["key"]})


def test_rotation_goes_on_with_a_key_that_was_trusted_after_a_restore(settings, db):
    second = receipt_keys.derive(settings.SECRET_KEY, 2)
    receipt_keys.trust([second.public_key], by=SERVER)
    assert receipt_keys.current_key().number == 1
    assert receipt_keys.rotate(by=SERVER).key_id == second.key_id == receipt_keys.current_key().key_id
    assert receipt_keys.rotate(by=SERVER).number == 3


def test_receipts_of_keys_that_a_restored_database_does_not_know_verify(assignment, receipt, settings):
    for _ in range(receipt_keys.AHEAD - 1):
        receipt_keys.rotate(by=SERVER)
    later = receipts.receipt(cast.submit(assignment, "bob"))
    ReceiptKey.objects.all().delete()
    assert state_of(receipt) == state_of(later) == State.GENUINE
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert state_of(receipt) == State.GENUINE


def test_key_of_another_server_is_trusted_once_an_administrator_says_so(receipt, settings):
    ReceiptKey.objects.all().delete()
    key, settings.SECRET_KEY = receipt_keys.derive(settings.SECRET_KEY, 1), "another"
    assert state_of(receipt) == State.UNKNOWN_KEY
    assert receipt_keys.trust([key.public_key], by=actor("root")) == [receipt["key"]]
    assert state_of(receipt) == State.GENUINE
    assert receipt_keys.current_key().key_id != receipt["key"]
