"""The page and the picture that are written from the figures of a run."""

import shutil
from xml.etree import ElementTree

import pytest

from benchmarks import page
from benchmarks.figures import goals, row
from benchmarks.peers import LIMIT, NBEXCHANGE, OLD
from benchmarks.servers import SQLITE
from tests.servers import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def rush(server, per_second, **figures):
    return {"run": "rush of 16, data unchanged", "server": server, "per_second": per_second, **figures}


@pytest.fixture
def results():
    return {
        "date": "2026-11-27",
        "size": "full",
        "machine": {"cores": 2, "system": "Linux", "python": "3.11.7"},
        "students": 300,
        "servers": [SQLITE, OLD, LIMIT],
        "failed": {NBEXCHANGE: "CalledProcessError: pip ended with 1\nand much more"},
        "runs": [
            rush(SQLITE, 100.0, server_cpu=0.0071, health_p99=0.012, errors=3),
            rush(SQLITE, 140.0, server_cpu=0.0068, health_p99=0.011, errors=0),
            rush(OLD, 35.0, errors=0),
            rush(LIMIT, 300.0, errors=0),
            {"run": "collect", "server": OLD, "seconds": 5.0},
            {"run": "collect", "server": SQLITE, "error": "RuntimeError: 1 submissions are not what was submitted"},
        ],
        "nbgrader": {
            "folder": {"count": 300, "collect_seconds": 0.5},
            "plugin": {"count": 300, "collect_seconds": 0.6},
        },
        "campus": [],
        "compression": [],
    }


@pytest.fixture
def pages(tmp_path):
    """Copies of the pages that are written."""
    (tmp_path / "docs").mkdir()
    for name in ("docs/benchmarks.md", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def goal(results, text):
    return next(found for found in goals(results) if text in found.text)


def test_better_of_two_rounds_counts(results):
    assert row(results, "rush of 16, data unchanged", SQLITE)["server_cpu"] == 0.0068


def test_run_that_failed_has_no_figures(results):
    assert row(results, "collect", SQLITE) == {}


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("ngshare 0.6, data unchanged", False),  # 4 times as fast, and 5 times is the goal
        ("server CPU", True),
        ("machine’s own limit", None),  # all new was not measured
        ("shared folder", True),
    ],
)
def test_goals_are_held_against_the_figures(results, text, reached):
    assert goal(results, text).is_reached() is reached


def test_each_table_has_a_place_in_a_page(pages):
    texts = [(pages / name).read_text() for name in ("README.md", "docs/benchmarks.md")]
    assert [found[1] for text in texts for found in page.MARKED.findall(text)] == list(page.BLOCKS)


def test_tables_are_written_and_the_text_is_kept(results, pages):
    written = pages / "docs/benchmarks.md"
    before = page.MARKED.sub("", written.read_text())
    page.write(results, pages)
    text = written.read_text()
    assert page.MARKED.sub("", text) == before
    assert "| submissions a second against ngshare 0.6, data unchanged | ≥ 5 × | 4.0 × | **no** |" in text
    assert "nbexchange was not measured: CalledProcessError: pip ended with 1\n" in text
    assert "collect, ngshare on SQLite: RuntimeError: 1 submissions are not what was submitted" in text
    assert "and much more" not in text


def test_writing_again_changes_nothing(results, pages):
    page.write(results, pages)
    once = (pages / "docs/benchmarks.md").read_text()
    page.write(results, pages)
    assert (pages / "docs/benchmarks.md").read_text() == once


def test_picture_has_a_bar_for_each_server_that_was_measured(results, pages):
    page.write(results, pages)
    svg = ElementTree.parse(pages / "docs/benchmarks.svg").getroot()
    bars = {bar.get("class"): float(bar.get("width")) for bar in svg.iter(f"{SVG}rect")}
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert {SQLITE, OLD, "140", "35", "0.50"} <= set(texts)
    assert NBEXCHANGE not in texts
    assert bars["ours"] > 0


def test_readme_names_the_rates(results, pages):
    page.write(results, pages)
    text = (pages / "README.md").read_text()
    assert "at a rate of 140 submissions a second (ngshare 0.6: 35)" in text


def test_quick_run_says_that_it_is_one(results):
    assert "rough figures" in page.conditions({**results, "size": "quick"})
