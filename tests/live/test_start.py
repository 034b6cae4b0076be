"""Several servers may start at once on one empty folder."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from tests import cast, servers
from tests.live.files import files_below

pytestmark = pytest.mark.live


def test_servers_that_start_at_once_migrate_one_after_another(tmp_path):
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        starts = [servers.service(tmp_path / "data", workers=1, is_migrated=False) for _ in range(3)]
        running = list(pool.map(stack.enter_context, starts))
        assert [requests.get(f"{one.url}/readyz", timeout=300).status_code for one in running] == [200] * 3


def test_everything_in_the_data_folder_is_the_services_alone(tmp_path):
    """As systemd's StateDirectory made it before it was told otherwise."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with servers.service(data, workers=1, is_migrated=False) as running:
        root, alice = ({"Authorization": f"token {name}"} for name in ("root", "alice"))
        course = {"name": cast.COURSE, "instructors": ["alice"]}
        requests.post(running.url + cast.v2("courses"), json=course, headers=root, timeout=300).raise_for_status()
        tar = {"Content-Type": "application/x-tar", **alice}
        released = running.url + cast.of_assignment("releases")
        requests.post(released, data=cast.bundle(cast.PS1), headers=tar, timeout=300).raise_for_status()
        made = {str(data): data.stat(), **files_below(data)}
    del made[str(running.log)]
    names = {"ngshare.sqlite3", "ngshare_secret_key", cast.sha256(cast.PS1["ps1.ipynb"])}
    assert names <= {os.path.basename(path) for path in made}
    assert [path for path, status in made.items() if status.st_mode & 0o077] == []
