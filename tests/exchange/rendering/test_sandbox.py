"""Real processes: what a document can reach, and what it costs others."""

import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from courses.places import Places
from exchange.rendering import sandbox
from exchange.rendering.sandbox import Busy, Sandbox, TooCostly, Unreadable
from tests.exchange.rendering.notebooks import code, json_of_depth, markdown, notebook, printed

LONG = b"5"  # seconds, in which a test does what it has to do meanwhile, on a busy machine too


@pytest.fixture(scope="module")
def real():
    made = Sandbox()
    yield made
    made.stop()


@pytest.fixture
def attempts(monkeypatch, settings):
    """A sandbox with tasks that misbehave, and a few seconds for each."""
    settings.NGSHARE_RENDERING_SECONDS = 2
    settings.NGSHARE_RENDERERS = 2
    monkeypatch.setattr(
        sandbox, "START", sandbox.START.replace("exchange.rendering.starter", "tests.exchange.rendering.attempts")
    )
    made = Sandbox()
    yield made
    made.stop()


@pytest.fixture
def patient(monkeypatch):
    """Documents may take LONG."""
    monkeypatch.setattr(sandbox, "PATIENCE", 60)


def in_thread(act):
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_notebook_is_rendered(real):
    content = notebook(markdown("# Title\n\n$x^2$\n\n```sql\nselect 1\n```"), code("import os", printed("\x1b[31mred")))
    html = real.run([content], "bob", task="notebook").decode()
    assert "<h1>Title</h1>" in html and "<msup>" in html and "ansi-red-fg" in html


@pytest.mark.parametrize("language", ["python", "r", "typescript", "latex", "text"])
def test_all_languages_are_loaded_before(real, language):
    assert b"highlight" in real.run([b"x = 1\n"], "bob", task="text", language=language)


@pytest.mark.parametrize("content", [b"no notebook", b"\xff", b"[]", b'{"cells": {}}'])
def test_what_is_no_notebook_is_unreadable(real, content):
    with pytest.raises(Unreadable):
        real.run([content], "bob", task="notebook")


def test_deep_nesting_ends_the_process_alone(real):
    with pytest.raises((TooCostly, Unreadable)):
        real.run([json_of_depth(100_000)], "bob", task="notebook")
    assert real.run([notebook(markdown("fine"))], "bob", task="notebook")


def test_a_document_reaches_nothing(attempts, monkeypatch):
    monkeypatch.setenv("NGSHARE_SECRET_KEY", "secret")
    assert attempts.run([b""], "bob", task="open_things") == b""


@pytest.mark.parametrize("task", ["spin", "use_memory", "write_much"])
def test_a_costly_document_is_ended(attempts, patient, task):
    with pytest.raises(TooCostly):
        attempts.run([b""], "bob", task=task)
    assert attempts.run([b"0"], "bob", task="sleep") == b"awake"


def test_where_memory_runs_out_a_document_ends_first(attempts, patient):
    attempts.run([b"0"], "bob", task="sleep")
    slow, starter = in_thread(lambda: attempts.run([LONG], "bob", task="sleep")), attempts._process.pid
    children, found = Path(f"/proc/{starter}/task/{starter}/children"), set()
    while slow.is_alive() and "1000" not in found:
        with suppress(FileNotFoundError, ProcessLookupError):
            found |= {Path(f"/proc/{pid}/oom_score_adj").read_text().strip() for pid in children.read_text().split()}
    slow.join(30)
    assert "1000" in found


def test_documents_of_two_processes_fit_into_the_memory_of_the_chart():
    values = yaml.safe_load((Path(__file__).parents[3] / "deploy/helm/ngshare/values.yaml").read_text())
    document = settings.NGSHARE_RENDERERS * settings.NGSHARE_RENDERING_MEMORY
    assert values["resources"]["limits"]["memory"] == "2Gi"
    assert values["server"]["workers"] * (170_000_000 + document) < 2**30  # and as much for the rest


def test_a_document_that_waits_is_ended_and_may_be_tried_again(attempts):
    with pytest.raises(Busy):
        attempts.run([b"3600"], "bob", task="sleep")


def test_next_document_starts_another_starter(attempts):
    attempts.run([b"0"], "bob", task="sleep")
    attempts._process.kill()
    attempts._process.wait()
    assert attempts.run([b"0"], "bob", task="sleep") == b"awake"


def test_others_have_the_place_while_a_document_is_rendered(attempts, patient):
    places, began = Places(1), threading.Event()

    def render():
        with places.hold():
            began.set()
            attempts.run([LONG], "bob", task="sleep")

    slow = in_thread(render)
    assert began.wait(60)
    reached = []

    def work():
        with places.hold():
            reached.append(slow.is_alive())

    in_thread(work).join(30)
    slow.join(30)
    assert reached == [True]


def test_a_person_has_a_few_documents_at_once_and_others_go_on(attempts, patient):
    attempts.run([b"0"], "bob", task="sleep")
    threads = [in_thread(lambda: attempts.run([LONG], "bob", task="sleep")) for _ in range(sandbox.MOST_OF_A_PERSON)]
    while attempts.count_of("bob") < sandbox.MOST_OF_A_PERSON:
        time.sleep(0.01)
    with pytest.raises(Busy):
        attempts.run([b"0"], "bob", task="sleep")
    assert attempts.run([b"0"], "dave", task="sleep") == b"awake"
    for thread in threads:
        thread.join(30)
    assert attempts.count_of("bob") == 0


def test_who_waits_too_long_for_a_turn_is_told_so(attempts, patient, monkeypatch):
    monkeypatch.setattr(sandbox, "QUEUE_SECONDS", 0.1)
    attempts.run([b"0"], "bob", task="sleep")
    threads = [in_thread(lambda name=name: attempts.run([LONG], name, task="sleep")) for name in ("bob", "gina")]
    while attempts.count_of("bob") + attempts.count_of("gina") < 2:
        time.sleep(0.01)
    time.sleep(0.2)
    with pytest.raises(Busy):
        attempts.run([b"0"], "dave", task="sleep")
    for thread in threads:
        thread.join(30)
