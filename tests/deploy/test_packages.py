"""What is published: what is in the packages, and that they work in an empty environment."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import requests

import nbgrader_plugin
import ngshare_site
from tests import servers
from tests.deploy import engine
from tests.servers import ROOT

pytestmark = pytest.mark.deploy

VERSION = ngshare_site.__version__
PACKAGES = ("courses", "exchange", "ngshare_site")
# What is tracked in the plugin's folder and is no part of its package.
PLUGIN_METADATA = {"LICENSE", "README.md", "pyproject.toml", "jupyter_server_config.d/ngshare_plugin.json"}
GENERATED = re.compile(r"PKG-INFO|setup\.cfg|\w+\.egg-info/\w+(-\w+)*(\.txt)?")


def tracked(sources, *folders):
    """The files of these folders, relative to the top; the copy has nothing but what Git has, and what was built."""
    built = re.compile(r"__pycache__|\.egg-info|(^|/)build/")
    paths = (path for folder in folders for path in (sources / folder).rglob("*") if path.is_file())
    return {name for path in paths if not built.search(name := str(path.relative_to(sources)))}


def in_wheel(path):
    """(files of the package, files of data, metadata) of a wheel."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = message_from_bytes(wheel.read(metadata))
    info = metadata.partition("/")[0]
    data = {name for name in names if name.startswith(f"{info.removesuffix('.dist-info')}.data/")}
    return {name for name in names - data if not name.startswith(f"{info}/")}, data, fields


def in_sdist(path):
    """Files of an sdist, without those that a build adds."""
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    return {name for name in names if not GENERATED.fullmatch(name)}


@pytest.fixture(scope="session")
def wheels(sources):
    return {
        name: sources / "dist" / f"{name.replace('-', '_')}-{VERSION}-py3-none-any.whl"
        for name in ("ngshare-service", "ngshare-plugin", "tljh-ngshare")
    }


def test_make_dist_makes_three_distributions_of_one_version(sources):
    names = ("ngshare_service", "ngshare_plugin", "tljh_ngshare")
    made = {f"{name}-{VERSION}{end}" for name in names for end in ("-py3-none-any.whl", ".tar.gz")}
    assert {path.name for path in (sources / "dist").iterdir() if path.suffix != ".tgz"} == made


def test_the_plugin_has_the_services_version():
    assert nbgrader_plugin.__version__ == VERSION


def test_make_version_writes_it_wherever_it_is_named(tmp_path):
    copy = engine.copy_sources(tmp_path)
    engine.make("version", "V=98.7.6", cwd=copy)
    assert "98.7.6" in (copy / "ngshare_site" / "__init__.py").read_text()
    texts = (
        path for path in copy.rglob("*") if path.is_file() and path.suffix in {".md", ".py", ".toml", ".yaml", ".yml"}
    )
    assert {path.name for path in texts if VERSION in path.read_text()} == {"CHANGELOG.md"}


def test_the_plugin_comes_with_the_licence():
    assert (ROOT / "nbgrader_plugin" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_services_wheel_is_its_three_packages_with_templates_static_files_and_migrations(sources, wheels):
    files, data, metadata = in_wheel(wheels["ngshare-service"])
    assert files == tracked(sources, *PACKAGES)
    assert {Path(name).parts[1] for name in files if "/" in name} >= {"templates", "static", "migrations"}
    assert data == set()
    assert metadata["Name"] == "ngshare-service"
    assert {"postgres", "s3", "redis"} <= set(metadata.get_all("Provides-Extra"))


def test_the_plugins_wheel_is_its_package_and_the_file_that_switches_it_on(sources, wheels):
    files, data, _ = in_wheel(wheels["ngshare-plugin"])
    assert files == tracked(sources, "nbgrader_plugin") - {f"nbgrader_plugin/{name}" for name in PLUGIN_METADATA}
    assert {Path(name).name for name in data} == {"ngshare_plugin.json"}


def test_tljhs_wheel_is_its_module_and_the_unit(sources, wheels):
    files, data, metadata = in_wheel(wheels["tljh-ngshare"])
    assert files == {"tljh_ngshare/__init__.py", "tljh_ngshare/ngshare.service"} and data == set()
    assert metadata.get_all("Requires-Dist") == ["pluggy>=1", "traitlets>=5"]  # both come with TLJH


def test_the_plugin_does_not_require_django(wheels):
    _, _, metadata = in_wheel(wheels["ngshare-plugin"])
    required = {re.match(r"[\w-]+", line)[0].lower() for line in metadata.get_all("Requires-Dist")}
    assert "nbgrader" in required
    assert not {name for name in required if "django" in name}


def test_sdists_have_neither_tests_nor_anything_that_is_not_in_git(sources):
    server = in_sdist(sources / "dist" / f"ngshare_service-{VERSION}.tar.gz")
    top = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "requirements.txt"}
    assert server == tracked(sources, *PACKAGES) | top
    plugin = in_sdist(sources / "dist" / f"ngshare_plugin-{VERSION}.tar.gz")
    assert {f"nbgrader_plugin/{name}" for name in plugin} == tracked(sources, "nbgrader_plugin")
    tljh = in_sdist(sources / "dist" / f"tljh_ngshare-{VERSION}.tar.gz")
    assert {f"deploy/tljh/{name}" for name in tljh} == tracked(sources, "deploy/tljh")


def test_constraints_are_names_and_exact_versions_alone():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[\w.+!]+( ; [\w.'<>=! *()]+)?", line), line


def test_whatever_is_required_is_in_the_constraints():
    """A new requirement without `make constraints` would be installed in whatever version is the newest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    plugin = tomllib.loads((ROOT / "nbgrader_plugin" / "pyproject.toml").read_text())
    required = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()]
    for lists in (project["project"]["optional-dependencies"], project["dependency-groups"]):
        required += [line for lines in lists.values() for line in lines if isinstance(line, str)]  # no group in another
    names = {re.match(r"[\w.-]+", line)[0] for line in required + plugin["project"]["dependencies"]}
    exact = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in names} - exact == set()


def interpreters(*minors):
    """{version: program} of the Pythons of this machine, also of pyenv's; that of the tests is always one of them."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {f"3.{sys.version_info.minor}": sys.executable}
    for version in (f"3.{minor}" for minor in minors):
        candidates = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python{version}"))]
        # One of pyenv's shims may stand for nothing.
        working = (one for one in candidates if one and not subprocess.run([one, "-V"], capture_output=True).returncode)
        if program := found.get(version) or next(working, None):
            found[version] = program
    return found


def install(python, wheel, target):
    """Install a wheel into an empty environment, and return where its programs are."""
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", python, target], check=True)
    command = [uv, "pip", "install", "--quiet", "--python", target / "bin" / "python", wheel]
    if tuple(map(int, target.name.split("."))) >= (3, 11):  # which the constraints are made for
        command += ["--constraint", ROOT / "constraints.txt"]
    subprocess.run(command, check=True)
    return target / "bin"


def packages_of(programs):
    uv = str(Path(sys.executable).with_name("uv"))
    return said_by(uv, "pip", "freeze", "--python", programs / "python", cwd=programs)


def said_by(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("version", interpreters(11, 12, 13, 14))
def test_the_service_runs_from_its_wheel(version, wheels, tmp_path):
    programs = install(interpreters(11, 12, 13, 14)[version], wheels["ngshare-service"], tmp_path / version)
    assert said_by(programs / "ngshare", "--version", cwd=tmp_path) == f"ngshare {VERSION}\n"
    port, log = servers.free_port(), tmp_path / "log"
    env = {"PATH": str(programs), "NGSHARE_DATA": str(tmp_path / "data"), "NGSHARE_STANDALONE": "1"}
    subprocess.run([programs / "ngshare", "migrate"], cwd=tmp_path, env=env, check=True, capture_output=True)
    command = [str(programs / "ngshare"), "serve", "--bind", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with servers.running(command, env=env, log=log, cwd=tmp_path) as process:
        servers.wait_until(lambda: servers._is_alive(f"{url}/healthz"), process, log)
        assert requests.get(f"{url}/readyz", timeout=30).json()["success"]
        assert requests.get(f"{url}/static/admin/css/base.css", timeout=30).status_code == 200


@pytest.mark.parametrize("version", interpreters(10, 11, 12, 13, 14))
def test_the_plugin_runs_from_its_wheel(version, wheels, tmp_path):
    programs = install(interpreters(10, 11, 12, 13, 14)[version], wheels["ngshare-plugin"], tmp_path / version)
    assert "roster" in said_by(programs / "ngshare-course-management", "--help", cwd=tmp_path)
    everything = "import nbgrader_plugin as plugin; print([getattr(plugin, name) for name in plugin.__all__])"
    assert "ExchangeSubmit" in said_by(programs / "python", "-c", everything, cwd=tmp_path)
    assert "django" not in packages_of(programs).lower()
    extensions = subprocess.run(
        [programs / "jupyter", "server", "extension", "list"], capture_output=True, text=True, cwd=tmp_path
    )
    assert re.search(r"nbgrader_plugin\S* .*enabled", extensions.stdout + extensions.stderr)
