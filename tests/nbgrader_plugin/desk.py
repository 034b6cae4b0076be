"""An instructor's computer: a home directory, commands, and a Jupyter server."""

import os
import shutil
import signal
import sqlite3
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from nbgrader.api import Gradebook

from tests.servers import ROOT, Service, free_port, running, wait_until


@dataclass(frozen=True)
class Desk:
    """Someone's home directory and environment."""

    home: Path
    username: str
    service: Service

    @property
    def env(self):
        dropped = ("NGSHARE_", "JUPYTER", "DJANGO_", "DATABASE_URL")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # nbgrader starts alembic
            "PYTHONPATH": str(ROOT),
            "JUPYTER_CONFIG_PATH": str(self.home / "etc"),
            "JUPYTERHUB_API_TOKEN": self.username,
            "NGSHARE_URL": self.service.url,
        }


def make_desk(home, username, service, seconds=120):
    """Someone's computer, with nbgrader configured and the server extensions switched on.

    `seconds`: for which it waits for a list; a busy machine may need more than what people are asked to wait.
    """
    shutil.copytree(ROOT / "nbgrader_plugin/jupyter_server_config.d", home / "etc/jupyter_server_config.d")
    (home / ".jupyter").mkdir()
    (home / ".jupyter/nbgrader_config.py").write_text(
        "from nbgrader_plugin import configure\nc = get_config()\nconfigure(c)\n"
        f"c.NgshareClient.list_timeout = c.NgshareClient.lab_timeout = {seconds}.0\n"
    )
    return Desk(home, username, service)


def call(desk_or_url, method, path, user="root", **kwargs):
    url = getattr(desk_or_url, "url", desk_or_url)
    answer = requests.request(
        method, f"{url}/api/v2/{path}", headers={"Authorization": f"token {user}"}, timeout=300, **kwargs
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


@cache
def _empty_gradebook():
    """The bytes of a new gradebook, which takes nbgrader seconds: it asks alembic in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gradebook.db"
        with Gradebook(f"sqlite:///{path}"):
            pass
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("delete from course")
        return path.read_bytes()


def open_gradebook(folder, course):
    """nbgrader's gradebook in the folder; a new one where there is none."""
    path = Path(folder) / "gradebook.db"
    if not path.exists():
        path.write_bytes(_empty_gradebook())
    return Gradebook(f"sqlite:///{path}", course)


def roster(at, course):
    return {row["username"]: row["role"] for row in call(at, "GET", f"courses/{course}/members/")["results"]}


@contextmanager
def jupyter_server(desk, *options):
    """Its address, without the slash at its end, and its log."""
    port, log = free_port(), desk.home / "jupyter.log"
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={desk.home}", *options,
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(command, env=desk.env, log=log, cwd=desk.home) as process:
        wait_until(lambda: _answers(url), process, log)
        yield url, log


@contextmanager
def stopped(service):
    """The service takes connections, and answers nothing."""
    os.killpg(service.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(service.process.pid, signal.SIGCONT)


def goes_on_during(url, ask):
    """Return what `ask` returns; files, terminals and kernels of the Jupyter server answer meanwhile."""
    answers, rounds = [], 0
    asking = threading.Thread(target=lambda: answers.append(ask()))
    asking.start()
    while asking.is_alive():
        for path in ("api/contents", "api/terminals", "api/kernels"):
            requests.get(f"{url}/{path}", timeout=300).raise_for_status()
        rounds += 1
    assert rounds > 2, "one that was begun before, and one after it went on, do not count"
    return answers[0]


def _answers(url):
    try:
        return requests.get(f"{url}/api/status", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def put_student(url, name, **fields):
    return requests.put(f"{url}/formgrader/api/student/{name}", json=fields, timeout=300)


def students_in(folder):
    with sqlite3.connect(folder / "gradebook.db") as database:
        return {name for (name,) in database.execute("select id from student")}
