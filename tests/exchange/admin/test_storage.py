"""Verifying bytes in the admin: what is broken is named, counted on by nobody, and comes back."""

import io

import pytest
from django.core.files.storage import default_storage

from courses.permissions import SERVER
from exchange import services
from exchange.models import Blob, FileSet
from exchange.storage import blobs, file_sets, possession, verification
from tests import cast
from tests.cast import WORK

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])


@pytest.fixture
def verify(course, browser):
    root = browser("root")

    def said(*chosen):
        rows = [one.pk for one in chosen]
        kind = chosen[0]._meta.model_name
        answer = root.post(f"/admin/exchange/{kind}/", {"action": "verify", "_selected_action": rows}, follow=True)
        return [str(message) for message in answer.context["messages"]]

    return said


def alter(sha256):
    blobs.delete(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(b"rotten"))


def test_good_bytes_are_said_to_be_whole(two_courses, verify):
    before = cast.everything()
    assert verify(Blob.objects.get(sha256=NOTEBOOK)) == [f"No damage found in {len(WORK['ps1.ipynb'])} bytes."]
    assert verify(*FileSet.objects.all())[0].startswith("No damage found")
    assert verify(*Blob.objects.all())[0].startswith("No damage found")
    assert not Blob.objects.filter(verified=None).exists()
    Blob.objects.update(verified=None)
    assert cast.everything() == before


@pytest.mark.parametrize("harm", [blobs.delete, alter])
def test_bytes_that_are_gone_or_altered_are_named_and_not_counted_on(submission, verify, harm):
    harm(NOTEBOOK)
    for chosen in (Blob.objects.all(), FileSet.objects.filter(submissions=submission)):
        (said,) = verify(*chosen)
        assert NOTEBOOK in said and "damaged or missing" in said
    assert possession.readable_blobs(cast.actor("bob"), [NOTEBOOK]) == {}
    assert set(Blob.objects.filter(stored=False).values_list("sha256", flat=True)) == {NOTEBOOK}


def test_blob_names_its_checksums_and_counts_the_files_beside_it(submission, browser):
    file_set = cast.submit(submission.assignment, "dave").file_set
    blob = file_set.entries.get().blob
    text = browser("root").get(f"/admin/exchange/blob/{blob.pk}/change/").text
    assert "SHA-256:" in text and "MD5:" in text
    assert f"ps1.ipynb in 1 file, {file_set.digest[:12]}" in text


def test_overview_links_to_the_blobs_that_it_counts(submission, browser):
    """Those that verification found, those that a reader found, and none of an upload under way."""
    damaged = Blob.objects.get(sha256=NOTEBOOK)
    alter(NOTEBOOK)
    verification.verify([damaged], by=SERVER, mark=False)
    lost = Blob.objects.exclude(pk=damaged.pk).first()
    Blob.objects.filter(pk=lost.pk).update(stored=False)
    with file_sets.store_upload(cast.upload({"a": b"under way"}), by=cast.actor("bob")):
        pass
    root = browser("root")
    (count,) = [count for count in root.get("/admin/overview/").context["counts"] if "damaged" in count.name]
    listed = root.get(count.address).context["cl"].result_list
    assert count.value == 2 and {blob.pk for blob in listed} == {damaged.pk, lost.pk}
    assert "Damaged" in root.get(f"/admin/exchange/blob/{damaged.pk}/change/").content.decode()


@pytest.mark.parametrize("harm", [blobs.delete, alter])
def test_bytes_from_a_backup_count_again_once_verified(submission, verify, harm):
    blob = Blob.objects.get(sha256=NOTEBOOK)
    harm(NOTEBOOK)
    verify(blob)
    blobs.delete(NOTEBOOK)
    default_storage.save(blobs.key(NOTEBOOK), io.BytesIO(WORK["ps1.ipynb"]))
    assert verify(blob)[0].startswith("No damage found")
    assert NOTEBOOK in possession.readable_blobs(cast.actor("bob"), [NOTEBOOK])


@pytest.mark.parametrize("harm", [blobs.delete, alter])
def test_next_upload_heals_what_was_found_broken(submission, verify, harm):
    blob = Blob.objects.get(sha256=NOTEBOOK)
    harm(NOTEBOOK)
    verify(blob)
    services.submit(submission.assignment, cast.upload(WORK), by=cast.actor("dave"))
    assert verify(blob)[0].startswith("No damage found")


def test_verifying_leaves_a_broken_off_upload_to_garbage_collection(submission, verify):
    orphan = cast.sha256(b"orphan")
    with pytest.raises(RuntimeError), file_sets.store_upload(cast.upload({"a": b"orphan"}), by=cast.actor("bob")):
        raise RuntimeError("the process dies")
    assert verify(Blob.objects.get(sha256=orphan))[0].startswith("No damage found")
    assert not Blob.objects.get(sha256=orphan).stored


def test_too_much_at_once_is_not_begun(submission, verify):
    Blob.objects.filter(sha256=NOTEBOOK).update(size=3_000_000_000)
    (said,) = verify(*Blob.objects.all())
    assert "2 GB or less at once" in said
