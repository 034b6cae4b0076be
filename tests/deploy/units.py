"""What systemd does with our unit, done here without it: read its settings, start its command."""

import re
import shlex
import socket
from contextlib import contextmanager
from pathlib import Path

from tests import servers

UNIT = servers.ROOT / "deploy" / "systemd" / "ngshare.service"


def value_of(unit, name):
    (value,) = re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)
    return value


def environment_of(file):
    """What an EnvironmentFile sets."""
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line and not line.startswith("#"))


@contextmanager
def serving(root, unit=UNIT):
    """The unit's command with its environment, on a machine in a folder; waits until it says that it is ready."""
    program, *arguments = shlex.split(value_of(unit, "ExecStart"))
    settings = environment_of(root / value_of(unit, "EnvironmentFile").lstrip("/"))
    data = Path(settings["NGSHARE_DATA"])
    data.mkdir(parents=True, exist_ok=True, mode=int(value_of(unit, "StateDirectoryMode"), 8))
    ready, log = root / "notify", root / "ngshare.log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as words:
        words.bind(str(ready))
        words.settimeout(servers.PATIENCE)
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "NOTIFY_SOCKET": str(ready), **settings}
        with servers.running([f"{root}{program}", *arguments], env=env, log=log, cwd=data) as process:
            try:
                while b"READY=1" not in words.recv(4096):
                    pass
            except TimeoutError as error:
                raise RuntimeError(f"it is not ready: {log.read_text()[-3000:]}") from error
            yield process
    ready.unlink(missing_ok=True)
