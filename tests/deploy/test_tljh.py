"""The plugin of The Littlest JupyterHub: its hooks, called as TLJH calls them, and the exchange that they make.

TLJH is on no package index. `Specifications` repeats the hooks that its documentation and its tljh/hooks.py name;
the order of the calls is that of its tljh/installer.py.
"""

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pluggy
import pytest
import requests
import tljh_ngshare
from traitlets.config import Config

import ngshare_site
from deploy.demo.hub import Hub, running
from tests.campus import COURSE, SCOPE, Campus, free_ports
from tests.deploy.units import environment_of, serving
from tests.servers import ROOT, free_port

DERIVED = ("JUPYTERHUB_API_URL", "JUPYTERHUB_BASE_URL", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_OAUTH_CALLBACK_URL")

hookspec = pluggy.HookspecMarker("tljh")


class Specifications:
    @staticmethod
    @hookspec
    def tljh_extra_user_conda_packages(): ...
    @staticmethod
    @hookspec
    def tljh_extra_user_pip_packages(): ...
    @staticmethod
    @hookspec
    def tljh_extra_hub_pip_packages(): ...
    @staticmethod
    @hookspec
    def tljh_extra_apt_packages(): ...
    @staticmethod
    @hookspec
    def tljh_custom_jupyterhub_config(c): ...
    @staticmethod
    @hookspec
    def tljh_config_post_install(config): ...
    @staticmethod
    @hookspec
    def tljh_post_install(): ...
    @staticmethod
    @hookspec
    def tljh_new_user_create(username): ...


def plugin_manager():
    """As tljh/utils.py makes it."""
    manager = pluggy.PluginManager("tljh")
    manager.add_hookspecs(Specifications)
    manager.load_setuptools_entrypoints("tljh")
    manager.check_pending()
    return manager


class Machine:
    """A machine in a folder, where TLJH's installer runs. What it asks of the system is written down, not done."""

    def __init__(self, root, programs):
        root.mkdir()
        programs.mkdir()
        self.root, self.programs = root, programs
        self.users = root / "opt" / "tljh" / "user"
        self.calls = root / "calls"
        self.settings_file = root / "etc" / "ngshare.env"
        self.hook = plugin_manager().hook
        for name in ("systemctl", "useradd"):
            self.stand_in(name, f'echo "{name} $*" >> {self.calls}')

    def stand_in(self, name, script):
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    @property
    def settings(self):
        return environment_of(self.settings_file)

    def called(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def configure_hub(self, **hub):
        """The Hub's configuration, with what TLJH itself has in it."""
        c = Config()
        c.JupyterHub.base_url, c.JupyterHub.hub_port, c.JupyterHub.services = "/", 15001, [{"name": "cull-idle"}]
        c.JupyterHub.update(hub)
        self.hook.tljh_custom_jupyterhub_config(c=c)
        return c


@pytest.fixture
def machine(tmp_path, monkeypatch):
    found = Machine(tmp_path / "machine", tmp_path / "programs")
    monkeypatch.setenv("PATH", f"{found.programs}:{os.environ['PATH']}")
    monkeypatch.setenv("TLJH_NGSHARE_ROOT", str(found.root))
    monkeypatch.setenv("TLJH_INSTALL_PREFIX", str(found.users.parent))
    return found


def test_tljh_finds_the_plugin_and_knows_its_hooks():
    (plugin,) = plugin_manager().get_plugins()
    assert plugin is tljh_ngshare


def test_the_plugin_has_the_services_version_licence_and_unit():
    assert tljh_ngshare.__version__ == ngshare_site.__version__
    assert (ROOT / "deploy" / "tljh" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    unit = ROOT / "deploy" / "tljh" / "tljh_ngshare" / "ngshare.service"
    assert (ROOT / "deploy" / "systemd" / "ngshare.service").resolve() == unit.resolve()


def test_users_get_the_plugin_of_this_version(machine):
    assert machine.hook.tljh_extra_user_pip_packages() == [[f"ngshare-plugin=={ngshare_site.__version__}"]]


def test_the_settings_are_for_root_alone_and_say_where_the_hub_is(machine):
    machine.hook.tljh_config_post_install(config={"base_url": "/jupyter", "users": {"admin": ["root"]}})
    assert stat.S_IMODE(machine.settings_file.stat().st_mode) == 0o600
    settings = machine.settings
    assert len(settings.pop("JUPYTERHUB_API_TOKEN")) == 64
    assert settings == {
        "NGSHARE_DATA": "/var/lib/ngshare",
        "NGSHARE_HUB_ADMINS": "1",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:12121",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:15001/jupyter/hub/api",
        "JUPYTERHUB_BASE_URL": "/jupyter/",
        "JUPYTERHUB_SERVICE_PREFIX": "/jupyter/services/ngshare/",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": "/jupyter/services/ngshare/oauth_callback",
    }


def test_tljhs_configuration_stays_as_it_is(machine):
    config = {"users": {"admin": ["root"]}}
    machine.hook.tljh_config_post_install(config=config)
    assert config == {"users": {"admin": ["root"]}}
    assert machine.settings["JUPYTERHUB_BASE_URL"] == "/"


def test_installing_again_keeps_the_token_and_what_the_administrator_wrote(machine):
    machine.hook.tljh_config_post_install(config={})
    token = machine.settings["JUPYTERHUB_API_TOKEN"]
    text = machine.settings_file.read_text().replace("NGSHARE_HUB_ADMINS=1", "NGSHARE_HUB_ADMINS=0")
    machine.settings_file.write_text(f"{text}# ours\nNGSHARE_MAX_FILES=5\n")
    machine.hook.tljh_config_post_install(config={})
    once = machine.settings_file.read_text()
    machine.hook.tljh_config_post_install(config={})
    assert machine.settings_file.read_text() == once
    assert "# ours\n" in once and once.count("JUPYTERHUB_BASE_URL=") == 1
    settings = machine.settings
    assert (settings["JUPYTERHUB_API_TOKEN"], settings["NGSHARE_HUB_ADMINS"]) == (token, "0")
    assert settings["NGSHARE_MAX_FILES"] == "5"


def test_a_new_base_url_reaches_the_settings(machine):
    machine.hook.tljh_config_post_install(config={})
    machine.configure_hub(base_url="/elsewhere/")
    assert machine.settings["JUPYTERHUB_SERVICE_PREFIX"] == "/elsewhere/services/ngshare/"


def test_the_hub_knows_the_service_and_its_token_and_keeps_other_services(machine):
    c = machine.configure_hub()
    assert c.JupyterHub.services == [
        {"name": "cull-idle"},
        {
            "name": "ngshare",
            "url": "http://127.0.0.1:12121",
            "api_token": machine.settings["JUPYTERHUB_API_TOKEN"],
            "oauth_no_confirm": True,
        },
    ]
    expected = {"NGSHARE_URL": "http://127.0.0.1:12121/services/ngshare"}
    assert c.Spawner.environment.get_value({}) == expected


def test_variables_of_other_plugins_stay_in_the_users_servers(machine):
    c = Config()
    c.Spawner.environment = {"OTHER": "1"}
    machine.hook.tljh_custom_jupyterhub_config(c=c)
    assert set(c.Spawner.environment) == {"OTHER", "NGSHARE_URL"}


def test_roles_let_users_and_their_servers_in(machine):
    assert machine.configure_hub().JupyterHub.load_roles == [
        {"name": "user", "scopes": ["self", SCOPE, "list:services"]},
        {"name": "server", "scopes": ["users:activity!user", "access:servers!server", SCOPE, "list:services"]},
    ]


def test_roles_of_other_plugins_are_added_to(machine):
    """The Hub refuses to start with a role that is there twice."""
    roles = [{"name": "user", "scopes": ["self", "shares!user"]}, {"name": "grader", "scopes": []}]
    user, grader, server = machine.configure_hub(load_roles=roles).JupyterHub.load_roles
    assert user == {"name": "user", "scopes": ["self", "shares!user", SCOPE, "list:services"]}
    assert (grader["name"], server["name"]) == ("grader", "server")


def test_an_address_that_cannot_be_served_is_refused(machine):
    machine.settings_file.parent.mkdir()
    machine.settings_file.write_text("JUPYTERHUB_SERVICE_URL=127.0.0.1:12121\n")
    with pytest.raises(
        tljh_ngshare.InstallationFailed, match="write JUPYTERHUB_SERVICE_URL like http://127.0.0.1:12121"
    ):
        machine.hook.tljh_config_post_install(config={})
    assert machine.settings_file.read_text() == "JUPYTERHUB_SERVICE_URL=127.0.0.1:12121\n"


def test_somebody_elses_nbgrader_configuration_stays(machine, caplog):
    file = machine.users / "etc" / "jupyter" / "nbgrader_config.py"
    file.parent.mkdir(parents=True)
    file.write_text("c = get_config()\n")
    with caplog.at_level(logging.WARNING, "tljh"):
        tljh_ngshare.write_nbgrader_config()
    assert file.read_text() == "c = get_config()\n"
    assert "from nbgrader_plugin import configure" in caplog.text


def test_a_python_that_is_too_old_is_named(machine, monkeypatch):
    old = machine.root / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(old))
    with pytest.raises(
        tljh_ngshare.InstallationFailed, match="ngshare needs Python 3.11 or newer: none of .*python3.10"
    ):
        machine.hook.tljh_post_install()
    assert machine.called() == []


def test_packages_that_cannot_be_had_are_reported_with_pips_words(machine, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(tljh_ngshare.InstallationFailed, match="No matching distribution found for ngshare-service"):
        machine.hook.tljh_post_install()
    assert machine.called() == []


def from_wheels(machine, sources, monkeypatch):
    """Let pip find our distributions in a folder, as an administrator would who has no index."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(sources / "dist"))
    monkeypatch.setenv("PIP_CONSTRAINT", str(ROOT / "constraints.txt"))


HUB_LINES = """
from tests.deploy.test_tljh import plugin_manager
c.JupyterHub.services = [service for service in c.JupyterHub.services if service["name"] != "ngshare"]
c.JupyterHub.load_roles = [role for role in c.JupyterHub.load_roles if role["name"] == "demo"]
for name in ("NGSHARE_URL", "JUPYTER_CONFIG_PATH", "PYTHONPATH"):
    del c.Spawner.environment[name]
c.Spawner.environment["PATH"] = {users!r} + ":/usr/bin:/bin"
c.Spawner.cmd = [{users!r} + "/jupyterhub-singleuser"]
plugin_manager().hook.tljh_custom_jupyterhub_config(c=c)
"""


@pytest.fixture
def installed(machine, sources, monkeypatch):
    """The machine after TLJH's installer, and its Hub: (machine, campus)."""
    from_wheels(machine, sources, monkeypatch)
    machine.settings_file.parent.mkdir()
    machine.settings_file.write_text(  # two settings that administrators may choose; here, a port that is free
        f"JUPYTERHUB_SERVICE_URL=http://127.0.0.1:{free_port()}\nNGSHARE_DATA={machine.root}/var/lib/ngshare\n"
    )
    machine.hook.tljh_config_post_install(config={"users": {"admin": ["admin"]}})
    ((plugin,),) = machine.hook.tljh_extra_user_pip_packages()
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, machine.users], check=True)
    into = [uv, "pip", "install", "--quiet", "--python", machine.users / "bin" / "python"]
    links = ["--find-links", sources / "dist", "--constraint", ROOT / "constraints.txt"]
    subprocess.run([*into, *links, "jupyterhub", "jupyterlab", plugin], check=True)
    (works := machine.programs / "systemctl").rename(kept := machine.programs / "kept")
    machine.stand_in("systemctl", '[ "$1" != restart ]')
    with pytest.raises(tljh_ngshare.InstallationFailed, match="journalctl -u ngshare"):
        machine.hook.tljh_post_install()
    kept.rename(works)
    machine.hook.tljh_post_install()  # again, as for an upgrade
    lines = machine.root / "more.py"
    lines.write_text(HUB_LINES.format(users=str(machine.users / "bin")))
    variables = {"DEMO_MORE": str(lines), "DEMO_MANAGED": "0", "PYTHONPATH": str(ROOT)}
    with running(Hub(machine.root, free_ports(), variables=variables)) as hub, serving(machine.root):
        yield machine, Campus(hub)


@pytest.mark.deploy
def test_one_installation_gives_a_working_exchange(installed):
    machine, campus = installed
    hub = campus.hub
    assert machine.called().count("systemctl restart ngshare") == 1
    assert next(line for line in machine.called() if line.startswith("useradd")).endswith("ngshare")
    assert requests.get(f"{hub.ngshare}/readyz", timeout=30).json()["success"]
    campus.create_course()  # as admin, who is the Hub's administrator and named nowhere else
    campus.prepare_instructor()
    for username in ("alice", "bob"):
        hub.start_server(username)
    for username, *arguments in (
        ("alice", "generate_assignment", "ps1"),
        ("alice", "release_assignment", "ps1"),
        ("bob", "fetch_assignment", "ps1", "--course", COURSE),
        ("bob", "submit", "ps1", "--course", COURSE),
        ("alice", "collect", "ps1"),
    ):
        done = subprocess.run(
            [machine.users / "bin" / "python", "-m", "nbgrader", *arguments],
            cwd=hub.home(username),
            env=hub.environment_of_server(username),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert (hub.home("alice") / "nbg101" / "submitted" / "bob" / "ps1" / "problem1.ipynb").exists()
