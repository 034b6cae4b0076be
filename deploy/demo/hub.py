"""Starting and stopping the demo's JupyterHub, and asking it for things."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbgrader
import requests

from deploy.demo.processes import kill_all

HERE = Path(__file__).parent
PATIENCE = 300  # seconds that the Hub or a server may take to start on a busy machine, or the Hub alone to end
ATTEMPTS = 5  # to start a Hub that ends by itself

NBGRADER_CONFIG = """\
from nbgrader_plugin import configure

c = get_config()
configure(c)
"""
PAGE_CONFIG = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}\n'
# nbgrader's example names one that no server has, so JupyterLab would ask everybody for theirs.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
SERVER_CONFIG = """\
c = get_config()
c.LanguageServerManager.autodetect = False
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
"""


class StartFailed(Exception):
    """A part did not start; says why."""


@dataclass
class Hub:
    """A JupyterHub of our own. `ports`: public, Hub, proxy API, ngshare."""

    folder: Path
    ports: tuple[int, int, int, int]
    base_url: str = "/"
    host: str = ""  # as browsers know it, unless it is the address
    ngshare_host: str = ""  # another one, on a Hub with sub-domains
    variables: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    config: Path = HERE / "jupyterhub_config.py"
    python: str = sys.executable  # of the Hub and the users' servers; the service runs on ours
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    ngshare_token: str = field(default_factory=lambda: secrets.token_hex(32))
    proxy_token: str = field(default_factory=lambda: secrets.token_hex(32))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Without the slash at its end."""
        return f"http://{self.host or self.address}:{self.ports[0]}{self.base_url}".rstrip("/")

    @property
    def ngshare(self) -> str:
        return f"http://{self.ngshare_host or self.host or self.address}:{self.ports[0]}{self.base_url}services/ngshare"

    @property
    def log(self) -> Path:
        return self.folder / "jupyterhub.log"

    def start(self) -> None:
        """Start the Hub, its proxy and its service; wait until all answer. Errors: StartFailed.

        The Hub gives up on a proxy after ten seconds, and ends; on a busy machine the next one may come in time.
        """
        self._write_config()
        for attempt in range(1, ATTEMPTS + 1):
            self._start_process()
            try:
                self._wait_for(f"{self.url}/hub/api/")
                if self.variables.get("DEMO_MANAGED", "1") == "1":
                    self._wait_for(f"{self.ngshare}/healthz")
                return
            except StartFailed:
                if attempt == ATTEMPTS or self.process is None or self.process.poll() is None:
                    raise
            kill_all(self.folder)  # its proxy

    def _start_process(self) -> None:
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("NGSHARE_", "JUPYTER", "DJANGO_"))
        }
        env |= {
            "DEMO_FOLDER": str(self.folder),
            "DEMO_STARTED_IN": str(self.folder),  # so that it is found when all is ended
            "DEMO_PORTS": ",".join(map(str, self.ports)),
            "DEMO_BASE_URL": self.base_url,
            "DEMO_TOKEN": self.token,
            "DEMO_NGSHARE_TOKEN": self.ngshare_token,
            "DEMO_PROXY_TOKEN": self.proxy_token,
            "DEMO_SERVICE_PYTHON": sys.executable,
            **self.variables,
        }
        command = [self.python, "-m", "jupyterhub", "-f", str(self.config)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop_hub_alone(self) -> None:
        """End the Hub and the service that it manages. With DEMO_CLEANUP=0 the users' servers and the proxy go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)

    def _write_config(self) -> None:
        etc = self.folder / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "nbgrader_config.py").write_text(NBGRADER_CONFIG)
        (etc / "labconfig").mkdir(exist_ok=True)
        (etc / "labconfig" / "page_config.json").write_text(PAGE_CONFIG)
        (etc / "jupyter_server_config.py").write_text(SERVER_CONFIG)
        # An editable installation of the plugin does not switch on its server extensions.
        extensions = HERE.parents[1] / "nbgrader_plugin/jupyter_server_config.d"
        shutil.copytree(extensions, etc / "jupyter_server_config.d", dirs_exist_ok=True)
        (self.folder / "homes").mkdir(exist_ok=True)

    def _wait_for(self, address: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not answers(address):
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(f"{address} does not answer.\n{self.tail()}")
            time.sleep(0.2)

    def tail(self, size: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def stop(self) -> None:
        """End the Hub and everything that it started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                pass
        kill_all(self.folder)
        self.process.wait()

    # Asking

    def ask(self, method: str, path: str, **request: Any) -> requests.Response:
        """A question to the Hub's API, in the name of the service `demo`."""
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(method, f"{self.url}/hub/api/{path}", headers=headers, timeout=60, **request)
        answer.raise_for_status()
        return answer

    def token_for(self, username: str, *scopes: str) -> str:
        """A token of this user's, as they could make it on the Hub's token page."""
        self.ask("POST", "users", json={"usernames": [username]}) if not self._knows(username) else None
        body: dict[str, Any] = {"expires_in": 24 * 3600, "note": "demo"}
        if scopes:
            body["scopes"] = list(scopes)
        return str(self.ask("POST", f"users/{username}/tokens", json=body).json()["token"])

    def _knows(self, username: str) -> bool:
        headers = {"Authorization": f"token {self.token}"}
        return requests.get(f"{self.url}/hub/api/users/{username}", headers=headers, timeout=60).status_code == 200

    def start_server(self, username: str) -> str:
        """Start the user's JupyterLab and wait for it; its address, without the slash at its end."""
        if not self._knows(username):
            self.ask("POST", "users", json={"usernames": [username]})
        if not self._server(username):
            self.ask("POST", f"users/{username}/server")
        deadline = time.monotonic() + PATIENCE
        while not self._server(username).get("ready"):
            if time.monotonic() > deadline:
                raise StartFailed(f"the server of {username} does not start.\n{self.tail()}")
            time.sleep(0.3)
        return f"{self.url}/user/{username}"

    def _server(self, username: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"users/{username}").json()["servers"].get("", {})
        return found

    def home(self, username: str) -> Path:
        return self.folder / "homes" / username

    def environment_of_server(self, username: str) -> dict[str, str]:
        """The environment of the user's running server, own token and all: what a terminal there has."""
        address = f"{self.base_url}user/{username}/"
        for process in Path("/proc").iterdir():
            try:
                text = (process / "environ").read_bytes().decode(errors="replace")
            except (OSError, NotADirectoryError):
                continue
            found = dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)
            if found.get("JUPYTERHUB_SERVICE_PREFIX") == address and str(self.folder) in found.get("HOME", ""):
                return found
        raise StartFailed(f"{username} has no running server")


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=3).status_code == 200
    except requests.RequestException:
        return False


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def copy_example(course: Path) -> None:
    """nbgrader's own example assignment, as the source of a course, for the kernel that every server has."""
    source = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source" / "ps1"
    copy = course / "source" / "ps1"
    shutil.copytree(source, copy, dirs_exist_ok=True)
    for path in copy.glob("*.ipynb"):
        notebook = json.loads(path.read_text())
        notebook["metadata"]["kernelspec"] = KERNEL
        path.write_text(json.dumps(notebook, indent=1) + "\n")


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()


def course_config(course_name: str, folder: Path) -> str:
    """nbgrader_config.py for an instructor."""
    settings = {"root": str(folder), "course_id": course_name}
    return "c = get_config()\n" + "".join(
        f"c.CourseDirectory.{name} = {json.dumps(value)}\n" for name, value in settings.items()
    )
