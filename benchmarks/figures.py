"""Reading what a run has measured: the figures of a server, and the goals they are held against."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import LIMIT, NBEXCHANGE, OLD
from benchmarks.runs import rush_name
from benchmarks.servers import ONE, SQLITE, TWO

Results = Mapping[str, Any]
AFTER_FEEDBACK = "lists after feedback"


def row(results: Results, run: str, server: str) -> Mapping[str, Any]:
    """Return the figures of a run, of its better round if there are several; nothing if it failed."""
    rows = [found for found in results["runs"] if (found["run"], found["server"]) == (run, server)]
    good = [found for found in rows if "error" not in found]
    return max(good, key=lambda found: found.get("per_second", 0), default={})


def value(results: Results, run: str, server: str, name: str) -> float | None:
    found: float | None = row(results, run, server).get(name)
    return found


def first_rush(results: Results, *, all_new: bool) -> str:
    """Return the name of the rush with the fewest at once, which every size of a run has."""
    return next(iter(rushes(results, all_new=all_new)), "")


def rushes(results: Results, *, all_new: bool) -> list[str]:
    """Return the names of the rushes of this kind, in the order in which they ran."""
    ending = rush_name(0, all_new=all_new).partition(",")[2]
    names = dict.fromkeys(found["run"] for found in results["runs"])
    return [name for name in names if name.startswith("rush of") and name.endswith(ending)]


def ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


@dataclass(frozen=True)
class Goal:
    """What was aimed at, and what came of it; None where it was not measured."""

    text: str
    target: float
    reached: tuple[float | None, ...]
    unit: str = "×"
    at_least: bool = True

    def is_reached(self) -> bool | None:
        if any(number is None for number in self.reached):
            return None
        return all(number >= self.target if self.at_least else number <= self.target for number in self.reached)  # type: ignore[operator]


def goals(results: Results) -> Iterator[Goal]:
    unchanged, all_new = (first_rush(results, all_new=kind) for kind in (False, True))

    def against(run: str, other: str, one: str = SQLITE) -> float | None:
        return ratio(value(results, run, one, "per_second"), value(results, run, other, "per_second"))

    def milliseconds(name: str) -> float | None:
        seconds = value(results, unchanged, SQLITE, name)
        return seconds and seconds * 1000

    yield Goal("submissions a second against ngshare 0.6, data unchanged", 5, (against(unchanged, OLD),))
    yield Goal("submissions a second against ngshare 0.6, all new", 4, (against(all_new, OLD),))
    both = against(unchanged, NBEXCHANGE), against(all_new, NBEXCHANGE)
    yield Goal("submissions a second against nbexchange, data unchanged and all new", 1.2, both)
    yield Goal("server CPU for a submission, on SQLite", 7, (milliseconds("server_cpu"),), "ms", at_least=False)
    yield Goal("health check in the rush, 99th percentile", 20, (milliseconds("health_p99"),), "ms", at_least=False)
    both = against(unchanged, LIMIT), against(all_new, LIMIT)
    yield Goal("submissions a second against the machine’s own limit, data unchanged and all new", 0.33, both)
    yield Goal("students’ lists after feedback against ngshare 0.6", 8, (against(AFTER_FEEDBACK, OLD),))
    yield Goal("students’ lists after feedback against nbexchange", 20, (against(AFTER_FEEDBACK, NBEXCHANGE),))
    kinds = results["nbgrader"]
    seconds = [kinds.get(kind, {}).get("collect_seconds") for kind in ("plugin", "folder")]
    yield Goal("time of a collect against the shared folder, through nbgrader", 1.5, (ratio(*seconds),), at_least=False)
    yield Goal("two instances against one, on two cores", 1, (against(unchanged, ONE, TWO),))
