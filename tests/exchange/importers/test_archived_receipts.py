"""Receipts in the zip of a course, which comes back here or goes to another server."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from courses import people
from courses import services as course_services
from courses.models import Course
from courses.permissions import SERVER
from exchange import receipt_keys, receipts
from exchange.models import ReceiptKey, Submission
from exchange.receipts import State
from tests import cast
from tests.cast import COURSE, person


@pytest.fixture
def moved(submission, tmp_path):
    """A zip of the course, whose student was renamed since. The course is not here any more. The receipt, and a way
    to import the zip, which returns the receipt that the submission has then."""
    receipt = receipts.receipt(submission)
    people.rename(person("bob"), "robert", by=SERVER)
    call_command("export_course", COURSE, tmp_path / "course.zip", stdout=io.StringIO())
    course = Course.objects.get(name=COURSE)
    course_services.trash_course(course, by=SERVER)
    course.refresh_from_db()
    course_services.delete_course_permanently(course, by=SERVER)

    def come_back(name=COURSE):
        call_command("import_course", tmp_path / "course.zip", "--name", name, stdout=io.StringIO())
        return receipts.receipt(Submission.objects.get(assignment__course__name=name))

    return receipt, come_back


@pytest.fixture
def elsewhere(moved, settings):
    """Another server: without the keys of the first."""
    ReceiptKey.objects.all().delete()
    settings.SECRET_KEY, first = "another server's secret key", settings.SECRET_KEY
    return first


def test_submission_has_the_same_receipt_when_it_comes_back(moved):
    receipt, come_back = moved
    assert json.dumps(come_back()) == json.dumps(receipt)
    assert Submission.objects.get().student == person("robert") and receipt["student"] == "bob"
    verdict = receipts.verify(receipt)
    assert verdict.valid and verdict.submission == Submission.objects.get()


def test_other_server_signs_anew_and_keeps_the_short_code(moved, elsewhere):
    receipt, come_back = moved
    new = come_back()
    assert new["code"] == receipt["code"] and new["key"] != receipt["key"] and new["student"] == "robert"
    assert receipts.verify(new).state == State.GENUINE
    assert receipts.verify(receipt).state == State.UNKNOWN_KEY


def test_server_that_has_the_secret_key_of_the_first_keeps_its_receipts(moved, elsewhere, settings):
    receipt, come_back = moved
    settings.SECRET_KEY_FALLBACKS = [elsewhere]
    assert come_back() == receipt and receipts.verify(receipt).valid


def test_server_that_trusts_the_keys_of_the_first_keeps_its_receipts(moved, elsewhere, tmp_path):
    receipt, come_back = moved
    key = receipt_keys.derive(elsewhere, 1)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": key.key_id, "x": key.public_key}]}))
    out = io.StringIO()
    call_command("trust_receipt_keys", keys, stdout=out)
    assert key.key_id in out.getvalue()
    assert come_back() == receipt and receipts.verify(receipt).valid


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [1]}', '{"keys": [{"x": "short"}]}'])
def test_file_without_keys_is_not_trusted(course, tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    before = cast.everything()
    with pytest.raises(CommandError):
        call_command("trust_receipt_keys", tmp_path / "keys.json")
    assert cast.everything() == before


def test_copy_of_a_course_beside_the_first_gets_short_codes_and_receipts_of_its_own(moved):
    receipt, come_back = moved
    first, copy = come_back(), come_back("A copy")
    assert first == receipt and copy["code"] != receipt["code"] and copy["course"] == "A copy"
    assert receipts.verify(copy).submission != receipts.verify(first).submission
