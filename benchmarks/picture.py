"""The picture of docs/benchmarks.md: bars that one understands in five seconds, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.figures import AFTER_FEEDBACK, Results, first_rush, value
from benchmarks.peers import LIMIT, NBEXCHANGE, OLD
from benchmarks.servers import POSTGRES, SQLITE, TWO

WIDTH, LEFT, LONGEST = 880, 300, 470  # pixels: of all, of the names' column, of the longest bar
LINE, BAR, GAP = 26, 18, 34  # pixels: from bar to bar, a bar, between two groups
KINDS = {SQLITE: "ours", POSTGRES: "ours", TWO: "ours"}

STYLE = """
    .card { fill: #ffffff; stroke: #d8d8d8; }
    .heading { fill: #1c1c1c; font-weight: 700; font-size: 16px; }
    .name, .figure { fill: #3a3a3a; }
    .figure { font-weight: 600; }
    .ours { fill: #d9700f; }
    .other { fill: #9aa3ad; }
    .note { fill: #6b7178; font-size: 13px; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #1b1d20; stroke: #3a3d42; }
      .heading { fill: #f2f2f2; }
      .name, .figure { fill: #d5d8dc; }
      .other { fill: #7b8590; }
      .note { fill: #9aa0a6; }
    }"""


@dataclass(frozen=True)
class Bar:
    name: str
    number: float
    kind: str  # ours or other: its colour


@dataclass(frozen=True)
class Group:
    heading: str
    bars: Sequence[Bar]
    form: str  # of a figure, as in format()
    note: str = ""


def picture(results: Results) -> str:
    """Return the SVG, of what was measured."""
    groups = [group for group in groups_of(results) if len(group.bars) > 1]
    parts, top = [], 20
    for group in groups:
        parts.append(f'  <text class="heading" x="24" y="{top + 16}">{escape(group.heading)}</text>')
        top += LINE + 6
        most = max(bar.number for bar in group.bars)
        for bar in group.bars:
            parts += draw(bar, top, max(2, round(LONGEST * bar.number / most)), group.form)
            top += LINE
        if group.note:
            parts.append(f'  <text class="note" x="{LEFT}" y="{top + BAR - 4}">{escape(group.note)}</text>')
            top += LINE
        top += GAP - LINE + BAR
    summary = "; ".join(
        f"{group.heading}: " + ", ".join(f"{bar.name} {format(bar.number, group.form)}" for bar in group.bars)
        for group in groups
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" aria-labelledby="title desc"\n'
        "     font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"14\">\n"
        '  <title id="title">ngshare and its peers under load</title>\n'
        f'  <desc id="desc">{escape(summary)}</desc>\n'
        f"  <style>{STYLE}\n  </style>\n"
        f'  <rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{top - 1}" rx="10"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def draw(bar: Bar, top: int, length: int, form: str) -> list[str]:
    middle = top + BAR - 4
    return [
        f'  <text class="name" x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(bar.name)}</text>',
        f'  <rect class="{bar.kind}" x="{LEFT}" y="{top}" width="{length}" height="{BAR}" rx="3"/>',
        f'  <text class="figure" x="{LEFT + length + 8}" y="{middle}">{format(bar.number, form)}</text>',
    ]


def groups_of(results: Results) -> list[Group]:
    rush = first_rush(results, all_new=False)
    at_once = rush.removeprefix("rush of ").partition(",")[0]
    servers = (SQLITE, POSTGRES, TWO, NBEXCHANGE, OLD)
    labels = {TWO: "ngshare, two instances, with S3"}
    limit = value(results, rush, LIMIT, "per_second")
    return [
        Group(
            f"Submissions per second, {at_once} students at once (longer is better)",
            _bars(results, rush, servers, "per_second", labels),
            ".0f",
            f"This machine, receiving, hashing and syncing alone: {limit:.0f}" if limit else "",
        ),
        Group(
            "Students’ lists per second, after feedback (longer is better)",
            _bars(results, AFTER_FEEDBACK, servers, "per_second", labels),
            ".0f",
        ),
        Group("Seconds to collect everybody’s work (shorter is better)", _collects(results), ".2f"),
    ]


def _bars(
    results: Results, run: str, servers: Sequence[str], name: str, labels: dict[str, str] | None = None
) -> list[Bar]:
    found = [(server, value(results, run, server, name)) for server in servers]
    return [
        Bar((labels or {}).get(server, server), number, KINDS.get(server, "other"))
        for server, number in found
        if number
    ]


def _collects(results: Results) -> list[Bar]:
    """Those through nbgrader, and the requests alone of servers whose plugins are not run here."""
    names = {"plugin": ("nbgrader with ngshare", "ours"), "folder": ("nbgrader with a shared folder", "other")}
    bars = [
        Bar(name, results["nbgrader"][kind]["collect_seconds"], colour)
        for kind, (name, colour) in names.items()
        if "collect_seconds" in results["nbgrader"].get(kind, {})
    ]
    labels = {server: f"{server}, downloads alone" for server in (NBEXCHANGE, OLD)}
    return bars + _bars(results, "collect", (NBEXCHANGE, OLD), "seconds", labels)
