"""Bundles: what is sent and what is accepted."""

import io
import json
import tarfile

import pytest

from nbgrader_plugin.client import bundle, manifest
from nbgrader_plugin.client.errors import InvalidResponse, LocalFileError
from nbgrader_plugin.exchange.local_files import read_file
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.people import tree


def local(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return read_file(name, tmp_path / name)


def test_upload_is_a_plain_tar_of_the_length_it_says(tmp_path):
    files = [local(tmp_path, "a", b"x" * 1000), local(tmp_path, "b", b""), local(tmp_path, "same", b"")]
    upload = bundle.Upload({"files": manifest.as_json(files)}, files)
    body = b"".join(upload)
    assert len(body) == len(upload) and b"".join(upload) == body, "it can be sent again"
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        content = {member.name: tar.extractfile(member).read() for member in tar}
    assert list(content) == ["manifest.json", files[0].sha256, files[1].sha256]
    assert content[files[0].sha256] == b"x" * 1000
    assert json.loads(content["manifest.json"])["files"][0]["path"] == "a"


@pytest.mark.parametrize("later", [b"changed!", b"short", b"another and longer"])
def test_file_that_changes_while_it_is_sent_stops_the_upload(tmp_path, later):
    file = local(tmp_path, "a", b"original")
    upload = bundle.Upload({}, [file])
    file.source.write_bytes(later)
    with pytest.raises(LocalFileError, match="changed while it was being sent"):
        b"".join(upload)


def test_file_that_goes_while_it_is_sent_stops_the_upload(tmp_path):
    file = local(tmp_path, "a", b"original")
    file.source.unlink()
    with pytest.raises(LocalFileError, match="cannot be read"):
        b"".join(bundle.Upload({}, [file]))


def receive(tmp_path, content, *wanted):
    stream = io.BytesIO(content)
    return list(bundle.receive(stream, {hostile.sha256(one): len(one) for one in wanted}, tmp_path))


def test_received_blobs_are_named_by_their_hash(tmp_path):
    members = [(hostile.sha256(one), one) for one in (b"one", b"", b"x" * 512)]
    receive(tmp_path, hostile.bundle(*members), b"one", b"", b"x" * 512)
    assert tree(tmp_path) == dict(members)


@pytest.mark.parametrize(
    "content",
    [
        hostile.bundle((hostile.sha256(b"a"), b"a"), (hostile.sha256(b"a"), b"a")),
        hostile.bundle((hostile.sha256(b"a"), b"a")),
        hostile.bundle(*((hostile.sha256(one), one) for one in (b"a", b"b", b"c"))),
        hostile.bundle((hostile.sha256(b"a"), b"b"), (hostile.sha256(b"b"), b"b")),
        hostile.bundle((hostile.sha256(b"a"), b"a"), ("manifest.json", b"{}")),
        hostile.bundle((hostile.sha256(b"a"), b"a"))[:513],
        b"",
    ],
    ids=["twice", "one missing", "one too many", "wrong content", "a manifest", "cut", "empty"],
)
def test_bundle_that_is_not_what_was_asked_for_is_refused(tmp_path, content):
    with pytest.raises(InvalidResponse):
        receive(tmp_path, content, b"a", b"b")
    assert all(hostile.sha256((tmp_path / name).read_bytes()) == name for name in tree(tmp_path) if len(name) == 64)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_member_that_is_not_a_regular_file_is_refused_even_with_the_right_name_and_size(tmp_path, kind):
    member = tarfile.TarInfo(hostile.sha256(b""))
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(InvalidResponse, match="not a regular file"):
        receive(tmp_path, hostile.bundle(member), b"")
