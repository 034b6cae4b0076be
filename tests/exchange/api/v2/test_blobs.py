"""Downloads: bundles and single blobs with ranges."""

import io
import tarfile

import pytest

from tests import cast
from tests.cast import WORK, v2

CONTENT = WORK["ps1.ipynb"]
ADDRESS = v2("blobs", cast.sha256(CONTENT))


def test_bundle_holds_exactly_what_was_asked_for(submission, bob):
    hashes = [cast.sha256(content) for content in WORK.values()]
    answer = bob.post(v2("blobs", "bundle"), {"sha256": [*hashes, hashes[0]]}, format="json")
    body = b"".join(answer.streaming_content)
    assert int(answer.headers["Content-Length"]) == len(body)
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        members = [(one.name, archive.extractfile(one).read()) for one in archive]
    assert members == list(zip(hashes, WORK.values(), strict=True))  # each once, in the order of the request


def test_empty_bundle_is_a_tar(submission, bob):
    answer = bob.post(v2("blobs", "bundle"), {"sha256": []}, format="json")
    assert tarfile.open(fileobj=io.BytesIO(b"".join(answer.streaming_content))).getnames() == []


def test_there_are_no_addresses_unless_the_site_has_such(submission, bob):
    body = {"sha256": [cast.sha256(content) for content in WORK.values()]}
    assert bob.post(v2("blobs", "addresses"), body, format="json").json() == {"addresses": {}}


def test_blob_comes_with_its_hash_as_etag(submission, bob):
    answer = bob.get(ADDRESS)
    assert b"".join(answer) == CONTENT and answer.headers["ETag"] == f'"{cast.sha256(CONTENT)}"'
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert bob.get(ADDRESS, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-3", slice(0, 4)),
        ("bytes=4-", slice(4, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=2-999", slice(2, None)),
        ("bytes=-999", slice(None)),
        ("bytes=0-0", slice(0, 1)),
    ],
)
def test_range_gives_the_part(submission, bob, header, part):
    answer = bob.get(ADDRESS, headers={"Range": header})
    got = b"".join(answer)
    assert answer.status_code == 206 and got == CONTENT[part]
    first = CONTENT.index(got) if len(got) > 1 else 0
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(got) - 1}/{len(CONTENT)}"
    assert int(answer.headers["Content-Length"]) == len(got)


@pytest.mark.parametrize("header", ["bytes=99-", "bytes=-0", "bytes=17-18"])
def test_range_outside_the_blob_is_a_416(submission, bob, header):
    answer = bob.get(ADDRESS, headers={"Range": header})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")


@pytest.mark.parametrize("header", ["bytes=3-1", "bytes=-", "lines=1-2", "bytes=0-1,3-4", "bytes=a-b", "junk"])
def test_range_that_means_nothing_gives_the_whole(submission, bob, header):
    answer = bob.get(ADDRESS, headers={"Range": header})
    assert answer.status_code == 200 and b"".join(answer) == CONTENT


def test_range_of_another_version_gives_the_whole(submission, bob):
    answer = bob.get(ADDRESS, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert answer.status_code == 200 and b"".join(answer) == CONTENT
