"""Receipts: exactly what is signed, and what verifies."""

import json
from datetime import UTC, datetime

import pytest

from exchange import receipts, services
from exchange.models import Submission
from exchange.storage import file_sets
from tests import cast
from tests.cast import PS1, actor, person


@pytest.fixture
def receipt(submission):
    return receipts.receipt(submission)


def test_signed_bytes_never_change(submission, settings):
    settings.SECRET_KEY = "a key that is fixed for this test"
    Submission.objects.update(id=4711, created=datetime(2026, 11, 3, 12, 0, 0, 120, tzinfo=UTC))
    receipt = receipts.receipt(Submission.objects.get())
    assert json.dumps(receipt, ensure_ascii=True) == (
        '{"id": 4711, "course": "NBG 101", "assignment": "ps1", "student": "bob", "submitted_by": "bob", '
        '"timestamp": "2026-11-03T12:00:00.000120Z", "release": 1, "late": false, "trial": false, '
        '"digest": "e96cce0315f2037da8569221fda5473b954cb2902c8e029a5b3b0357f7834dfb", "size": 23, "file_count": 2, '
        '"signature": "OqWkUtGDy1ePPSA3DRHflGFC03BBI2iM7ZB5eaqggro"}'
    )
    assert receipts.verify(receipt)[0] is True


def test_receipt_says_who_submitted_for_whom(assignment):
    submission, _ = services.submit(assignment, cast.upload(PS1), by=actor("gina"), student=person("bob"))
    receipt = receipts.receipt(submission)
    assert (receipt["student"], receipt["submitted_by"], receipt["trial"]) == ("bob", "gina", False)


def test_receipt_of_a_sender_and_release_that_are_gone_says_none(submission):
    Submission.objects.update(submitted_by=None, release=None)
    receipt = receipts.receipt(Submission.objects.get())
    assert (receipt["submitted_by"], receipt["release"]) == (None, None)
    assert receipts.verify(receipt)[0] is True


def test_genuine_receipt_verifies(receipt):
    assert receipts.verify(receipt) == (
        True,
        "The receipt is genuine and the submission is here, with exactly these files.",
    )


@pytest.mark.parametrize("field", ["id", "course", "student", "timestamp", "late", "digest", "signature"])
@pytest.mark.parametrize("value", ["other", None, "ü", "\ud800"], ids=ascii)
def test_changed_or_incomplete_receipt_does_not_verify(receipt, field, value):
    for changed in (receipt | {field: value}, {name: receipt[name] for name in receipt if name != field}):
        assert receipts.verify(changed) == (False, "This is no receipt of this server, or it was changed.")


def test_receipt_in_another_order_or_with_more_in_it_does_not_verify(receipt):
    for changed in (dict(reversed(receipt.items())), dict(sorted(receipt.items())), receipt | {"grade": 100}):
        assert receipts.verify(changed)[0] is False


def test_receipt_of_another_key_does_not_verify_unless_it_is_named(receipt, settings):
    settings.SECRET_KEY, old = "another", settings.SECRET_KEY
    assert receipts.verify(receipt)[0] is False
    settings.SECRET_KEY_FALLBACKS = [old]
    assert receipts.verify(receipt)[0] is True


def test_receipt_of_a_deleted_submission_says_so(submission, receipt):
    submission.delete()
    valid, message = receipts.verify(receipt)
    assert not valid and "deleted the submission permanently" in message


def test_receipt_does_not_pass_for_a_later_submission_of_the_same_number(submission, receipt):
    Submission.objects.update(created=datetime(2026, 1, 1, tzinfo=UTC))
    valid, message = receipts.verify(receipt)
    assert not valid and "deleted the submission permanently" in message


def test_receipt_of_changed_files_says_so(submission, receipt):
    Submission.objects.update(file_set=submission.assignment.releases.get().file_set)
    assert file_sets.manifest_of(Submission.objects.get().file_set)
    valid, message = receipts.verify(receipt)
    assert not valid and "other files" in message
