"""What was started below a folder, and its end. Needs no package.

`python processes.py FOLDER` waits until its standard input ends, as it does when whoever started it ends in any way,
and then ends everything that was started below the folder.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 10  # seconds that processes have to end by themselves
# May name the folder in whatever the user runs.
OF_THE_SHELL = (b"DEMO_FOLDER=", b"PWD=", b"OLDPWD=", b"MAKEFLAGS=", b"MAKEOVERRIDES=")
ROUNDS = 5  # a process may have started another one while it was looked for


def kill_all(folder: Path) -> None:
    """End every process that was started below `folder` (its environment says so): nothing is left behind."""
    for sign in (signal.SIGTERM, *[signal.SIGKILL] * ROUNDS):
        ours = [pid for pid in pids() if pid != os.getpid() and belongs(pid, folder)]
        for pid in ours:
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + PATIENCE
        while any(belongs(pid, folder) for pid in ours) and time.monotonic() < deadline:
            time.sleep(0.1)


def pids() -> Iterator[int]:
    proc = Path("/proc")  # elsewhere than on Linux the Hub's own cleaning up must do
    return (int(entry.name) for entry in (proc.iterdir() if proc.exists() else ()) if entry.name.isdigit())


def belongs(pid: int, folder: Path) -> bool:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    variables = [entry for entry in environ.split(b"\0") if not entry.startswith(OF_THE_SHELL)]
    return status != "Z" and any(os.fsencode(folder) + b"/" in entry + b"/" for entry in variables)


if __name__ == "__main__":
    for sign in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)
    sys.stdin.read()
    kill_all(Path(sys.argv[1]))
