"""`make test`: every test on every part, in phases; at the end one summary.

`python -m tests coverage` runs what covers nearly everything, on SQLite and with the real nbgrader, and measures it.
`python -m tests quick` runs one case of each fast test that is not about pages, and `python -m tests wide` what the
others leave out on PostgreSQL and S3. NGSHARE_TEST_NO_SKIP=1 makes a test that is skipped a
failure: for machines that have everything, as CI's.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from threading import Thread

from tests import servers
from tests.deploy import engine

SLOW = "e2e or browser or nbgrader or live or deploy or faults"
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")
COVERAGE = servers.ROOT / "artifacts" / "coverage"


@dataclass(frozen=True)
class Phase:
    """One run of pytest."""

    name: str
    marked: str  # pytest's -m
    parts: Sequence[str] = ()  # names in servers.PARTS
    folders: Sequence[str] = ("tests",)  # a folder that is not there, or has no such test, fails the phase
    without: Sequence[str] = ()  # folders in these
    one_case: bool = False  # of each test; conftest.py
    processes: int = 2
    whole_files: bool = False  # the tests of a file run in one process
    is_measured: bool = False  # its coverage counts
    nice: bool = False  # gives way to what runs beside it


@dataclass
class Outcome:
    """What became of a phase."""

    phase: Phase
    status: int  # pytest's exit status
    seconds: float
    counts: Counter[str] = field(default_factory=Counter)
    failures: Sequence[str] = ()  # pytest's line for each


def files_with(*marks: str) -> list[str]:
    """Return the files that have tests with one of these marks: collecting all of them takes half a minute."""
    marked = re.compile(rf"\bmark\.({'|'.join(marks)})\b")
    return [
        str(path) for path in sorted((servers.ROOT / "tests").rglob("test_*.py")) if marked.search(path.read_text())
    ]


# What stores bytes or reads them, in tests/exchange.
STORING = [
    f"tests/exchange/{path}"
    for path in (
        *("storage", "importers", "management", "test_services.py", "test_file_responses.py"),
        *("test_personal_archive.py", "admin/test_files.py", "admin/test_storage.py", "api/test_lost_bytes.py"),
        *("api/v1/test_bodies.py", "api/v1/test_continuation.py", "api/v1/test_golden.py"),
        *("api/v2/test_assignments.py", "api/v2/test_blobs.py", "api/v2/test_feedback.py"),
        *("api/v2/test_possession.py", "api/v2/test_submissions.py"),
    )
]
# What may differ from one database to another.
SERVER = ["tests/courses", "tests/exchange", "tests/ngshare_site", "tests/test_migrations.py", "tests/test_states.py"]
# What pages show is told by the database below them.
PAGES = ["tests/courses/admin", "tests/exchange/admin", "tests/exchange/rendering", "tests/ngshare_site/portal"]
# What thousands of rows do to a database.
LARGE = ["tests/exchange/test_thousands.py", "tests/courses/test_large_roster.py", "tests/courses/test_bulk.py"]
WIDE_TESTS = f"wide and not ({SLOW})"
# Lanes run at the same time. PostgreSQL runs one case of each of the server's tests, but for pages and the widest.
# Browsers, faults and containers mostly wait: what only computes fills the time, and gives way to them.
PHASES = [
    [
        Phase("SQLite and a folder", f"not ({SLOW} or wide)", nice=True),
        Phase("wide tests", WIDE_TESTS, folders=files_with("wide"), nice=True),
        Phase(
            "PostgreSQL",
            f"not ({SLOW} or wide)",
            parts=["postgres"],
            folders=SERVER,
            without=PAGES,
            one_case=True,
            nice=True,
        ),
        Phase("S3", f"not ({SLOW} or wide)", parts=["postgres", "s3"], folders=STORING, one_case=True, nice=True),
        Phase("thousands of rows on PostgreSQL", "wide", parts=["postgres"], folders=LARGE, nice=True),
        Phase("real nbgrader", "nbgrader and not (e2e or browser)", folders=files_with("nbgrader")),
        Phase("server processes", "live and not (nbgrader or e2e or browser)", folders=files_with("live")),
    ],
    [
        Phase(
            "real JupyterHub and browser",
            "e2e or browser",
            folders=files_with("e2e", "browser"),
            processes=0,
        ),
        Phase("faults", "faults", folders=["tests/faults"]),
        Phase("containers and packages", "deploy", folders=["tests/deploy"], whole_files=True),
    ],
]
QUICK = [[Phase("SQLite and a folder", f"not ({SLOW} or wide)", without=PAGES)]]
# Measuring takes half as long again as the tests do, and subprocesses are measured, too.
COVERED = [
    [
        Phase("SQLite and a folder", f"not ({SLOW} or wide)", is_measured=True),
        Phase("real nbgrader", "nbgrader and not (e2e or browser)", folders=files_with("nbgrader"), is_measured=True),
    ]
]
WIDE = [[Phase("wide tests on PostgreSQL and S3", WIDE_TESTS, parts=["postgres", "s3"])]]


def run(phase: Phase, *, silent: bool) -> Outcome:
    """Run one phase. A silent one prints what it has to say when it is over."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-m", phase.marked, "-n", str(phase.processes), *phase.folders]
    command += [f"--ignore={folder}" for folder in phase.without]
    if phase.whole_files:
        command += ["--dist", "loadfile"]
    if phase.is_measured:
        command += ["--cov", "--cov-report=", "--cov-fail-under=0"]
    if phase.nice:
        command = ["nice", "-n", "5", *command]
    lines = [f"\n==== {phase.name} ====\n"]
    if not silent:
        print(lines[0], end="", flush=True)
    with ExitStack() as stack:
        env = {**os.environ, "COVERAGE_FILE": str(COVERAGE / "data" / phase.name.replace(" ", "-"))}
        env["PYTHONDONTWRITEBYTECODE"] = ""  # or each of many processes would compile all tests anew
        env["NGSHARE_TEST_ONE_CASE"] = str(int(phase.one_case))
        for part in phase.parts:
            start, variable = servers.PARTS[part]
            env[variable] = stack.enter_context(start())
        env.update({key: value for key, value in os.environ.items() if key.startswith("AWS_")})
        with subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=servers.ROOT
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                if not silent:
                    print(line, end="", flush=True)
    if silent:
        print(*lines, sep="", end="", flush=True)
    last = next((line for line in reversed(lines) if COUNT.search(line)), "")
    counts = Counter({word.rstrip("s") if word == "errors" else word: int(n) for n, word in COUNT.findall(last)})
    failures = [line.rstrip()[:300] for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return Outcome(phase, process.returncode, time.monotonic() - started, counts, failures)


def run_lanes(lanes: Sequence[Sequence[Phase]]) -> list[Outcome]:
    """Run lanes of phases at the same time; the first one prints as it goes."""

    def run_lane(number: int) -> list[Outcome]:
        return [run(phase, silent=number > 0) for phase in lanes[number]]

    with ThreadPoolExecutor(len(lanes)) as pool:
        return [outcome for outcomes in pool.map(run_lane, range(len(lanes))) for outcome in outcomes]


def make_bases() -> None:
    """Make what images are built on, before it is needed: that is mostly waiting for downloads."""
    with suppress(RuntimeError):  # the tests that need it try again, and say what is wrong
        engine.bases()


def report_coverage() -> tuple[bool, str]:
    """Combine what the phases measured, print what is not covered and write the pages in artifacts/coverage.

    Return whether it reaches the floor in pyproject.toml, and a line for the summary.
    """
    print("\n==== coverage ====", flush=True)
    files = [str(path) for path in (COVERAGE / "data").iterdir()]
    if coverage("combine", "--quiet", *files).returncode:
        return False, "coverage: nothing was measured"
    coverage("html", "--quiet", "--fail-under=0", f"--directory={COVERAGE}")
    enough = coverage("report").returncode == 0
    total = coverage("report", "--format=total", "--precision=1", "--fail-under=0", stdout=subprocess.PIPE).stdout
    return enough, f"coverage: {total.strip()} %{'' if enough else ', which is not enough'}"


def coverage(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COVERAGE_FILE": str(COVERAGE / "combined")}
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, env=env, cwd=servers.ROOT, stdout=stdout, text=True, check=False)


def main() -> int:
    lanes = {"quick": QUICK, "wide": WIDE, "coverage": COVERED}.get("".join(sys.argv[1:]), PHASES)
    is_measured = lanes is COVERED
    if lanes is QUICK:
        os.environ["NGSHARE_TEST_QUICK"] = "1"  # one case of each test, and fewer examples: conftest.py
    if is_measured:
        shutil.rmtree(COVERAGE, ignore_errors=True)
        (COVERAGE / "data").mkdir(parents=True)
    no_skip = os.environ.get("NGSHARE_TEST_NO_SKIP") == "1"
    total: Counter[str] = Counter()
    lines: list[str] = []
    failures: list[str] = []
    if lanes is PHASES and engine.is_complete():
        Thread(target=make_bases, daemon=True).start()
    for outcome in run_lanes(lanes):
        counts = outcome.counts
        if outcome.status not in (0, 1):
            counts["failed"] += 1
        elif no_skip:
            counts["failed"] += counts["skipped"]
        total += counts
        shown = ", ".join(f"{number} {word}" for word, number in counts.items())
        lines.append(f"{outcome.phase.name}: {shown} in {outcome.seconds:.0f} s")
        failures += outcome.failures
    covered = True
    if is_measured:
        covered, line = report_coverage()
        lines.append(line)
    if lanes is PHASES and (reason := engine.why_incomplete()):
        lines.append(f"Deployments in containers were not tested: {reason}.")
    failed = total["failed"] + total["error"]
    print("\n==== summary ====", *failures, *lines, "", sep="\n")
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 0 if covered and total["passed"] and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
