"""The plugin that gives The Littlest JupyterHub (TLJH) an exchange for nbgrader.

TLJH's installer calls `tljh_config_post_install`, starts the Hub, installs what `tljh_extra_user_pip_packages` names,
and calls `tljh_post_install`; each start of the Hub calls `tljh_custom_jupyterhub_config`. The installer runs again for
each upgrade, so every hook may be called any number of times.
"""

import logging
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pluggy
from traitlets.config import Config, LazyConfigValue

__version__ = "1.0.0.dev0"

hookimpl = pluggy.HookimplMarker("tljh")
log = logging.getLogger("tljh")

HUB_PORT = 15001  # where TLJH's Hub listens
ACCESS = ["access:services!service=ngshare", "list:services"]  # the second is for nbgrader's Course List
ROLES = {
    "user": ["self", *ACCESS],
    "server": ["users:activity!user", "access:servers!server", *ACCESS],
}
MARK = "# Written by tljh-ngshare at each installation."
NBGRADER_CONFIG = f"""\
{MARK} Put settings of your own into other files.
from nbgrader_plugin import configure

configure(get_config())  # noqa: F821
"""
NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"


class InstallationFailed(Exception):
    """A step of the installation failed; says which, and what to do."""


def path(absolute: str) -> Path:
    """Return a path of the machine that is installed: below TLJH_NGSHARE_ROOT, if a machine is prepared in a folder."""
    return Path(os.environ.get("TLJH_NGSHARE_ROOT", "/")) / absolute.lstrip("/")


def user_environment() -> Path:
    """Return TLJH's environment of the users' servers."""
    return Path(os.environ.get("TLJH_INSTALL_PREFIX", "/opt/tljh")) / "user"


@hookimpl
def tljh_config_post_install(config: Mapping[str, Any]) -> None:
    """Make the service's settings before the Hub starts. `config` is TLJH's config.yaml, and stays as it is."""
    write_settings(config.get("base_url") or "/", HUB_PORT)


@hookimpl
def tljh_custom_jupyterhub_config(c: Config) -> None:
    """Tell the Hub of the service, let users in, and tell their servers where it is."""
    base_url = c.JupyterHub.get("base_url", "/")
    settings = write_settings(base_url, c.JupyterHub.get("hub_port", HUB_PORT))
    address = settings["JUPYTERHUB_SERVICE_URL"]
    c.JupyterHub.services.append(
        {
            "name": "ngshare",
            "url": address,
            "api_token": settings["JUPYTERHUB_API_TOKEN"],
            "oauth_no_confirm": True,
        }
    )
    add_roles(c)
    c.Spawner.environment.update({"NGSHARE_URL": address + settings["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")})


@hookimpl
def tljh_extra_user_pip_packages() -> list[str]:
    return [f"ngshare-plugin=={__version__}"]


@hookimpl
def tljh_post_install() -> None:
    """Install and start the service, and make all users' nbgrader use it. Errors: InstallationFailed."""
    write_nbgrader_config()
    install_service()
    if subprocess.run(["id", "ngshare"], capture_output=True).returncode:
        home, shell = "/var/lib/ngshare", "/usr/sbin/nologin"
        run("useradd", "--system", "--user-group", "--home-dir", home, "--shell", shell, "ngshare")
    write(path("/etc/systemd/system/ngshare.service"), files(__name__).joinpath("ngshare.service").read_text())
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "ngshare")
    try:
        run("systemctl", "restart", "ngshare")  # waits until it serves
    except InstallationFailed as error:
        raise InstallationFailed(f"{error}\nThe service does not start. See: journalctl -u ngshare") from error
    log.info("ngshare serves the exchange; administrators find it at services/ngshare/ below the Hub's address.")


def write_settings(base_url: str, hub_port: int) -> dict[str, str]:
    """Write the settings that follow from the Hub's into /etc/ngshare.env, keep all others, and return all of them.

    Only root reads the file, also for the service: the token is in it, made once.
    """
    file = path("/etc/ngshare.env")
    base = f"/{base_url.strip('/')}/".replace("//", "/")
    derived = {
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub_port}{base}hub/api",
        "JUPYTERHUB_BASE_URL": base,
        "JUPYTERHUB_SERVICE_PREFIX": f"{base}services/ngshare/",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{base}services/ngshare/oauth_callback",
    }
    defaults = {
        "NGSHARE_DATA": "/var/lib/ngshare",
        "NGSHARE_HUB_ADMINS": "1",  # those of users.admin
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:12121",
        "JUPYTERHUB_API_TOKEN": secrets.token_hex(32),
    }
    text = file.read_text() if file.exists() else "# Settings of ngshare; tljh-ngshare writes those from the Hub's.\n"
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() not in derived]
    kept = parse_settings(lines)
    settings = {**defaults, **kept, **derived}
    if not re.fullmatch(r"http://[^/]+:\d+", settings["JUPYTERHUB_SERVICE_URL"]):
        raise InstallationFailed(f"{file}: write JUPYTERHUB_SERVICE_URL like http://127.0.0.1:12121.")
    lines += [f"{name}={value}" for name, value in settings.items() if name not in kept]
    write(file, "\n".join(lines) + "\n", mode=0o600)
    return settings


def parse_settings(lines: Iterable[str]) -> dict[str, str]:
    """Return what lines of a systemd EnvironmentFile set."""
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def add_roles(c: Config) -> None:
    """Add what users and their servers need to the Hub's roles, also to roles that somebody else configured."""
    roles = c.JupyterHub.load_roles
    if isinstance(roles, LazyConfigValue):
        roles = c.JupyterHub.load_roles = roles.get_value([])
    for name, scopes in ROLES.items():
        role = next((role for role in roles if role["name"] == name), None)
        if role is None:
            roles.append({"name": name, "scopes": scopes})
        else:
            role["scopes"] = list(dict.fromkeys([*role.get("scopes", []), *ACCESS]))


def write_nbgrader_config() -> None:
    """Write the users' nbgrader_config.py, unless it is somebody else's."""
    file = user_environment() / "etc" / "jupyter" / "nbgrader_config.py"
    if file.exists() and not file.read_text().startswith(MARK):
        log.warning("%s is not of tljh-ngshare and stays. Add to it:\n%s", file, NBGRADER_CONFIG.partition("\n")[2])
        return
    write(file, NBGRADER_CONFIG)


def install_service() -> None:
    """Install the service in an environment of its own: its packages can disturb neither the Hub nor the users."""
    python = path("/opt/ngshare/bin/python")
    if not is_new_enough(python):
        candidates = (Path(sys.executable), user_environment() / "bin" / "python")
        base = next((found for found in candidates if is_new_enough(found)), None)
        if base is None:
            raise InstallationFailed(
                f"ngshare needs Python 3.11 or newer: none of {', '.join(map(str, candidates))} is."
            )
        run(str(base), "-m", "venv", "--clear", str(path("/opt/ngshare")))
    run(str(python), "-m", "pip", "install", "--upgrade", f"ngshare-service=={__version__}")


def is_new_enough(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", NEW_ENOUGH], capture_output=True).returncode == 0


def run(*command: str) -> None:
    """Run a command. Errors: InstallationFailed, with what it wrote."""
    if shutil.which(command[0]) is None:
        raise InstallationFailed(f"{command[0]} is not on this machine.")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, umask=0o022)
    log.debug("%s\n%s", " ".join(command), done.stdout)
    if done.returncode:
        raise InstallationFailed(f"{' '.join(command)} failed:\n{done.stdout.strip()}")


def write(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace the file's content in one step, so that nobody reads half of it, or what is secret, in between."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, mode)  # whatever the umask is
        stream.write(text)
    new.replace(file)
