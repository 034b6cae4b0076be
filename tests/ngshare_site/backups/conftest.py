"""An ngshare of its own for each test: commands run in processes, on SQLite and a folder."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.servers import ROOT, measuring

FILL = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
from ngshare_site import data_folder
django.setup(); data_folder.prepare()
from exchange import services
from tests import cast
course = cast.make_courses()
assignment = services.release(course, "ps1", cast.upload(cast.PS1), by=cast.actor("alice")).assignment
submission = services.submit(assignment, cast.upload(cast.WORK), by=cast.actor("bob"))[0]
cast.return_feedback(submission, "alice")
"""
SUBMIT = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
from ngshare_site import data_folder
django.setup(); data_folder.prepare()
from exchange.models import Assignment
from tests import cast
cast.submit(Assignment.objects.get(), "bob", **{sys.argv[1]: sys.argv[1].encode()})
"""


class Place:
    """A data folder, and what commands do there."""

    def __init__(self, data):
        self.data = data

    def run(self, *arguments, script=None, **variables):
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "NGSHARE_DATA": str(self.data), **variables}
        command = ["-c", script] if script else ["-m", "ngshare_site"]
        return subprocess.run(
            [sys.executable, *command, *map(str, arguments)],
            env={**measuring(), **env, "NGSHARE_STANDALONE": "1"},
            capture_output=True,
            text=True,
            cwd=self.data.parent,
        )

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def submit(self, text):
        self.must(text, script=SUBMIT)

    def query(self, statement):
        database = sqlite3.connect(self.data / "ngshare.sqlite3")
        try:
            rows = database.execute(statement).fetchall()
            database.commit()
            return rows
        finally:
            database.close()

    def blobs(self):
        return {path.name: path for path in (self.data / "blobs").glob("??/*")}


def snapshots(folder):
    return sorted((folder / "snapshots").iterdir())


def described(snapshot):
    return json.loads((snapshot / "backup.json").read_text())


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("filled") / "data")
    place.must("migrate", "--verbosity=0")
    place.must(script=FILL)
    return place


@pytest.fixture
def place(filled, tmp_path):
    shutil.copytree(filled.data, tmp_path / "data")
    return Place(tmp_path / "data")


@pytest.fixture
def fresh(tmp_path):
    (tmp_path / "fresh").mkdir()
    return Place(tmp_path / "fresh" / "data")
