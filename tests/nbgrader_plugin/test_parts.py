"""The parts below the commands: names, manifests, bundles, times, and folders written whole or not at all."""

import hashlib
import io
import json
import os
import tarfile
from datetime import UTC, datetime

import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from nbgrader_plugin.client import bundle, manifest, paths, times
from nbgrader_plugin.client.errors import BadAnswer, BadPath, LocalTrouble
from nbgrader_plugin.exchange import folders as trees
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.people import tree, write

# Names


@pytest.mark.parametrize("path", ["a", "a/b c.txt", ".hidden", "..a", "ä/ö.ipynb", "a:b", "x" * 255, "-rf", "~"])
def test_clean_path_is_taken_as_it_is(path):
    assert paths.tree_path(path) == path


@pytest.mark.parametrize("text", ["alice", "a+b@c.edu", "NBG 101", "..a", "ä"])
def test_clean_name_is_taken_as_it_is(text):
    assert paths.name(text) == text and paths.is_name(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "/", "a\0", "a\n", "\u2028", "x" * 256, None, 3])
def test_name_that_is_no_single_part_is_refused(text):
    assert not paths.is_name(text)


def test_refusal_names_what_it_is_about():
    with pytest.raises(BadPath, match="The course '../x' cannot be used as a file name: it has a path separator."):
        paths.name("../x", "course")


# Manifests


@pytest.fixture
def coursedir():
    return CourseDirectory()


def test_manifest_lists_what_is_there_sorted(tmp_path, coursedir):
    write(tmp_path, {"b": "2", "a/c": "3", "feedback/x": "x", "B 2": "1"})
    found = manifest.of_folder(tmp_path, coursedir)
    assert [(file.path, file.size) for file in found] == [("B 2", 1), ("a/c", 1), ("b", 1)]
    assert found[0].sha256 == hashlib.sha256(b"1").hexdigest()


def test_digest_is_that_of_the_documentation(tmp_path, coursedir):
    write(tmp_path, {"ps1.ipynb": "{}", "ä.txt": "abcd"})
    rows = [["ps1.ipynb", hashlib.sha256(b"{}").hexdigest(), 2], ["ä.txt", hashlib.sha256(b"abcd").hexdigest(), 4]]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    assert manifest.digest(manifest.of_folder(tmp_path, coursedir)) == hashlib.sha256(text.encode()).hexdigest()


def test_links_are_followed_as_nbgrader_does(tmp_path, coursedir):
    write(tmp_path, {"elsewhere/data.csv": "1", "ps1/p1.ipynb": "x"})
    (tmp_path / "ps1/data").symlink_to(tmp_path / "elsewhere")
    assert [file.path for file in manifest.of_folder(tmp_path / "ps1", coursedir)] == ["data/data.csv", "p1.ipynb"]


def test_link_in_a_circle_is_refused(tmp_path, coursedir):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/again").symlink_to(tmp_path)
    with pytest.raises(LocalTrouble, match="link to a folder that it is in"):
        manifest.of_folder(tmp_path, coursedir)


def test_link_to_nothing_is_refused(tmp_path, coursedir):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises((LocalTrouble, OSError)):
        manifest.of_folder(tmp_path, coursedir)


def test_pipe_is_refused_without_waiting_for_it(tmp_path, coursedir):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LocalTrouble, match="no ordinary file"):
        manifest.of_folder(tmp_path, coursedir)


def test_names_in_the_decomposed_form_are_sent_composed(tmp_path, coursedir):
    write(tmp_path, {"a\u0308.txt": "x"})
    assert [file.path for file in manifest.of_folder(tmp_path, coursedir)] == ["\u00e4.txt"]


def test_names_that_differ_only_in_case_are_refused(tmp_path, coursedir):
    write(tmp_path, {"a.txt": "x", "A.txt": "y"})
    with pytest.raises(BadPath, match="looks the same"):
        manifest.of_folder(tmp_path, coursedir)


def test_ignoring_looks_at_every_part_of_a_path():
    files = [manifest.File(path, "0" * 64, 0) for path in ("a.pyc", "__pycache__/b", "c/.ipynb_checkpoints/d", "e")]
    kept = manifest.without_ignored(files, ["*.pyc", "__pycache__", ".ipynb_checkpoints"])
    assert [file.path for file in kept] == ["e"]


# Bundles


def local(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return manifest.local_file(name, tmp_path / name)


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
    with pytest.raises(LocalTrouble, match="changed while it was being sent"):
        b"".join(upload)


def test_file_that_goes_while_it_is_sent_stops_the_upload(tmp_path):
    file = local(tmp_path, "a", b"original")
    file.source.unlink()
    with pytest.raises(LocalTrouble, match="cannot be read"):
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
        hostile.bundle((hostile.sha256(b"a"), b"b"), (hostile.sha256(b"b"), b"b")),
        hostile.bundle((hostile.sha256(b"a"), b"a"), ("manifest.json", b"{}")),
        hostile.bundle((hostile.sha256(b"a"), b"a"))[:513],
        b"",
    ],
    ids=["twice", "one missing", "wrong content", "a manifest", "cut", "empty"],
)
def test_bundle_that_is_not_what_was_asked_for_is_refused(tmp_path, content):
    with pytest.raises(BadAnswer):
        receive(tmp_path, content, b"a", b"b")
    assert all(hostile.sha256((tmp_path / name).read_bytes()) == name for name in tree(tmp_path) if len(name) == 64)


# Times


def test_time_survives_the_way_to_nbgrader_and_back():
    instant = times.from_server("2026-11-24T14:33:56.000006+02:00")
    text = times.to_nbgrader(instant)
    assert text == "2026-11-24 12:33:56.000006 UTC"
    assert parse_utc(text) == instant.replace(tzinfo=None)
    assert times.from_nbgrader(f"{text}\n") == instant
    assert times.to_server(instant) == "2026-11-24T12:33:56.000006Z"


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S.%f", "nonsense", "../%Y-%m-%d %H:%M:%S.%f"])
def test_format_that_loses_the_time_or_is_no_name_is_not_used(form):
    instant = datetime(2026, 11, 24, 12, 33, 56, 7, UTC)
    assert times.to_nbgrader(instant, form) == "2026-11-24 12:33:56.000007 UTC"


@pytest.mark.parametrize("text", [None, 3, "", "yesterday", "2026-11-24T12:00:00"])
def test_time_of_another_form_is_refused(text):
    with pytest.raises(BadAnswer):
        times.from_server(text)


# Folders


def test_folder_is_replaced_whole_or_stays(tmp_path):
    source = local(tmp_path, "blob", b"new")
    write(tmp_path / "ps1", {"old": "old"})
    files = [manifest.File("new", source.sha256, 3), manifest.File("second", "0" * 64, 3)]
    with pytest.raises(KeyError):
        trees.write_tree(tmp_path / "ps1", files, {source.sha256: source.source}.__getitem__)
    assert tree(tmp_path / "ps1") == {"old": b"old"}
    trees.write_tree(tmp_path / "ps1", files[:1], {source.sha256: source.source}.__getitem__)
    assert tree(tmp_path / "ps1") == {"new": b"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "ps1"]
