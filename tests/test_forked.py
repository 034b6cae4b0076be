"""A forked nbgrader does what a started one does."""

import os
import subprocess
import sys

import pytest

from tests import forked

pytestmark = pytest.mark.nbgrader


@pytest.mark.parametrize("arguments", [["--version"], ["list", "--nonsense"], ["fetch_assignment"]], ids=" ".join)
def test_output_and_status_are_those_of_a_started_one(arguments, tmp_path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    started = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    for _ in range(2):
        done = forked.nbgrader(*arguments, env=env, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (started.returncode, started.stdout, started.stderr)


@pytest.mark.parametrize("name", ["a", "b"])
def test_what_is_read_from_the_environment_and_the_folder_is_its_own(name, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("import os; print(os.getcwd(), os.environ)")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "JUPYTERHUB_USER": name}
    done = forked.nbgrader("list", env=env, cwd=tmp_path)
    assert f"{tmp_path} environ({{" in done.stdout and f"'JUPYTERHUB_USER': '{name}'" in done.stdout
    assert "PYTEST_CURRENT_TEST" not in done.stdout
