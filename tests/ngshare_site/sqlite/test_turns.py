"""The queue of writers: one at a time, of all threads and processes, and nobody who is gone keeps it."""

import subprocess
import sys
import threading

import pytest

from ngshare_site.sqlite.turns import Turn

HOLD = """
import sys, time
from pathlib import Path
from ngshare_site.sqlite.turns import Turn
turn = Turn(Path(sys.argv[1]))
assert turn.wait(10)
print("mine", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue"


def test_second_waits_for_the_first(path):
    first, second = Turn(path), Turn(path)
    assert first.wait(0) and not second.wait(0)
    first.end()
    assert second.wait(0)
    second.end()


def test_who_did_not_get_a_turn_ends_nobody_elses(path):
    first, second = Turn(path), Turn(path)
    assert first.wait(0) and not second.wait(0)
    second.end()
    assert not Turn(path).wait(0)
    first.end()


def test_turn_that_ends_twice_is_ended_once(path):
    first, second = Turn(path), Turn(path)
    assert first.wait(0)
    first.end()
    assert second.wait(0)
    first.end()
    assert not Turn(path).wait(0)
    second.end()


def test_threads_have_it_one_at_a_time(path):
    inside, most = [], []

    def write():
        for _ in range(50):
            turn = Turn(path)
            assert turn.wait(60)
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            turn.end()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 200


def test_process_that_is_killed_lets_the_next_one_begin(path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "mine\n"
        turn = Turn(path)
        try:
            assert not turn.wait(0)
        finally:
            other.kill()
        assert turn.wait(60)
    turn.end()


def test_queue_that_cannot_be_opened_keeps_nobody_waiting(tmp_path):
    path = tmp_path / "folder" / "queue"
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            Turn(path).wait(0)
