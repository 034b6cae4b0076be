"""docs/benchmarks.md and the README: text is written by hand, and figures are put between the marks in it."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import AFTER_FEEDBACK, Goal, Results, first_rush, goals, ratio, row, rushes, value
from benchmarks.peers import LIMIT, NBEXCHANGE, OLD
from benchmarks.picture import picture
from benchmarks.servers import POSTGRES, SQLITE

MARKED = re.compile(r"(<!-- figures: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MEGABYTE = 1e6


def write(results: Results, root: Path) -> None:
    """Write the tables, the picture, and what the README says of them."""
    for page in (root / "docs/benchmarks.md", root / "README.md"):
        text = page.read_text()
        page.write_text(MARKED.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]](results)}\n\n{found[3]}", text))
    (root / "docs/benchmarks.svg").write_text(picture(results))


def tables(results: Results) -> str:
    """Return all that was measured as Markdown."""
    return "\n\n".join(f"### {name.capitalize()}\n\n{block(results)}" for name, block in BLOCKS.items())


def summary(results: Results) -> str:
    """Return the few sentences of the README."""
    rush = first_rush(results, all_new=False)
    ours, old, other = (row(results, rush, server) for server in (SQLITE, OLD, NBEXCHANGE))
    peers = [f"{name}: {found['per_second']:.0f}" for name, found in ((OLD, old), (NBEXCHANGE, other)) if found]
    fewer = ratio(old.get("sent"), ours.get("sent"))
    huge = row(results, "huge submission", SQLITE)
    cores, count = results["machine"]["cores"], results["students"]
    sentences = [
        f"On {cores} cores and SQLite, {count} students ({_at_once(rush)} at once) submit a notebook and a data file",
        f"at a rate of {_number(ours.get('per_second'))} submissions a second"
        + (f" ({', '.join(peers)})" if peers else "")
        + (f", and send {fewer:.0f} times fewer bytes than with ngshare 0.6." if fewer else "."),
    ]
    if huge:
        memory = _megabytes(max(huge["memory"], huge["memory_down"]))
        size = _megabytes(huge["size"])
        sentences.append(f"Uploading and downloading a file of {size} MB takes {memory} MB more memory.")
    return "\n".join(sentences)


def conditions(results: Results) -> str:
    machine, size = results["machine"], "" if results["size"] == "full" else " A quick run: rough figures."
    lines = [
        f"Measured on {results['date']}: {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"{results['students']} students.{size}"
    ]
    lines += [f"{name} was not measured: {_first_line(reason)}" for name, reason in results["failed"].items()]
    failed = [found for found in results["runs"] if "error" in found]
    lines += [f"{found['run']}, {found['server']}: {_first_line(found['error'])}" for found in failed]
    return "\n\n".join(lines)


def goal_table(results: Results) -> str:
    return _table(["", "goal", "reached", ""], [_goal(goal) for goal in goals(results)])


def _goal(goal: Goal) -> list[str]:
    digits = 2 if goal.target < 1 or not goal.at_least else 1
    reached = " and ".join(f"{_number(number, digits)} {goal.unit}" for number in goal.reached if number is not None)
    verdict = {True: "yes", False: "**no**", None: "not measured"}[goal.is_reached()]
    return [goal.text, f"{'≥' if goal.at_least else '≤'} {goal.target:g} {goal.unit}", reached or "–", verdict]


def rush_table(results: Results) -> str:
    """Return submissions a second in all rushes."""
    kinds = {"data unchanged": False, "all new": True}
    columns = [(name, label) for label, all_new in kinds.items() for name in rushes(results, all_new=all_new)]
    heads = [f"{_at_once(name)} at once, {label}" for name, label in columns]

    def cell(server: str, run: str) -> str:
        found = row(results, run, server)
        errors = f", {found['errors']} failed" if found.get("errors") else ""
        return f"{_number(found.get('per_second'))}{errors}"

    rows = [[server, *(cell(server, name) for name, _ in columns)] for server in results["servers"]]
    return _table(["submissions a second", *heads], rows)


def detail_table(results: Results) -> str:
    """Return what a submission costs in the smallest and in the largest rush."""
    chosen = [*rushes(results, all_new=False)[:1], *rushes(results, all_new=True)[-1:]]
    parts = []
    for name in chosen:
        rows = [[server, *_details(row(results, name, server))] for server in results["servers"]]
        heads = ["median, ms", "95 %, ms", "99 %, ms", "server CPU each, ms", "health check 99 %, ms"]
        heads += ["sent, MB", "stored, MB", "memory, MB"]
        parts.append(f"{name[0].upper()}{name[1:]}:\n\n{_table(['', *heads], rows)}")
    return "\n\n".join(parts)


def _details(found: Any) -> list[str]:
    times = [_milliseconds(found.get(name)) for name in ("median", "p95", "p99")]
    costs = [_milliseconds(found.get("server_cpu"), 1), _milliseconds(found.get("health_p99"))]
    sizes = [_megabytes(found.get(name)) for name in ("sent", "stored", "memory")]
    return times + costs + sizes


def list_table(results: Results) -> str:
    runs = ["lists before", "lists after the rush", AFTER_FEEDBACK]
    rows = []
    for server in _keeping(results):
        found = [row(results, run, server) for run in runs]
        rates = [_number(figures.get("per_second")) for figures in found]
        rows.append([server, *rates, _milliseconds(found[-1].get("server_cpu"), 1), _number(found[-1].get("requests"))])
    heads = ["before the rush", "after it", "after feedback", "server CPU each, ms", "requests each"]
    return _table(["students’ lists a second", *heads], rows)


def instructor_table(results: Results) -> str:
    runs = {
        "adding students": "adding all students",
        "collect": "collecting",
        "instructor’s list": "list",
        "feedback": "feedback",
    }
    rows = []
    for run, label in runs.items():
        for name, unit in (("seconds", "s"), ("requests", "requests")):
            cells = [
                _number(value(results, run, server, name), 2 if unit == "s" else 0) for server in _keeping(results)
            ]
            if set(cells) != {"–"}:
                rows.append([f"{label}, {unit}", *cells])
    return _table(["", *_keeping(results)], rows)


def nbgrader_table(results: Results) -> str:
    kinds = results["nbgrader"]
    folder, plugin = (kinds.get(kind, {}) for kind in ("folder", "plugin"))
    failed = [f"{kind}: {_first_line(found['error'])}" for kind, found in kinds.items() if "error" in found]
    steps = {
        "submit": "a submission, ms",
        "list": "a student’s list, ms",
        "inbound": "an instructor’s list, ms",
        "collect": f"a collect of {folder.get('count', '–')}, ms",
    }
    rows = []
    for step, label in steps.items():
        name = f"{step}_seconds"
        times = ratio(plugin.get(name), folder.get(name))
        rows.append(
            [label, *(_milliseconds(found.get(name), 1) for found in (folder, plugin)), f"{_number(times, 1)} ×"]
        )
    return "\n\n".join([*failed, _table(["", "shared folder", "ngshare", "ratio"], rows)])


def slow_table(results: Results) -> str:
    rows = []
    for server in _keeping(results):
        calm, slow = (
            row(results, run, server) for run in (first_rush(results, all_new=False), "rush with slow clients")
        )
        if not slow:
            continue
        rates = [_number(found.get("per_second")) for found in (calm, slow)]
        checks = [_milliseconds(found.get("health_p99")) for found in (calm, slow)]
        rows.append([server, *rates, *checks, _number(slow.get("errors"))])
    heads = ["submissions a second without", "with them", "health check 99 % without, ms", "with them, ms", "failed"]
    return _table(["", *heads], rows)


def large_table(results: Results) -> str:
    rows = []
    for server in _keeping(results):
        large, huge = (row(results, run, server) for run in ("large submission", "huge submission"))
        cells = [_megabytes(large.get("memory")), _number(large.get("seconds"), 1)]
        cells += [_megabytes(huge.get(name)) for name in ("memory", "memory_down")]
        rows.append([server, *cells])
    sizes = [
        next((found["size"] for found in results["runs"] if found["run"] == run and "size" in found), 0) / MEGABYTE
        for run in ("large submission", "huge submission")
    ]
    heads = [f"{sizes[0]:.0f} MB: memory, MB", f"{sizes[0]:.0f} MB: s", f"{sizes[1]:.0f} MB up: memory, MB"]
    return _table(["", *heads, f"{sizes[1]:.0f} MB down: memory, MB"], rows)


def roster_table(results: Results) -> str:
    servers = [server for server in (SQLITE, POSTGRES) if row(results, "roster", server)]
    steps = {
        "created": "imported",
        "unchanged": "imported again",
        "changed": "every line changed",
        "exported": "exported",
    }
    rows = [
        [label, *(_number(value(results, "roster", one, name), 2) for one in servers)] for name, label in steps.items()
    ]
    count = value(results, "roster", servers[0], "count") if servers else 0
    return _table([f"a roster of {count} lines, s", *servers], rows)


def compression_table(results: Results) -> str:
    rows = [
        [
            f"{found['sample']}, {found['plain'] / 1000:.0f} KB",
            found["codec"],
            f"{found['plain'] / found['packed']:.1f} ×",
            *(_milliseconds(found[name], 2) for name in ("compress", "decompress", "sha256")),
            f"{(found['plain'] - found['packed']) * 8 / 10e6 * 1000:.0f}",
            f"{found['decompress'] * found['plain'] / MEGABYTE * 1000:.2f}",
        ]
        for found in results["compression"]
    ]
    heads = ["", "", "smaller", "compress, ms/MB", "decompress, ms/MB", "SHA-256, ms/MB"]
    return _table([*heads, "saved at 10 Mbit/s, ms", "server CPU more, ms"], rows)


def campus_table(results: Results) -> str:
    parts = []
    for campus in results["campus"]:
        rows = [
            [
                found["name"],
                _number(found.get("queries")),
                *(_number(found["ms"].get(part), 1) for part in ("1", "10", "100")),
                f"{_number(found.get('ratio'), 2)} ×",
            ]
            for found in campus["rows"]
        ]
        heads = [campus["database"], "queries", "1 %, ms", "10 %, ms", "100 %, ms", "CPU at 100 % against 1 %"]
        parts.append(_table(heads, rows))
    return "\n\n".join(parts) or "Not measured in this run."


BLOCKS: dict[str, Callable[[Results], str]] = {
    "summary": summary,
    "conditions": conditions,
    "goals": goal_table,
    "rushes": rush_table,
    "details": detail_table,
    "slow": slow_table,
    "lists": list_table,
    "instructors": instructor_table,
    "nbgrader": nbgrader_table,
    "large": large_table,
    "rosters": roster_table,
    "campus": campus_table,
    "compression": compression_table,
}


def _keeping(results: Results) -> list[str]:
    """Return the servers that keep what is submitted."""
    return [server for server in results["servers"] if server != LIMIT]


def _at_once(rush: str) -> str:
    return rush.removeprefix("rush of ").partition(",")[0]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200]


def _number(number: float | None, digits: int = 0) -> str:
    return "–" if number is None else f"{number:.{digits}f}"


def _milliseconds(seconds: float | None, digits: int = 0) -> str:
    return _number(None if seconds is None else seconds * 1000, digits)


def _megabytes(size: float | None) -> str:
    return _number(None if size is None else size / MEGABYTE)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)])
