"""Where the processes of one server keep their metrics, so that each can answer for all of them.

prometheus-client reads PROMETHEUS_MULTIPROC_DIR once, when it is imported, so this comes before Django starts. Each
server has a folder of its own: servers may share NGSHARE_DATA, also from different containers with equal process ids.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "ngshare-metrics-"
LOCK = "lock"


def prepare(named: str = "") -> Path:
    """Make the folder of this server and remove those that killed servers have left. An administrator may name one."""
    if named:
        return _empty(Path(named))
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)  # held until the last process of this server ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    atexit.register(_remove_own, folder, os.getpid())
    return folder


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()
    return folder


def _remove_own(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # the workers, which were forked from it, come by here as well
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Those that cannot be locked are somebody else's, in use, or gone meanwhile.
        with suppress(OSError), open(folder / LOCK, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
