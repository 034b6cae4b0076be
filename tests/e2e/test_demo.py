"""`make demo`: whatever ends it, nothing that it started is left; and what it shows can be used at once."""

import json
import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from jupyter_client.kernelspec import KernelSpecManager

from deploy.demo.hub import is_free
from deploy.demo.processes import belongs, pids
from tests.servers import ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found in Linux's /proc"),
]
PATIENCE = 600  # seconds, on a busy machine
RUN = str(ROOT / "deploy" / "demo" / "run.py")
PROCESSES = (ROOT / "deploy" / "demo" / "processes.py").resolve()


class Demo:
    """The demo in a terminal of its own, as of `xterm -e make demo`: of a closed one, make alone is told, and waits."""

    def __init__(self, folder, port):
        self.folder = folder
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            for sign in (signal.SIGHUP, signal.SIGINT):
                signal.signal(sign, signal.SIG_DFL)  # nohup, or a shell's background, would have them ignored
            makefile = folder.parent / "Makefile"
            os.environ |= {"DEMO_FOLDER": str(folder), "DEMO_PORT": str(port)}
            os.execvp("make", ["make", "--silent", "-f", str(makefile), "demo"])
        self.output = b""
        deadline = time.monotonic() + PATIENCE
        while b"Ctrl-C ends the demo." not in self.output:
            assert time.monotonic() < deadline, self.output.decode()
            try:
                self.output += os.read(self.terminal, 4096)
            except OSError:  # it has ended
                raise AssertionError(self.output.decode()) from None

    def processes(self):
        return [pid for pid in pids() if belongs(pid, self.folder)]

    def hub_variable(self, name):
        for pid in self.processes():
            with suppress(OSError):  # it has ended meanwhile
                variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                found = dict(pair.split("=", 1) for pair in variables if "=" in pair)
                if name in found:
                    return found[name]
        raise AssertionError(name)

    def guards(self):
        """Those that look after it; one that ends its processes would end those of the next demo in this folder."""
        ending = os.fsencode(f"\0{PROCESSES}\0{self.folder.resolve()}\0")
        return [pid for pid in pids() if command_of(pid).endswith(ending)]

    @property
    def runner(self):
        """The process of run.py, which make has started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0])

    def start_server_of(self, username, port):
        headers = {"Authorization": f"token {self.hub_variable('DEMO_TOKEN')}"}
        api = f"http://127.0.0.1:{port}/hub/api/users/{username}"
        requests.post(api, headers=headers, timeout=30)
        requests.post(f"{api}/server", headers=headers, timeout=60).raise_for_status()
        deadline = time.monotonic() + PATIENCE
        while not any(b"jupyterhub-singleuser" in command_of(pid) for pid in self.processes()):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_demo_beside_another_one_is_another(tmp_path):
    """Their folders may begin the same."""
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "DEMO_STARTED_IN": f"{tmp_path}/demo2"}) as other:
        deadline = time.monotonic() + PATIENCE
        while not belongs(other.pid, tmp_path / "demo2"):  # its environment shows a moment after Popen returns
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not belongs(other.pid, tmp_path / "demo")
        other.kill()


def command_of(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def free_demo_port():
    """A port that is free, as are the three others that the demo takes.

    The demo gives them back between two tests: no others are given to whoever asks the system for any port.
    """
    while not all(map(is_free, ((port := random.randrange(10_000, 20_000)), port + 81, port + 82, port + 83))):
        pass
    return port


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose demo is set up once."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "Makefile").write_text(f"demo:\n\t@{sys.executable} {RUN}\n")
    return folder / ".demo", free_demo_port()


def read_on(terminal):
    """As a terminal that is open does: otherwise whoever writes much would wait."""
    with suppress(OSError):
        while os.read(terminal, 4096):
            pass


@pytest.mark.parametrize("how", ["closed terminal", "Ctrl-C", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_of_the_demo(place, how):
    folder, port = place
    demo = Demo(folder, port)
    demo.start_server_of("bob", port)
    assert len(demo.processes()) >= 5  # the Hub, its proxy, the service's processes, a server
    if how == "closed terminal":
        os.close(demo.terminal)
    else:
        threading.Thread(target=read_on, args=(demo.terminal,), daemon=True).start()
        if how == "Ctrl-C":
            os.write(demo.terminal, b"\x03")
        else:
            os.kill(demo.runner, getattr(signal, how))
    deadline = time.monotonic() + PATIENCE
    while left := [*demo.processes(), *demo.guards()]:
        assert time.monotonic() < deadline, [command_of(pid) for pid in left]
        time.sleep(0.2)
    os.waitpid(demo.pid, 0)


def test_notebooks_name_a_kernel_that_is_there(place):
    folder, port = place
    course = folder / "homes" / "alice" / "course101"
    notebooks = [*course.glob("source/ps1/*.ipynb"), *course.glob("release/ps1/*.ipynb")]
    kernels = {json.loads(path.read_text())["metadata"]["kernelspec"]["name"] for path in notebooks}
    assert len(notebooks) == 4 and kernels <= set(KernelSpecManager().find_kernel_specs())


def test_reset_ends_the_demo_and_forgets_it(place):
    folder, port = place
    demo = Demo(folder, port)
    threading.Thread(target=read_on, args=(demo.terminal,), daemon=True).start()
    assert reset(folder).returncode == 0
    assert not folder.exists() and demo.processes() == []
    os.waitpid(demo.pid, 0)
    assert "no demo" in reset(folder).stdout


def test_reset_leaves_other_folders_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    assert reset(tmp_path).returncode == 1 and (tmp_path / "thesis.txt").exists()


def reset(folder):
    command = [sys.executable, str(ROOT / "deploy" / "demo" / "reset.py")]
    return subprocess.run(command, env={"DEMO_FOLDER": str(folder)}, capture_output=True, text=True)
