"""Each server's metrics have a folder of their own, which goes with the server."""

import fcntl
import os
import tempfile

import pytest

from ngshare_site import metrics_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make(folder):
    folder.mkdir()
    (folder / "counter_1.db").touch()
    (folder / metrics_folder.LOCK).touch()
    return folder


def test_each_server_has_its_own(temporary):
    first = metrics_folder.prepare()
    assert first.parent == temporary
    assert metrics_folder.prepare() != first and first.is_dir()
    metrics_folder._remove_own(first, os.getpid() + 1)
    assert first.is_dir()
    metrics_folder._remove_own(first, os.getpid())
    assert not first.exists()


def test_what_a_killed_server_left_is_removed(temporary):
    abandoned, running = (make(temporary / f"{metrics_folder.PREFIX}{name}") for name in ("abandoned", "running"))
    with open(running / metrics_folder.LOCK, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        metrics_folder.prepare()
    assert running.is_dir() and not abandoned.exists()


def test_folder_that_an_administrator_names_is_emptied(temporary):
    named = make(temporary / "named")
    assert metrics_folder.prepare(str(named)) == named
    assert not (named / "counter_1.db").exists()
