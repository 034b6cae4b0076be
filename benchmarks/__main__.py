"""`python -m benchmarks`: the same work for ngshare and its predecessor, side by side; prints a table in Markdown."""

import argparse
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import runs, work
from benchmarks.runs import Figures
from benchmarks.servers import side_by_side

BEGIN, END = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: under two minutes, rough figures")
    parser.add_argument("--without-old", action="store_true", help="ngshare alone; needs no package index")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page, between its marks")
    options = parser.parse_args()
    size = work.QUICK if options.quick else work.FULL
    with tempfile.TemporaryDirectory(prefix="ngshare-bench-") as folder:
        table = measured(Path(folder), size, with_old=not options.without_old)
    print(table)
    if options.write:
        page = options.write.read_text()
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        options.write.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")
    return 0


def measured(folder: Path, size: work.Size, *, with_old: bool) -> str:
    start = time.monotonic()
    say("starting the servers …")
    with side_by_side(folder / "servers", with_old=with_old) as servers:
        all_figures = [runs.begin(server) for server in servers]
        steps = {
            "adding students": lambda one: runs.add_students(one, size),
            "submissions with an unchanged data file": lambda one: runs.submit_all(
                one, size, work.unchanged_data, "data file unchanged", "ps1"
            ),
            "collecting": lambda one: runs.collect(one, size, "ps1"),
            "submissions that are all new": lambda one: runs.submit_all(
                one, size, work.all_new, "all files new", "ps2"
            ),
            "lists": lambda one: runs.lists(one, size, "ps1"),
            "large files": lambda one: runs.large(one, size, folder),
            "a large roster": lambda one: runs.roster(one, size),
        }
        for name, step in steps.items():
            for figures in all_figures:
                say(f"{time.monotonic() - start:4.0f} s  {name}: {figures.server.name}")
                step(figures)
    say(f"{time.monotonic() - start:4.0f} s  done")
    return f"{conditions()}\n\n{markdown(all_figures)}"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def conditions() -> str:
    cores = os.cpu_count()
    return f"Measured on {datetime.now(UTC):%Y-%m-%d}: {cores} cores, Linux, Python {platform.python_version()}."


def markdown(all_figures: list[Figures]) -> str:
    rows = list(all_figures[0].rows)
    lines = ["| | " + " | ".join(figures.server.name for figures in all_figures) + " |"]
    lines.append("|---|" + "---:|" * len(all_figures))
    lines += [f"| {row} | " + " | ".join(figures.rows.get(row, "–") for figures in all_figures) + " |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
