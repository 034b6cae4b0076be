"""A wrong value in the environment stops the start with one sentence that names the variable."""

import os
import subprocess
import sys

import pytest

from tests.servers import ROOT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NGSHARE_MAX_FILES", "many"),
        ("NGSHARE_MAX_FILE_SIZE", "100 parsecs"),
        ("NGSHARE_STANDALONE", "perhaps"),
        ("DATABASE_URL", "mysql://x/y"),
        ("NGSHARE_STORAGE", "ftp://x"),
        ("NGSHARE_CACHE", "memcached://x"),
        ("NGSHARE_SECRET_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_wrong_variable_is_named_in_one_line(tmp_path, name, value):
    env = {"PATH": os.environ["PATH"], "NGSHARE_DATA": str(tmp_path), name: value}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert name.removesuffix("_FILE") in done.stderr and done.stderr.count("\n") == 1


def test_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("a-secret-from-a-file\n")
    env = {"PATH": os.environ["PATH"], "NGSHARE_DATA": str(tmp_path), "NGSHARE_SECRET_KEY_FILE": str(tmp_path / "key")}
    code = "from django.conf import settings; print(settings.SECRET_KEY)"
    env["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "a-secret-from-a-file"


def test_groups_of_one_role_may_be_switched_off(tmp_path):
    env = {"PATH": os.environ["PATH"], "NGSHARE_DATA": str(tmp_path), "NGSHARE_GROUP_INSTRUCTORS": "off"}
    code = "from django.conf import settings; print(settings.NGSHARE_GROUP_PATTERNS)"
    env["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "{'student': 'nbgrader-{course}', 'grader': '', 'instructor': ''}"


def test_secret_that_was_made_is_kept_and_private(tmp_path):
    env = {"PATH": os.environ["PATH"], "NGSHARE_DATA": str(tmp_path)}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    for _ in range(2):
        assert subprocess.run(command, env=env, capture_output=True, cwd=tmp_path).returncode == 0
    kept = tmp_path / "ngshare_secret_key"
    assert len(kept.read_text()) > 50 and kept.stat().st_mode & 0o077 == 0
