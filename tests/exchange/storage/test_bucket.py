"""Which requests an object store gets. What is stored and read is tested in test_blobs.py, on a folder as well."""

import hashlib
import io

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from exchange.storage import blobs

SMALL = b"0123456789"

# A folder gets none: there is nothing to test then.
if "bucket_name" in settings.STORAGES["default"]["OPTIONS"]:

    @pytest.fixture
    def sent():
        """The operations that are asked for meanwhile."""
        names, events = [], default_storage.bucket.meta.client.meta.events

        def note(params, model, **options):
            names.append(model.name)

        events.register("before-call.s3", note)
        yield names
        events.unregister("before-call.s3", note)

    def put(content, folder):
        sha256 = hashlib.sha256(content).hexdigest()
        blobs.put(blobs.stage(io.BytesIO(content), folder, sha256=sha256, size=len(content)))
        return sha256

    @pytest.mark.parametrize("content", [b"", SMALL, b"a" * 2**20])
    def test_small_blob_takes_one_request_each_to_write_to_find_and_to_read(content, sent, tmp_path):
        sha256 = put(content, tmp_path)
        assert blobs.find_absent({sha256: len(content)}) == []
        assert b"".join(blobs.read(sha256, length=len(content))) == content
        assert sent == ["PutObject", "HeadObject", "GetObject"]

    def test_part_of_a_small_blob_is_read(tmp_path):
        assert b"".join(blobs.read(put(SMALL, tmp_path), start=3, length=4)) == SMALL[3:7]

    def test_large_blob_is_written_in_parts_and_read(sent, tmp_path):
        content = b"b" * (default_storage.transfer_config.multipart_threshold + 1)
        sha256 = put(content, tmp_path)
        assert sent[0] == "CreateMultipartUpload"
        assert b"".join(blobs.read(sha256, length=len(content))) == content
        assert blobs.verify(sha256)

    def test_what_is_not_there_is_absent(sent):
        sha256 = hashlib.sha256(b"nothing").hexdigest()
        assert blobs.find_absent({sha256: 7}) == [sha256]
        with pytest.raises(blobs.Absent):
            list(blobs.read(sha256, length=7))
        assert not blobs.verify(sha256)

    def test_checksum_goes_with_what_is_sent():
        requests, events = [], default_storage.bucket.meta.client.meta.events

        def note(request, **options):
            requests.append(request)

        events.register("before-send.s3.PutObject", note)
        default_storage.save("ab/part", ContentFile(SMALL))
        events.unregister("before-send.s3.PutObject", note)
        assert {name.lower() for name in requests[0].headers} & {"x-amz-checksum-crc32", "x-amz-trailer"}
