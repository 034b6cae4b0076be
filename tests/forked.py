"""Run `python -m nbgrader` again and again without importing it again: a process that has imported it forks.

There is one for each Python and environment, so whatever is read from the environment at an import is right, too.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import lru_cache

TIMEOUT = 600  # seconds that a command may take


class Parent:
    """A process of a Python and an environment that waits for commands; it ends when nobody has this any more."""

    def __init__(self, python, env):
        of_the_hub = {name: value for name, value in env.items() if name.startswith("JUPYTERHUB_")}
        seen = {name: value for name, value in env.items() if name not in of_the_hub}  # it is no user's server in /proc
        self.process = subprocess.Popen(
            [python, __file__], env=seen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._tell(of_the_hub)

    def run(self, arguments, cwd):
        with ExitStack() as stack:
            out, err = (stack.enter_context(tempfile.NamedTemporaryFile("r+")) for _ in range(2))
            command = {"arguments": arguments, "cwd": str(cwd), "out": out.name, "err": err.name}
            self._tell(command)
            status = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(["nbgrader", *arguments], status, out.read(), err.read())

    def _tell(self, words):
        print(json.dumps(words), file=self.process.stdin, flush=True)

    def __del__(self):
        with self.process:  # closes its pipes, and waits
            pass


@lru_cache(maxsize=4)
def _parent(python, env):
    return Parent(python, dict(env))


def nbgrader(*arguments, python=sys.executable, env, cwd):
    """Return what subprocess.run would return of `python -m nbgrader` with these arguments."""
    return _parent(str(python), tuple(sorted(env.items()))).run(arguments, cwd)


def _become(command):
    """What a new process finds: its folder, standard streams and arguments."""
    os.chdir(command["cwd"])
    for number, name, mode in (
        (0, os.devnull, os.O_RDONLY),
        (1, command["out"], os.O_WRONLY),
        (2, command["err"], os.O_WRONLY),
    ):
        opened = os.open(name, mode)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["nbgrader", *command["arguments"]]
    sys.path.insert(0, os.getcwd())  # as -m does
    signal.alarm(TIMEOUT)


def _serve():
    os.environ.update(json.loads(sys.stdin.readline()))
    del sys.path[0]  # this folder
    importlib.import_module("nbgrader.apps.nbgraderapp")
    gc.freeze()
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            _become(json.loads(line))
            runpy.run_module("nbgrader", run_name="__main__", alter_sys=True)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
