"""Where no container runs, that is known before tests need one."""

from pathlib import Path

import pytest

from tests.deploy import engine

pytestmark = pytest.mark.deploy


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """A machine on which nothing has been tried yet, with names of images to build on."""
    monkeypatch.setattr(engine, "CACHE", tmp_path)
    monkeypatch.setattr(engine, "BASES", ["debian"])
    engine.why_incomplete.cache_clear()
    yield
    engine.why_incomplete.cache_clear()


def test_machine_without_an_engine_says_so(monkeypatch):
    monkeypatch.setattr(engine, "builder", lambda: "")
    assert "neither podman" in engine.why_incomplete()
    assert not engine.is_complete()


def test_engine_that_runs_nothing_is_found_out_each_time(monkeypatch):
    monkeypatch.setattr(engine, "builder", lambda: "false")  # the program of that name
    for _ in range(2):
        engine.why_incomplete.cache_clear()
        assert engine.why_incomplete().startswith("false runs no container: ")


def test_configuration_is_whole_whenever_the_engine_reads_it():
    file = Path(engine.environment()["CONTAINERS_CONF"])
    file.write_text("of an earlier version")
    with file.open() as reading:
        engine.environment()
        assert reading.read() == "of an earlier version"
    written = file.stat()
    engine.environment()
    assert (file.read_text(), file.stat()) == (engine.CONTAINERS_CONF, written)


def test_engine_that_runs_containers_is_asked_once(monkeypatch):
    monkeypatch.setattr(engine, "builder", lambda: "true")
    assert engine.is_complete()
    monkeypatch.setattr(engine, "_why_no_container_runs", lambda: "it was asked again")
    engine.why_incomplete.cache_clear()
    assert engine.is_complete()
