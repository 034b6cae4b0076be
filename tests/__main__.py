"""`make test`: every test on every part, in phases, with one summary at the end.

`python -m tests quick` runs the fast phase alone. NGSHARE_TEST_NO_SKIP=1 makes a test that is skipped a failure: for
machines that have everything, as CI's.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack

from tests import servers

SLOW = "e2e or browser or nbgrader or live"
TWO = ["-n", "2"]
# name, parts that it runs on, arguments of pytest
PHASES = [
    ("SQLite and a folder", [], ["-m", f"not ({SLOW})", *TWO]),
    ("PostgreSQL", ["postgres"], ["-m", f"not ({SLOW})", *TWO]),
    ("S3", ["postgres", "s3"], ["-m", f"not ({SLOW} or wide)", *TWO, "tests/exchange", "tests/api_v2"]),
    ("real nbgrader and server processes", [], ["-m", "(nbgrader or live) and not (e2e or browser)", *TWO]),
    ("real JupyterHub and browser", [], ["-m", "e2e or browser"]),
]
QUICK = [("SQLite and a folder", [], ["-m", f"not ({SLOW} or wide)", *TWO])]
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")


def run(name: str, parts: list[str], arguments: list[str]) -> tuple[int, Counter[str]]:
    """Run one phase. Returns pytest's exit status and what its last line counts."""
    print(f"\n==== {name} ====", flush=True)
    with ExitStack() as stack:
        env = dict(os.environ)
        for part in parts:
            start, variable = servers.PARTS[part]
            env[variable] = stack.enter_context(start())
        env.update({key: value for key, value in os.environ.items() if key.startswith("AWS_")})
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        last = ""
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=servers.ROOT) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                last = line if COUNT.search(line) else last
    counts = Counter({word.rstrip("s") if word == "errors" else word: int(n) for n, word in COUNT.findall(last)})
    return process.returncode, counts


def main() -> int:
    phases = QUICK if "quick" in sys.argv[1:] else PHASES
    no_skip = os.environ.get("NGSHARE_TEST_NO_SKIP") == "1"
    total: Counter[str] = Counter()
    lines = []
    for name, parts, arguments in phases:
        started = time.monotonic()
        status, counts = run(name, parts, arguments)
        if status not in (0, 1) or (no_skip and counts["skipped"]):
            counts["failed"] += counts["skipped"] if no_skip and status in (0, 1) else 1
        total += counts
        shown = ", ".join(f"{number} {word}" for word, number in counts.items())
        lines.append(f"{name}: {shown} in {time.monotonic() - started:.0f} s")
    failed = total["failed"] + total["error"]
    print("\n==== summary ====", *lines, "", sep="\n")
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
