"""The systemd unit: what systemd thinks of it, and its command with the environment that the page shows."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from deploy.demo.hub import Hub, running
from tests.campus import free_ports
from tests.deploy.units import UNIT, environment_of, serving, value_of
from tests.servers import ROOT, wait_until

pytestmark = pytest.mark.deploy

PAGE = ROOT / "docs" / "install.md"
MOST_EXPOSED = 15  # of 100, as systemd counts


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def machine(tmp_path):
    """A machine in a folder, where the programs are those of this environment."""
    program = tmp_path / shlex.split(value_of(UNIT, "ExecStart"))[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.symlink_to(Path(sys.executable).with_name("ngshare"))
    (tmp_path / "etc").mkdir()
    return tmp_path


def test_systemd_finds_no_fault_in_the_unit(machine):
    unit = machine / UNIT.name
    unit.write_text(UNIT.read_text().replace("ExecStart=", f"ExecStart={machine}"))
    assert analyze("verify", "--man=no", str(unit)) == (0, "")


def test_systemd_calls_the_unit_hardened(tmp_path):
    shutil.copy(UNIT, tmp_path)  # not a link, which it does not follow
    status, report = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(tmp_path / UNIT.name))
    assert status == 0, report


def test_the_unit_is_what_the_page_shows():
    assert "```{literalinclude} ../deploy/systemd/ngshare.service\n" in PAGE.read_text()
    assert "[Service]" not in PAGE.read_text()


def test_the_units_command_serves_with_the_pages_environment(machine):
    with running(Hub(machine / "hub-folder", free_ports(), variables={"DEMO_MANAGED": "0"})) as hub:
        token = machine / "etc" / "ngshare.token"
        token.write_text(f"{hub.ngshare_token}\n")
        (shown,) = re.findall(r"`/etc/ngshare.env`.*?```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
        text = shown.replace("/var/lib", f"{machine}/var/lib").replace("=/etc/", f"={machine}/etc/")
        text = text.replace("127.0.0.1:8081", f"127.0.0.1:{hub.ports[1]}").replace("https://hub.example.edu", hub.url)
        file = machine / "etc" / "ngshare.env"
        file.write_text(f"{text}JUPYTERHUB_SERVICE_URL=http://127.0.0.1:{hub.ports[3]}\n")
        with serving(machine) as service:
            ready = {"success": True, "database": "ok", "storage": "ok", "hub": "ok"}
            # A busy Hub may not answer at once: the service asks it again after some seconds.
            wait_until(lambda: requests.get(f"{hub.ngshare}/readyz", timeout=30).json() == ready)
            service.terminate()
            assert service.wait(timeout=int(value_of(UNIT, "TimeoutStopSec"))) == 0
    assert (Path(environment_of(file)["NGSHARE_DATA"]) / "migrating.lock").exists()
