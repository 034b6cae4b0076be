"""Lists are kept for one click, and no longer."""

from contextvars import copy_context
from threading import Thread

import pytest

from nbgrader_plugin.client import recent
from nbgrader_plugin.client.errors import Unreachable


@pytest.fixture
def loaded():
    return []


@pytest.fixture
def ask(loaded):
    def load():
        loaded.append(1)
        return [len(loaded)]

    return lambda key="list": recent.get(key, load)[0]


def in_a_click(work):
    def click():
        recent.begin_click()
        return work()

    return copy_context().run(click)


def test_without_a_click_nothing_is_kept(ask):
    assert [ask(), ask()] == [1, 2]
    assert not recent.is_click()


def test_click_asks_once_for_each_list(ask):
    assert in_a_click(lambda: [ask(), ask(), ask("other"), ask()]) == [1, 1, 2, 1]


def test_next_click_asks_again(ask):
    assert [in_a_click(ask), in_a_click(ask)] == [1, 2]


def test_threads_of_a_click_share_its_lists(ask):
    def work():
        thread = Thread(target=copy_context().run, args=(ask,))
        thread.start()
        thread.join()
        return ask()

    assert in_a_click(work) == 1


def test_change_makes_a_click_ask_again(ask):
    assert in_a_click(lambda: [ask(), recent.forget(), ask()]) == [1, None, 2]
    recent.forget()
    assert not recent.is_click()


def test_failure_is_kept_and_told():
    calls = []

    def load():
        calls.append(1)
        raise Unreachable("It is away.")

    def work():
        assert recent.failure() is None
        for _ in range(2):
            with pytest.raises(Unreachable, match="It is away."):
                recent.get("list", load)
        return str(recent.failure())

    assert in_a_click(work) == "It is away."
    assert len(calls) == 1
