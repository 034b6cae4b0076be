"""The published packages that we must get along with, installed for real and run unmodified.

`ngshare` 0.6, the old service, and `ngshare_exchange` 0.5.3, the plugin in students' images, each in an environment of
its own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests import fake_hub, servers
from tests.environments import WITHOUT_SLOW, environment

OLD_SERVICE = ("old-service", [["install", "ngshare==0.6.*", "sqlalchemy<2", "alembic<1.17", "jupyterhub<6"]])
OLD_PLUGIN = (
    "old-plugin",
    [
        ["install", "nbgrader>=0.9.5", "jupyterlab>=4.4"],
        # The plugin's own requirements are older than today's JupyterLab, so it goes in without them.
        ["install", "--no-deps", "ngshare_exchange==0.5.3"],
        WITHOUT_SLOW,
    ],
)
# The old service listens on every interface when a Hub starts it; a test listens on loopback.
ON_LOOPBACK = """
import sys
from tornado.httpserver import HTTPServer
listen = HTTPServer.listen
HTTPServer.listen = lambda self, port, *args, **kwargs: listen(self, port, "127.0.0.1")
from ngshare.ngshare import main
main(sys.argv[1:])
"""


@contextmanager
def small_hub() -> Iterator[str]:
    """A Hub that knows every token but "expired": it is its owner's name, percent-encoded. Gives its API's address."""
    with fake_hub.running(token_is_name=True) as hub:
        yield hub.url


@dataclass(frozen=True)
class OldService:
    url: str  # without the slash at its end
    database: Path
    storage: Path


@contextmanager
def old_service(data: Path) -> Iterator[OldService]:
    """ngshare 0.6 as a Hub runs it, with root as administrator and its data in `data`. Errors: CannotInstall."""
    python = environment(*OLD_SERVICE) / "python"
    port = servers.free_port()
    here = OldService(f"http://127.0.0.1:{port}/services/ngshare", data / "ngshare.db", data / "files")
    command = [str(python), "-c", ON_LOOPBACK, "--admins", "root"]
    command += ["--database", f"sqlite:///{here.database}", "--storage", str(here.storage)]
    data.mkdir(parents=True, exist_ok=True)
    log = data / "ngshare.log"
    with small_hub() as hub:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONWARNINGS": "ignore",
            "JUPYTERHUB_API_URL": hub,
            "JUPYTERHUB_API_TOKEN": "ngshare-itself",
            "JUPYTERHUB_CLIENT_ID": "service-ngshare",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        }
        with servers.running(command, env=env, log=log, cwd=data) as process:
            servers.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), process, log)
            yield here


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False


if __name__ == "__main__":
    for wanted in (OLD_SERVICE, OLD_PLUGIN):
        print(environment(*wanted), file=sys.stderr)
