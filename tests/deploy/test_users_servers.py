"""The ways of docs/users-servers.md to get the plugin into users' servers: what the page says is what is run here."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import yaml

from tests import cast, servers
from tests.environments import UV, WITHOUT_SLOW
from tests.servers import ROOT

pytestmark = pytest.mark.deploy

PAGE = (ROOT / "docs" / "users-servers.md").read_text()
CONFIG = "from nbgrader_plugin import configure\n\nconfigure(get_config())\n"
COURSE = "NBG 101"


def block(heading, language):
    """The first block of this language under a heading of the page."""
    section = PAGE.partition(f"# {heading}\n")[2]
    return re.search(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[1]


def python_block(heading):
    c = SimpleNamespace(Spawner=SimpleNamespace(), DockerSpawner=SimpleNamespace())
    exec(block(heading, "python"), {"c": c})
    return c


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    """A service with a course that alice teaches, and an assignment in it."""
    with servers.service(tmp_path_factory.mktemp("ngshare"), workers=1) as running:
        courses = f"{running.url}/api/v2/courses/"
        root, alice = ({"Authorization": f"token {name}"} for name in ("root", "alice"))
        course = {"name": COURSE, "instructors": ["alice"]}
        requests.post(courses, json=course, headers=root, timeout=30).raise_for_status()
        requests.post(
            f"{courses}{COURSE}/assignments/ps1/releases/",
            data=cast.bundle(cast.PS1),
            headers={**alice, "Content-Type": "application/x-tar"},
            timeout=30,
        ).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The programs of an image with nbgrader, in which users may install what they like."""
    folder = tmp_path_factory.mktemp("image") / "environment"
    python = folder / "bin" / "python"
    # With the system's packages, as only then Python looks into ~/.local.
    command = [UV, "-q", "venv", "--seed", "--system-site-packages", "--python", sys.executable, folder]
    subprocess.run(command, check=True)
    command = [UV, "-q", "pip", "install", "--python", python, "--constraint", ROOT / "constraints.txt", "nbgrader"]
    subprocess.run(command, check=True)
    subprocess.run([UV, "-q", "pip", *WITHOUT_SLOW, "--python", python], check=True)
    return python.parent


class Server:
    """A user's server: a home directory, and an environment that lacks the plugin."""

    def __init__(self, programs, home, url, wheels):
        self.programs, self.home = programs, home
        self.etc = home / "etc"  # stands for /etc/jupyter
        self.etc.mkdir(parents=True)
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "NGSHARE_URL": url,
            "JUPYTERHUB_API_TOKEN": "alice",
            "JUPYTER_CONFIG_PATH": str(self.etc),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_PRE": "1",
            "PIP_NO_DEPS": "1",  # they are all there
        }

    def run(self, *command):
        """Run a command of the page, and return what it prints."""
        command = [str(part).replace("/etc/jupyter/", f"{self.etc}/") for part in command]
        done = subprocess.run(command, env=self.env, cwd=self.home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def has_the_plugin(self):
        """Whether nbgrader sees the assignment, and a server that starts now would load the extension."""
        return f"{COURSE} ps1" in self.run("nbgrader", "list") and "True" in self.run("python3", "-c", EXTENSION)


# As the server itself reads its configuration: `jupyter server extension list` does not look into ~/.local.
EXTENSION = """
from jupyter_core.paths import jupyter_config_path
from jupyter_server.extension.config import ExtensionConfigManager
import nbgrader_plugin.formgrader_fix
manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
print(manager.get_jpserver_extensions()["nbgrader_plugin.formgrader_fix"])
"""


@pytest.fixture
def server(environment, exchange, sources, tmp_path):
    command = [UV, "-q", "pip", "uninstall", "--python", environment / "python", "ngshare-plugin"]
    subprocess.run(command, check=True, capture_output=True)
    return Server(environment, tmp_path / "home", exchange.url, sources / "dist")


def test_without_any_of_them_there_is_no_plugin(server):
    assert f"{COURSE} ps1" not in server.run("sh", "-c", "nbgrader list || true")


def test_terminal_of_a_running_server(server):
    assert f"{COURSE} ps1" in server.run("sh", "-ec", block("A running server", "sh"))
    assert (server.home / ".local/etc/jupyter/jupyter_server_config.d/ngshare_plugin.json").exists()
    assert server.has_the_plugin()


def test_terminal_keeps_the_configuration_that_is_there(server):
    (server.home / ".jupyter").mkdir()
    (server.home / ".jupyter" / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'x'")
    server.run("sh", "-ec", block("A running server", "sh"))
    read = "from nbgrader.apps import NbGrader; app = NbGrader(); app.initialize([]); print(app.config)"
    config = server.run("python3", "-c", read)
    assert "'course_id': 'x'" in config and "ExchangeFactory" in config


@pytest.fixture
def script(server):
    path = server.etc / "ngshare.sh"
    path.write_text(block("When a server starts", "bash"))
    return path


def test_command_that_starts_the_server(server, script):
    command = python_block("The command that starts the server").Spawner.cmd
    program = server.home / "bin" / "jupyterhub-singleuser"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "started with $*"')
    program.chmod(0o755)
    server.env["PATH"] = f"{program.parent}:{server.env['PATH']}"
    for _ in range(2):
        assert "started with --ip=0.0.0.0 --port=8888" in server.run(*command, "--ip=0.0.0.0", "--port=8888")
    assert (server.home / ".jupyter/nbgrader_config.py").read_text().count("configure(get_config())") == 1
    assert server.has_the_plugin()


def test_command_in_the_values_of_zero_to_jupyterhub(server):
    values = yaml.safe_load(block("The command that starts the server", "yaml"))["singleuser"]
    for file in values["extraFiles"].values():
        (server.etc / Path(file["mountPath"]).name).write_text(file["stringData"])
    command = [part.replace("jupyterhub-singleuser", "echo started with") for part in values["cmd"]]
    assert "started with --port=8888" in server.run(*command, "--port=8888")
    assert server.has_the_plugin()


def test_hook_of_the_docker_stacks(server, script):
    server.run("bash", "-ec", f". {script}")  # they source what ends in .sh
    assert server.has_the_plugin()


def test_start_of_repo2docker(server):
    server.run("python3", "-m", "pip", "install", "ngshare-plugin")  # as requirements.txt does
    start = server.home / "start"
    start.write_text(block("repo2docker", "bash"))
    start.chmod(0o755)
    assert server.run(start, "echo", "started", "here") == "started here\n"
    assert server.has_the_plugin()


def test_hook_of_kubespawner(server):
    values = yaml.safe_load(block("After the start", "yaml"))["singleuser"]
    (server.etc / "nbgrader_config.py").write_text(CONFIG)
    server.run(*values["lifecycleHooks"]["postStart"]["exec"]["command"])
    assert server.has_the_plugin()


def test_hook_of_docker_spawner(server):
    spawner = python_block("After the start").DockerSpawner
    (volume,) = spawner.volumes.values()
    assert volume["bind"] == "/etc/jupyter/nbgrader_config.py"
    (server.etc / "nbgrader_config.py").write_text(CONFIG)
    server.run(*shlex.split(spawner.post_start_cmd))
    assert server.has_the_plugin()
