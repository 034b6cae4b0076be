"""`python -m benchmarks`: the same work for ngshare, its peers and the bare machine, side by side in one run.

Measuring writes figures as JSON; writing makes docs/benchmarks.md and its picture of such a file.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import compression, page, runs, through_nbgrader, work
from benchmarks.peers import NBEXCHANGE
from benchmarks.server import Server
from benchmarks.servers import FAILURES, SQLITE, side_by_side
from tests.servers import ROOT, running

SIZES = {"full": work.FULL, "quick": work.QUICK, "tiny": work.TINY}
LONGEST_CAMPUS = 600  # seconds
Results = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_const", dest="size", const="quick", default="full", help="rough figures"
    )
    parser.add_argument("--size", choices=SIZES, help="how much of it (default: full)")
    parser.add_argument("--only", action="append", default=[], metavar="SERVER", help="this one alone; may be repeated")
    parser.add_argument("--nbexchange", type=Path, metavar="DIR", help="measure nbexchange, from a checkout of it")
    parser.add_argument(
        "--campus", type=Path, action="append", default=[], metavar="FILE", help="figures of benchmarks.campus to show"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--write", type=Path, metavar="FILE", help="measure nothing: write the page of these figures")
    options = parser.parse_args()
    if options.write:
        page.write(json.loads(options.write.read_text()), ROOT)
        return 0
    with tempfile.TemporaryDirectory(prefix="ngshare-bench-") as folder:
        results = measure_all(Path(folder), options)
    print(page.tables(results))
    return 0


def measure_all(folder: Path, options: argparse.Namespace) -> Results:
    """Measure everything, and keep the figures after each step: what breaks later does not lose them."""
    start, size = time.monotonic(), SIZES[options.size]
    results: Results = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "size": options.size,
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "students": size.students,
        "servers": [],
        "failed": {},
        "runs": [],
        "nbgrader": {},
        "campus": [json.loads(file.read_text()) for file in options.campus],
    }

    def keep(line: str) -> None:
        print(f"{time.monotonic() - start:5.0f} s  {line}", file=sys.stderr, flush=True)
        if options.results:
            options.results.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")

    keep("starting the servers …")
    with side_by_side(folder / "servers", options.only, options.nbexchange) as servers:
        results["failed"] = servers.failed
        if not options.nbexchange and not options.only:
            results["failed"][NBEXCHANGE] = "no checkout of it was given (--nbexchange DIR)"
        results["servers"] = [server.name for server in servers.running]
        for name, reason in servers.failed.items():
            keep(f"{name} is not measured: {reason}")
        measure_servers(servers.running, size, folder, results, keep)
        for server in servers.running:
            if server.name == SQLITE:
                measure_nbgrader(server, size, folder, results, keep)
    results["compression"] = compression.measure()
    keep("compression")
    if not options.campus and options.size == "full" and not options.only and find_spec("benchmarks.campus"):
        measure_campus(folder, results, keep)
    keep("done")
    return results


def measure_servers(servers: list[Server], size: work.Size, folder: Path, results: Results, keep: Any) -> None:
    everybody = [runs.begin(server) for server in servers]
    for name, step in runs.steps(size, folder):
        for run in everybody:
            if not run.server.keeps_submissions and not name.startswith(("rush of", "warming")):
                continue
            row: Results = {"run": name, "server": run.server.name}
            try:
                row |= step(run, size)
            except FAILURES as error:
                row["error"] = f"{type(error).__name__}: {error}"[:500]
            results["runs"].append(row)
            keep(f"{name}: {run.server.name}{' FAILED: ' + row['error'] if 'error' in row else ''}")


def measure_nbgrader(server: Server, size: work.Size, folder: Path, results: Results, keep: Any) -> None:
    for kind in ("folder", "plugin"):
        try:
            figures = through_nbgrader.measured(kind, folder, size.collected, server.urls[0])
        except FAILURES as error:
            figures = {"error": f"{type(error).__name__}: {error}"[:500]}  # type: ignore[dict-item]
        results["nbgrader"][kind] = figures
        keep(f"nbgrader with the {kind}: {figures}")


def measure_campus(folder: Path, results: Results, keep: Any) -> None:
    """Run the benchmark of a university on both databases. Writing it takes minutes, so it is kept in .cache."""
    kept = ROOT / ".cache/benchmarks/campus"
    kept.mkdir(parents=True, exist_ok=True)
    for database in ("sqlite", "postgres"):
        keep(f"campus on {database} …")
        file, log = folder / f"campus-{database}.json", folder / f"campus-{database}.log"
        command = [sys.executable, "-m", "benchmarks.campus", "--measure", "--database", database]
        command += ["--json", str(file), "--keep", str(kept)]
        try:
            with running(command, env=dict(os.environ), log=log) as process:
                process.wait(LONGEST_CAMPUS)
            results["campus"].append(json.loads(file.read_text()))
        except FAILURES as error:
            results["failed"][f"campus on {database}"] = f"{type(error).__name__}: {error}"[:500]
            keep(log.read_text()[-2000:])


if __name__ == "__main__":
    sys.exit(main())
