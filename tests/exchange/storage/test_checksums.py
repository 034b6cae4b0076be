"""The checksums of API v1: computed once, and kept."""

import hashlib
import io
import json

import pytest
from django.core.files.storage import default_storage

from exchange.models import Blob
from exchange.storage import blobs, checksums, reading
from tests import cast
from tests.cast import PS1, WORK

CONTENTS = {cast.sha256(content): content for content in (*PS1.values(), *WORK.values())}


@pytest.fixture
def reads(monkeypatch):
    """The hashes of the blobs that are read."""
    found, read = [], reading.read
    monkeypatch.setattr(reading, "read", lambda blob: (found.append(blob.sha256), read(blob))[1])
    return found


def test_no_upload_computes_them(submission, reads):
    assert {blob.md5 for blob in Blob.objects.all()} == {""} and not reads


def test_they_are_computed_once_and_kept(submission, reads):
    twice = [*Blob.objects.all(), *Blob.objects.all()]
    checksums.complete(twice)
    assert sorted(reads) == sorted(CONTENTS)
    for blob in [*twice, *Blob.objects.all()]:
        assert blob.md5 == hashlib.md5(CONTENTS[blob.sha256]).hexdigest()
    checksums.complete(list(Blob.objects.all()))
    assert sorted(reads) == sorted(CONTENTS)


@pytest.mark.parametrize("order", ["pk", "-pk"])
def test_every_request_goes_through_them_in_the_same_order(submission, reads, order):
    checksums.complete(list(Blob.objects.order_by(order)))
    assert reads == list(Blob.objects.order_by("pk").values_list("sha256", flat=True))


def test_lost_bytes_have_none_until_they_are_back(submission):
    lost = cast.sha256(WORK["ps1.ipynb"])
    blobs.delete(lost)
    rows = list(Blob.objects.all())
    checksums.complete(rows)
    assert [blob.sha256 for blob in rows if not blob.md5] == [lost]
    assert Blob.objects.get(sha256=lost).md5 == "" and not Blob.objects.get(sha256=lost).stored


def replace(sha256, content):
    blobs.delete(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(content))


def test_damaged_bytes_have_none_until_they_are_repaired(submission):
    content = WORK["ps1.ipynb"]
    damaged = cast.sha256(content)
    replace(damaged, bytes(len(content)))
    checksums.complete(list(Blob.objects.all()))
    assert Blob.objects.get(sha256=damaged).md5 == ""
    replace(damaged, content)
    checksums.complete(list(Blob.objects.all()))
    assert Blob.objects.get(sha256=damaged).md5 == hashlib.md5(content).hexdigest()


def test_list_of_api_v1_shows_them(submission, settings):
    settings.NGSHARE_STANDALONE = True
    for _ in range(2):
        answer = cast.client("alice").get("/submission/NBG 101/ps1/bob?list_only=true")
        files = json.loads(b"".join(answer.streaming_content))["files"]
        assert {file["path"]: file["checksum"] for file in files} == {
            path: hashlib.md5(content).hexdigest() for path, content in WORK.items()
        }
