"""nbgrader itself, with its shared folder and with ngshare's plugin: submit, list and collect, one after the other.

`python -m benchmarks.through_nbgrader folder|plugin HOME COUNT [URL]` prints figures as JSON. It runs in a process
of its own, since nbgrader reads HOME and the environment. The same classes run as for `nbgrader submit`, but in one
process, so that starting Python 300 times is not what is measured.
"""

import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import default
from nbgrader.exchange.abc import Exchange
from traitlets.config import Config

import nbgrader_plugin
from benchmarks import work
from benchmarks.http import Http
from benchmarks.native import Native
from benchmarks.work import COURSE, INSTRUCTOR
from nbgrader_plugin.client import recent
from tests.servers import ROOT

ASSIGNMENT = "nbgrader ps1"
LISTS = 50
SPACE = 600  # seconds that all of it may take


def measured(kind: str, folder: Path, count: int, url: str = "") -> dict[str, float]:
    """Run this module in a process of its own. Errors: subprocess.SubprocessError, ValueError."""
    home = folder / f"home-{kind}"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "NGSHARE"))}
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]  # for alembic
    env = {**kept, "HOME": str(home), "PATH": path}
    command = [sys.executable, "-m", "benchmarks.through_nbgrader", kind, str(home), str(count), url]
    found = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, timeout=SPACE)
    figures: dict[str, float] = json.loads(found.stdout)
    return figures


def main(kind: str, home: Path, count: int, url: str = "") -> int:
    students = [f"{name}n" for name in work.students(count)]
    config = Config()
    config.Exchange.assignment_dir = str(home)
    config.CourseDirectory.course_id, config.CourseDirectory.root = COURSE, str(home / "course")
    config.CourseDirectory.assignment_id = ASSIGNMENT
    config.ExchangeCollect.check_owner = False  # all files here belong to one user
    (home / "course").mkdir()
    logging.disable(logging.INFO)
    if kind == "folder":
        exchange: object = default
        config.Exchange.root = str(home / "exchange")
        for part in ("inbound", "outbound", "feedback"):
            (home / "exchange" / COURSE / part).mkdir(parents=True)
        (home / "exchange").chmod(0o777)
    else:
        exchange = nbgrader_plugin
        nbgrader_plugin.configure(config, url=url)
        Native(Http(url)).add_students(students)
    write_files(home / "course/release" / ASSIGNMENT, work.released())
    act_as(INSTRUCTOR)
    make(exchange, "ExchangeReleaseAssignment", config).start()
    submit_all(exchange, config, home, students[:1])  # so that nothing is measured that happens once: nbgrader makes
    act_as(INSTRUCTOR)  # a gradebook when it first collects
    make(exchange, "ExchangeCollect", config).start()
    shutil.rmtree(home / "course/submitted")
    figures: dict[str, float] = {"count": count}
    figures |= timed("submit", lambda: submit_all(exchange, config, home, students), count)
    act_as(students[0])
    lister = deepcopy(config)
    del lister.CourseDirectory.assignment_id
    figures |= timed("list", lambda: list_often(exchange, lister), LISTS)
    act_as(INSTRUCTOR)
    inbound = deepcopy(config)
    inbound.ExchangeList.inbound = True
    figures |= timed("inbound", lambda: make(exchange, "ExchangeList", inbound).start(), 1)
    figures |= timed("collect", lambda: make(exchange, "ExchangeCollect", config).start(), 1)
    collected = [path.parent.parent.name for path in (home / "course/submitted").glob(f"*/{ASSIGNMENT}/data.bin")]
    if sorted(collected) != students:
        raise RuntimeError(f"{len(collected)} of {count} submissions were collected")
    print(json.dumps(figures))
    return 0


def timed(name: str, act: Callable[[], object], count: int) -> dict[str, float]:
    """Return seconds, and CPU seconds of this process, of each of `count`."""
    start, used = time.perf_counter(), used_cpu()
    act()
    return {f"{name}_seconds": (time.perf_counter() - start) / count, f"{name}_cpu": (used_cpu() - used) / count}


def used_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def act_as(user: str) -> None:
    os.environ["JUPYTERHUB_API_TOKEN"] = os.environ["JUPYTERHUB_USER"] = user


def make(exchange: object, name: str, config: Config) -> Exchange:
    """Return an exchange object as nbgrader's own commands make it."""
    made: Exchange = getattr(exchange, name)(
        coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config), config=config
    )
    return made


def submit_all(exchange: object, config: Config, home: Path, students: list[str]) -> None:
    """Submit for each student: a folder has no tokens, so nbgrader is told who it is."""
    for student in students:
        write_files(home / ASSIGNMENT, work.work_of(student, all_new=False, attempt="nbgrader"))
        act_as(student)
        of_student = deepcopy(config)
        if exchange is default:
            of_student.CourseDirectory.student_id = student
        make(exchange, "ExchangeSubmit", of_student).start()


def list_often(exchange: object, config: Config) -> None:
    for _ in range(LISTS):
        recent.forget()  # the plugin asks again only after a few seconds
        make(exchange, "ExchangeList", config).start()


def write_files(folder: Path, files: work.FileSet) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
