"""Virtual environments with other packages than ours, each made once below `.cache/` and used again by later runs.

NGSHARE_TEST_JUPYTERHUB and NGSHARE_TEST_NBGRADER name the older versions that the cycles run on, too.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

CACHE = ROOT / ".cache"
UV = Path(sys.executable).with_name("uv")
JUPYTERHUB = os.environ.get("NGSHARE_TEST_JUPYTERHUB", "5")
NBGRADER = os.environ.get("NGSHARE_TEST_NBGRADER", "0.9.5")  # the oldest that the plugin takes
# Nobody needs it, and it takes half of the time in which nbgrader starts.
WITHOUT_SLOW = ["uninstall", "rfc3987-syntax"]


class CannotInstall(Exception):
    """The packages cannot be had; says what uv said."""


def environment(name: str, steps: list[list[str]], constraints: str = "") -> Path:
    """Return the folder of programs of an environment: `steps` are commands of `uv pip`. Errors: CannotInstall."""
    folder = CACHE / name
    CACHE.mkdir(exist_ok=True)
    made_from = {"steps": steps, "constraints": constraints}
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side
        mark = folder / "installed.json"
        if not mark.exists() or json.loads(mark.read_text()) != made_from:
            _run("venv", "--clear", "--python", sys.executable, str(folder))
            (folder / "constraints.txt").write_text(constraints)
            for command, *arguments in steps:
                if command == "install":
                    arguments = ["--constraint", str(folder / "constraints.txt"), *arguments]
                _run("pip", command, "--python", str(folder / "bin/python"), *arguments)
            mark.write_text(json.dumps(made_from))
    return folder / "bin"


def _run(*arguments: str) -> None:
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise CannotInstall(f"{' '.join(arguments)}: {done.stderr[-1000:]}")


def older_python() -> str:
    """Return a Python with an older JupyterHub and nbgrader, and all else as in ours. Errors: CannotInstall."""
    ours = (ROOT / "constraints.txt").read_text()
    constraints = re.sub(r"^(jupyterhub|nbgrader)==.*\n", "", ours, flags=re.MULTILINE)
    packages = [f"jupyterhub=={JUPYTERHUB}.*", f"nbgrader=={NBGRADER}", "configurable-http-proxy"]
    name = f"jupyterhub-{JUPYTERHUB}-nbgrader-{NBGRADER}-python-{sys.version_info.major}.{sys.version_info.minor}"
    return str(environment(name, [["install", *packages], WITHOUT_SLOW], constraints) / "python")
