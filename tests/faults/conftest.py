"""What the tests of faults share: services that a supervisor starts again, as systemd or Kubernetes does."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import servers

# Where the machine lacks what these need, they are not collected.
collect_ignore = [] if os.geteuid() == 0 else ["test_disk.py"]  # only root mounts file systems
collect_ignore += [] if shutil.which("strace") else ["test_power_loss.py"]
# No limit of one person is in the way of eight who submit as fast as they can.
UNLIMITED = {"NGSHARE_MAX_SUBMISSIONS_PER_HOUR": "0"}


class Supervised:
    """A service on one address that may be killed and is started again."""

    def __init__(self, data, variables, *, workers=2, checkout=servers.ROOT):
        self.data, self.variables = data, {**UNLIMITED, **variables}
        self.workers, self.checkout = workers, checkout
        self.port = servers.free_port()
        self.stack = ExitStack()
        self.start()

    def start(self):
        how = {"workers": self.workers, "port": self.port, "checkout": self.checkout}
        started = servers.service(self.data, **how, **self.variables)
        self.service = self.stack.enter_context(started)

    @property
    def url(self):
        return self.service.url

    @property
    def leader(self):
        return self.service.process.pid

    def pids(self):
        """The processes of the service: gunicorn's master first, then its workers."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [self.leader, *(pid for pid in pids if pid != self.leader and group_of(pid) == self.leader)]

    def serving(self):
        """The processes that serve; one that was killed, and is still listed, does not."""
        return [pid for pid in self.pids()[1:] if state_of(pid) not in ("", "Z")]

    def kill_all(self):
        os.killpg(self.leader, signal.SIGKILL)
        self.service.process.wait()

    def manage(self, *command):
        """Run a command of the service beside it."""
        env = servers.environment_of(self.data, self.variables)
        arguments = [sys.executable, "manage.py", *command]
        return subprocess.run(arguments, env=env, cwd=self.checkout, capture_output=True, text=True, check=False)

    def close(self):
        """Stop it, as systemd or Kubernetes does."""
        self.stack.close()


def group_of(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def state_of(pid):
    """Return the letter that the kernel has for it, or "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@pytest.fixture
def supervise(tmp_path):
    """Starts supervised services: each has a data folder, or several share one."""
    with ExitStack() as stack:

        def begin(folder="data", *, workers=2, checkout=servers.ROOT, **variables):
            supervised = Supervised(tmp_path / folder, variables, workers=workers, checkout=checkout)
            stack.callback(supervised.close)
            return supervised

        yield begin


@contextmanager
def stores(name):
    """The variables of one set of stores: "sqlite" with a folder, or "postgres" with S3."""
    with ExitStack() as stack:
        if name == "sqlite":
            yield {}
        else:
            variables = {"DATABASE_URL": stack.enter_context(servers.postgres())}
            variables["NGSHARE_STORAGE"] = stack.enter_context(servers.s3())
            yield variables


@pytest.fixture(params=["sqlite", "postgres"])
def kept_in(request):
    """Variables of SQLite with a folder, then of PostgreSQL with S3."""
    with stores(request.param) as variables:
        yield variables
