"""ngshare's command line in a process of its own, with an environment of its own."""

import os
import subprocess
import sys

from tests.servers import ROOT

MANAGE = [str(ROOT / "manage.py")]
MODULE = ["-m", "ngshare_site"]


def run(*arguments, cwd, script=MANAGE, **variables):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, *script, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=cwd)
