"""Several servers may start at once on one empty folder."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from tests import servers

pytestmark = pytest.mark.live


def test_servers_that_start_at_once_migrate_one_after_another(tmp_path):
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        starts = [servers.service(tmp_path / "data", workers=1) for _ in range(3)]
        running = list(pool.map(stack.enter_context, starts))
        assert [requests.get(f"{one.url}/readyz", timeout=30).status_code for one in running] == [200] * 3
