"""Packages of a Debian that need not be this machine's, beside those that are installed here; kept in .cache."""

import fcntl
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.deploy import engine
from tests.servers import ROOT

SUITE = engine.SUITES[0]
CACHE = ROOT / ".cache" / "debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def is_complete() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, ("apt-get", "dpkg"))) and os.path.exists(KEYS)


def download_onto_base(folder: str, *packages: str) -> Path:
    """Return the folder of these packages and of all that they need which the base image does not have."""
    return _download(folder, packages, ["--no-install-recommends", "--download-only", "--yes", "install"])


def unpack(folder: str, *packages: str) -> Path:
    """Return the folder of what is in these packages; what they need stays away."""
    files = CACHE / folder / "files"
    for package in sorted(_download(folder, packages, ["download"]).glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, files], check=True)
    return files


def _download(folder: str, packages: tuple[str, ...], command: list[str]) -> Path:
    target = CACHE / folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = target / "complete"
        if not wanted.exists() or wanted.read_text() != " ".join(packages):
            shutil.rmtree(target, ignore_errors=True)
            (target / "partial").mkdir(parents=True)
            settings = _settings(target)
            _run(["apt-get", "-qq", *settings, "update"], cwd=target)
            _run(["apt-get", "-qq", *settings, *command, *packages], cwd=target)
            wanted.write_text(" ".join(packages))
    return target


def _settings(target: Path) -> list[str]:
    """Options of apt that keep all that it knows away from this machine's own."""
    (CACHE / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (CACHE / "sources.list").write_text(f"deb [signed-by={KEYS}] {engine.mirror()} {SUITE} main\n")
    engine.base_of(SUITE)
    with tarfile.open(engine.CACHE / f"{SUITE}.tar") as base:
        (CACHE / "status").write_bytes(base.extractfile("./var/lib/dpkg/status").read())
    settings = {
        "APT::Sandbox::User": "root",
        "Dir::Cache::Archives": target,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Etc::SourceList": CACHE / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": CACHE / "lists",
        "Dir::State::status": CACHE / "status",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def _run(command: list[str], cwd: Path) -> None:
    outcome = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {outcome.returncode}:\n{outcome.stdout}\n{outcome.stderr}")
