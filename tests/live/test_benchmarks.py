"""The benchmarks run as a whole, on very little work; their figures are not looked at."""

import json
import subprocess
import sys

import pytest

from benchmarks.peers import LIMIT
from benchmarks.servers import SQLITE
from tests.servers import ROOT

pytestmark = pytest.mark.live


def test_every_run_gives_figures(tmp_path):
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--size", "tiny", "--only", SQLITE, "--only", LIMIT]
    printed = subprocess.run([*command, "--results", results], cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(results.read_text())
    runs = found["runs"]
    assert found["failed"] == {}
    assert [run for run in runs if run.get("error") or run.get("errors")] == []
    assert {run["count"] for run in runs if run["run"].startswith(("rush", "collect"))} == {4}
    assert {run["server"] for run in runs} == {SQLITE, LIMIT}
    assert all("error" not in figures for figures in found["nbgrader"].values())
    assert "submissions a second against ngshare 0.6" in printed.stdout
