"""Marking and verifying what the store has."""

import io

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from courses.models import AuditEntry
from courses.permissions import SERVER
from exchange import services
from exchange.models import Blob
from exchange.storage import blobs, file_sets, possession, reading, verification
from exchange.storage.file_sets import Upload
from tests import cast
from tests.cast import WORK, actor

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])


@pytest.fixture
def notebook(submission):
    return Blob.objects.get(sha256=NOTEBOOK)


def rot(sha256):
    blobs.delete(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(b"rotten"))


def test_whole_bytes_verify_and_nothing_changes_but_the_time(submission):
    Blob.objects.update(verified=timezone.now())
    before = cast.everything()
    assert verification.verify(list(Blob.objects.all()), by=SERVER) == []
    assert all(blob.verified > before["Blob"][0]["verified"] for blob in Blob.objects.all())
    Blob.objects.update(verified=before["Blob"][0]["verified"])
    assert cast.everything() == before


@pytest.mark.parametrize("harm", [blobs.delete, rot])
def test_broken_bytes_are_returned_and_no_upload_relies_on_them(notebook, harm):
    harm(NOTEBOOK)
    assert verification.verify(list(Blob.objects.all()), by=SERVER) == [notebook]
    assert list(Blob.objects.filter(stored=False)) == [notebook]
    assert possession.readable_blobs(actor("bob"), [NOTEBOOK]) == {}


def test_bytes_that_are_back_are_relied_on_again(notebook):
    reading.mark_lost([notebook])
    assert verification.verify([notebook], by=actor("root")) == []
    assert possession.readable_blobs(actor("bob"), [NOTEBOOK]) == {NOTEBOOK: notebook}


def test_marks_are_recorded_where_they_change_something(notebook):
    before = AuditEntry.objects.count()
    reading.mark_lost([notebook])
    reading.mark_lost([notebook])
    verification.verify(list(Blob.objects.all()), by=actor("root"))
    missing, present = AuditEntry.objects.order_by("pk")[before:]
    assert (missing.action, missing.actor, missing.object_id) == ("mark bytes as missing", "", notebook.pk)
    assert (present.action, present.actor, present.target) == ("mark bytes as present", "root", NOTEBOOK)


def test_blob_of_no_file_set_is_not_marked_as_present(course):
    with file_sets.store_upload(cast.upload({"a": b"orphan"}), by=actor("bob")):
        pass
    orphan = Blob.objects.get()
    assert not orphan.stored
    verification.mark_present([orphan.sha256], by=SERVER)
    assert not Blob.objects.get().stored


def test_bytes_that_are_sent_replace_those_known_to_be_damaged(submission, notebook):
    default_storage.delete(blobs.key(NOTEBOOK))
    default_storage.save(blobs.key(NOTEBOOK), io.BytesIO(b"x" * notebook.size))
    assert verification.verify([notebook], by=SERVER, mark=False) == [notebook]
    counted_on = cast.upload(WORK)
    with pytest.raises(file_sets.BlobsMissing) as raised:
        services.submit(submission.assignment, Upload(counted_on.manifests), by=actor("bob"))
    assert raised.value.details["missing"] == [NOTEBOOK]
    services.submit(submission.assignment, cast.upload(WORK), by=actor("bob"))
    assert blobs.verify(NOTEBOOK)
    assert Blob.objects.get(pk=notebook.pk).fault == ""
