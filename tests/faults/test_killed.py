"""Processes that are killed at random moments of a rush: one worker, or the whole service, which is started again.

`make torture` does 200 rounds; other runs 20.
"""

import os
import random
import signal
import time

import pytest

from tests import servers
from tests.faults.rush import rush_of

pytestmark = pytest.mark.faults

ROUNDS = int(os.environ.get("NGSHARE_TEST_ROUNDS", "20"))


def kill_a_worker(service, chance):
    """Return whether there was one: those that were killed before may be gone at any moment."""
    workers = service.serving()
    try:
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return bool(workers)


def test_nothing_acknowledged_is_lost_when_processes_are_killed(supervise, kept_in):
    service = supervise(**kept_in)
    chance = random.Random(ROUNDS)
    with rush_of([service.url]) as rush:
        for round_ in range(ROUNDS):
            rush.wait_for(chance.randrange(1, 12))
            time.sleep(chance.uniform(0, 0.05))
            if round_ % 4 == 3:
                service.kill_all()
                service.start()
            else:
                servers.wait_until(lambda: kill_a_worker(service, chance))  # those that were killed are replaced
    print(f"{ROUNDS} rounds, {rush}")
