"""`manage.py verify_blobs`."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from exchange import services
from exchange.maintenance import last_runs
from exchange.models import Blob
from exchange.storage import blobs, verification
from tests import cast
from tests.cast import WORK, actor

NOTEBOOK, NUMBERS = (cast.sha256(WORK[path]) for path in ("ps1.ipynb", "data/numbers.csv"))


def run(*arguments):
    """The exit status, and what was written."""
    out = io.StringIO()
    try:
        call_command("verify_blobs", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def damage(sha256):
    blobs.delete(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(b"rotten"))


def make_unreadable(sha256):
    """A folder has something else in the file's place. In an object store, only other bytes can be there."""
    damage(sha256)
    if blobs.folder():
        blobs.delete(sha256)
        (blobs.folder() / blobs.key(sha256)).mkdir()


def test_whole_store_is_well(submission):
    assert run() == (0, "3 blobs verified, 36 bytes: 0 missing, 0 damaged.\n")
    assert last_runs()["verify_blobs"].summary == {
        "verified": 3, "bytes": 36, "missing": 0, "damaged": 0, "orphaned": 0,
    }  # fmt: skip
    assert not Blob.objects.filter(verified=None).exists()


@pytest.mark.parametrize(
    ("harm", "fault"), [(blobs.delete, "missing"), (damage, "damaged"), (make_unreadable, "damaged")]
)
def test_broken_blob_is_reported_with_whose_submission_it_was(submission, harm, fault):
    harm(NOTEBOOK)
    status, output = run()
    assert status == 1
    assert f"{fault}: {NOTEBOOK}, {len(WORK['ps1.ipynb'])} bytes\n    NBG 101: ps1, bob, " in output
    assert output.splitlines()[1].endswith(": ps1.ipynb")
    assert Blob.objects.get(fault=fault).sha256 == NOTEBOOK
    assert last_runs()["verify_blobs"].summary[fault] == 1
    assert Blob.objects.get(sha256=NOTEBOOK).stored  # it was not told to mark


def test_every_use_of_a_lost_file_is_named(submission):
    cast.return_feedback(submission, "alice")
    blobs.delete(NUMBERS)
    blobs.delete(cast.sha256(b"<b>well done</b>"))
    output = run()[1]
    assert "    NBG 101: ps1, release 1: data/numbers.csv\n" in output
    assert "    Feedback on NBG 101: ps1, bob, " in output


def test_marked_blob_is_repaired_by_the_next_upload(submission):
    damage(NOTEBOOK)
    assert run("--mark")[0] == 1
    assert not Blob.objects.get(sha256=NOTEBOOK).stored
    services.submit(submission.assignment, cast.upload(WORK), by=actor("bob"))
    assert blobs.verify(NOTEBOOK)
    blob = Blob.objects.get(sha256=NOTEBOOK)
    assert blob.stored and not blob.fault
    assert run()[0] == 0


def test_known_damage_is_looked_at_in_every_run_until_it_is_mended(submission):
    blobs.delete(NOTEBOOK)
    assert run("--mark")[0] == 1
    status, output = run()
    assert status == 1 and "1 blob verified" in output
    default_storage.save(blobs.key(NOTEBOOK), io.BytesIO(WORK["ps1.ipynb"]))
    assert run("--mark")[0] == 0
    assert Blob.objects.get(sha256=NOTEBOOK).stored
    assert not Blob.objects.exclude(fault="").exists()


def test_run_goes_on_where_the_last_one_stopped(submission, monkeypatch):
    monkeypatch.setattr(verification, "BATCH", 1)
    read, seen = blobs.is_intact, []

    def unreachable_at_the_third(sha256, **options):
        seen.append(sha256)
        if len(seen) == 3:
            raise blobs.StoreUnreachable("no answer.")
        return read(sha256, **options)

    def unreachable():
        raise blobs.StoreUnreachable("no answer.")

    monkeypatch.setattr(blobs, "is_intact", unreachable_at_the_third)
    monkeypatch.setattr(blobs, "probe", unreachable)
    status, output = run()
    assert status == 2 and "goes on from here" in output
    assert not last_runs()["verify_blobs"].succeeded
    assert "1 blob verified" in run()[1]
    assert sorted({*seen}) == sorted(Blob.objects.values_list("sha256", flat=True))
    assert "0 blobs verified" in run()[1]
    assert "3 blobs verified" in run("--all")[1]


def test_samples_take_turns(submission):
    for number in range(3):
        assert "1 blob verified" in run("--sample", "30%" if number else "1")[1]
    assert not Blob.objects.filter(verified=None).exists()
    oldest = Blob.objects.order_by("verified").first()
    Blob.objects.filter(pk=oldest.pk).update(verified=timezone.now() - timedelta(days=1))
    run("--sample", "1")
    assert Blob.objects.get(pk=oldest.pk).verified > timezone.now() - timedelta(hours=1)


@pytest.mark.parametrize("arguments", [("--sample", "x"), ("--sample", "0"), ("--sample", "1.5"), ("--rate", "fast")])
def test_senseless_option_is_refused(submission, arguments):
    status, output = run(*arguments)
    assert status == 1 and output.startswith(arguments[0])
    assert not Blob.objects.exclude(verified=None).exists()


def test_orphans_are_reported_and_are_no_fault(submission):
    default_storage.save(blobs.key("ab" * 32), io.BytesIO(b"of nobody"))
    Blob.objects.create(sha256="cd" * 32, md5="", size=1, stored=False, touched=timezone.now() - timedelta(days=2))
    status, output = run()
    assert status == 0
    assert f"the file {'ab' * 32} is in the store" in output
    assert "orphaned: 1 blob, which sweep_blobs removes" in output
    assert last_runs()["verify_blobs"].summary["orphaned"] == 2


def test_upload_under_way_is_left_alone(submission):
    Blob.objects.create(sha256="cd" * 32, md5="", size=1, stored=False, touched=timezone.now())
    assert run()[0] == 0
