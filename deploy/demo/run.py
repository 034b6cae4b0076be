"""`make demo`: a real JupyterHub with ngshare, JupyterLab and nbgrader, and a course to try them in.

Everything lives in `.demo/`; `make demo-reset` removes it. Ctrl-C, a closed terminal or a kill ends all of it.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.demo.hub import Hub, StartFailed, copy_example, course_config, is_free

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("DEMO_FOLDER") or ROOT / ".demo")
PORT = int(os.environ.get("DEMO_PORT", "8000"))
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, a closed terminal
COURSE = "course101"
TIMEOUT = 120  # seconds that one request may take, on a slow computer
STUDENTS = {"bob": ("Bob", "Baker"), "carol": ("Carol", "Cook"), "dave": ("Dave", "Dyer")}
HIDDEN_FROM_STUDENTS = ("formgrader", "create-assignment", "course-list")


def say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, flush=True)


def main() -> int:
    for sign in ENDINGS:
        if signal.getsignal(sign) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(sign, _interrupt)
    ports = (PORT, PORT + 81, PORT + 82, PORT + 83)
    if taken := [port for port in ports if not is_free(port)]:
        say(f"Port {taken[0]} is taken, perhaps by another demo. End it, or try DEMO_PORT=9000 make demo.")
        return 1
    is_new = not (FOLDER / "homes").exists()
    FOLDER.mkdir(parents=True, exist_ok=True)
    hub = Hub(FOLDER.resolve(), ports)
    guard = start_guard(hub.folder)
    try:
        say("Starting JupyterHub, its proxy and ngshare …")
        hub.start()
        if is_new:
            set_up(hub)
        tell(hub)
        wait_for_end(hub)
        say("JupyterHub ended by itself; see .demo/jupyterhub.log.")
        return 1
    except (StartFailed, requests.RequestException) as error:
        say(f"The demo did not start: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nEnding everything …")
        return 0
    finally:
        for sign in ENDINGS:  # make hands on a Ctrl-C as two of them
            signal.signal(sign, signal.SIG_IGN)
        hub.stop()
        guard.communicate()
        say("Ended. “make demo” goes on where you were; “make demo-reset” forgets it all.")


def start_guard(folder: Path) -> subprocess.Popen[bytes]:
    """Start what ends everything when this process has ended, even if it was killed: then the pipe ends, too."""
    command = [sys.executable, str(HERE / "processes.py"), str(folder)]
    return subprocess.Popen(command, env={}, stdin=subprocess.PIPE, start_new_session=True)


def wait_for_end(hub: Hub) -> None:
    """Wait until the Hub ends. Errors: KeyboardInterrupt, if the terminal is closed: make alone may be told."""
    terminal = select.poll()
    if sys.stdin.isatty():
        terminal.register(sys.stdin, 0)
    while hub.process and hub.process.poll() is None:
        if terminal.poll(1000):
            raise KeyboardInterrupt


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def set_up(hub: Hub) -> None:
    """The course, its people, and its first assignment, released by alice with nbgrader itself."""
    try:
        say("Making the course, its instructor alice and its students bob, carol and dave …")
        make_course(hub)
        for student in STUDENTS:
            prepare_student(hub.home(student))
        say("alice generates and releases the assignment ps1 with nbgrader …")
        home = hub.home("alice")
        course = home / COURSE
        copy_example(course)
        (home / ".jupyter").mkdir(exist_ok=True)
        (home / ".jupyter" / "nbgrader_config.py").write_text(course_config(COURSE, course))
        for command in ("generate_assignment", "release_assignment"):
            nbgrader(hub, "alice", command, "ps1")
    except (StartFailed, requests.RequestException):
        shutil.rmtree(hub.folder / "homes", ignore_errors=True)  # so that the next run sets up again
        raise


def make_course(hub: Hub) -> None:
    api = f"{hub.ngshare}/api/v2/courses/"
    headers = {"Authorization": f"token {hub.token_for('admin', 'access:services!service=ngshare')}"}
    made = requests.post(api, json={"name": COURSE, "instructors": ["alice"]}, headers=headers, timeout=TIMEOUT)
    if made.status_code not in (201, 409):
        raise StartFailed(f"ngshare does not make the course: {made.text}")
    members = [
        {"username": name, "first_name": first, "last_name": last, "email": f"{name}@example.org"}
        for name, (first, last) in STUDENTS.items()
    ]
    requests.post(
        f"{api}{quote(COURSE)}/members/bulk/", json={"members": members}, headers=headers, timeout=TIMEOUT
    ).raise_for_status()


def prepare_student(home: Path) -> None:
    """Students see the Assignment List and Validate; what is for instructors is switched off."""
    labconfig = home / ".jupyter" / "labconfig"
    labconfig.mkdir(parents=True, exist_ok=True)
    disabled = ", ".join(f'"@jupyter/nbgrader:{name}": true' for name in HIDDEN_FROM_STUDENTS)
    (labconfig / "page_config.json").write_text(f'{{"disabledExtensions": {{{disabled}}}}}\n')


def nbgrader(hub: Hub, username: str, *arguments: str) -> None:
    """Run nbgrader as a user would in a terminal of their server. Errors: StartFailed, with the output of nbgrader."""
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "HOME": str(hub.home(username)),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_PATH": str(hub.folder / "etc"),
        "NGSHARE_URL": hub.ngshare,
        "JUPYTERHUB_USER": username,
        "JUPYTERHUB_API_TOKEN": hub.token_for(username, "access:services!service=ngshare"),
    }
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=hub.home(username), env=env, capture_output=True, text=True)
    if done.returncode:
        raise StartFailed(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def tell(hub: Hub) -> None:
    say(f"""
Ready: {hub.url}/

  log in as   with any password, and
  alice       teach {COURSE}: {hub.url}/user/alice/formgrader, in a tab of its own
  bob         take it (so do carol and dave): Nbgrader > Assignment List
  admin       look after it: {hub.ngshare}/admin/
  anybody     courses, submissions and receipts: {hub.ngshare}/

Ctrl-C ends the demo.
""")


if __name__ == "__main__":
    sys.exit(main())
