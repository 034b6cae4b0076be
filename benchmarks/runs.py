"""The runs. Each gives rows of the table: what was measured, and a figure for each server."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import measure, work
from benchmarks.client import Client, Submit
from benchmarks.http import Http, Refused
from benchmarks.native import Native
from benchmarks.servers import Server
from benchmarks.work import FileSet, Size

AT_ONCE = 16  # clients


@dataclass
class Figures:
    """What one server did."""

    server: Server
    http: Http
    client: Client
    rows: dict[str, str] = field(default_factory=dict)


def begin(server: Server) -> Figures:
    http = Http(server.url)
    return Figures(server, http, server.client(http))


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def crowd(acts: Iterable[Submit]) -> float:
    """Do all, AT_ONCE at a time. Returns seconds. Errors: the first one's."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return timed(lambda: list(pool.map(lambda act: act(), acts)))


def add_students(figures: Figures, size: Size) -> None:
    names = work.students(size.students)
    figures.client.start_course()
    figures.rows[f"adding {size.students} students at once, s"] = (
        f"{timed(lambda: figures.client.add_students(names)):.2f}"
    )


def submit_all(figures: Figures, size: Size, files_of: Callable[[str], FileSet], what: str, assignment: str) -> None:
    """Everybody submits, AT_ONCE at a time, `size.rounds` times; of times the best round, of bytes the first one."""
    server, client = figures.server, figures.client
    client.release(assignment, work.released())
    acts = [client.submit(name, assignment, files_of(name)) for name in work.students(size.students)]
    rates, costs, checks = [], [], []
    for number in range(size.rounds):
        traffic, disk = figures.http.traffic.sent, measure.disk(server.files)
        with measure.health_checks(server.url) as latencies:
            before = measure.cpu_seconds(server.processes())
            seconds = crowd(acts if not number else again(figures, size, files_of, assignment))
            costs.append((measure.cpu_seconds(server.processes()) - before) / len(acts))
        rates.append(len(acts) / seconds)
        checks.append(latencies.p99)
        if not number:
            sent, stored = figures.http.traffic.sent - traffic, measure.disk(server.files) - disk
    rows = figures.rows
    rows[f"{what}: submissions/s"] = f"{max(rates):.0f}"
    rows[f"{what}: server CPU each, ms"] = f"{min(costs) * 1000:.1f}"
    rows[f"{what}: health check meanwhile, 99th percentile, ms"] = f"{min(checks) * 1000:.0f}"
    rows[f"{what}: sent, MB"] = f"{sent / 1e6:.0f}"
    rows[f"{what}: disk used, MB"] = f"{stored / 1e6:.0f}"


def again(figures: Figures, size: Size, files_of: Callable[[str], FileSet], assignment: str) -> list[Submit]:
    """The same submissions with another version of each notebook."""
    return [
        figures.client.submit(name, assignment, {**files_of(name), "ps1.ipynb": work.notebook(f"{name} again")})
        for name in work.students(size.students)
    ]


def collect(figures: Figures, size: Size, assignment: str) -> None:
    """Fetch everybody's latest submission, and see that it is what was submitted."""
    received = figures.http.traffic.received
    found: dict[str, FileSet] = {}
    seconds = timed(lambda: found.update(figures.client.collect(assignment)))
    for name in work.students(size.students):
        wanted = work.unchanged_data(name)
        if size.rounds > 1:
            wanted["ps1.ipynb"] = work.notebook(f"{name} again")
        if found[name] != wanted:
            raise RuntimeError(f"{figures.server.name} lost the submission of {name}")
    figures.rows[f"collecting {size.students}, s"] = f"{seconds:.2f}"
    figures.rows[f"collecting {size.students}: received, MB"] = (
        f"{(figures.http.traffic.received - received) / 1e6:.0f}"
    )


def lists(figures: Figures, size: Size, assignment: str) -> None:
    names = work.students(size.students)
    acts: list[Submit] = [
        partial(figures.client.list_released, names[number % len(names)]) for number in range(size.lists)
    ]
    crowd(acts[:AT_ONCE])
    before = figures.http.traffic.requests
    rate = size.lists / crowd(acts)
    requests = (figures.http.traffic.requests - before) / size.lists
    figures.rows["students' lists/s"] = f"{rate:.0f}"
    figures.rows["requests of a student's list"] = f"{requests:.0f}"
    before = figures.http.traffic.requests
    seconds = timed(lambda: figures.client.list_submissions(assignment))
    what = f"instructor's list of {size.students * size.rounds} submissions"
    figures.rows[f"{what}, s"] = f"{seconds:.2f}"
    figures.rows[f"{what}: requests"] = str(figures.http.traffic.requests - before)


def large(figures: Figures, size: Size, folder: Path) -> None:
    """Memory for one large submission, after a small one has warmed everything up."""
    client, server = figures.client, figures.server
    file = random_file(folder / "large", size.large)
    act = client.submit_file("student000", "ps1", file)
    grown, seconds = growth(server, act)
    figures.rows[f"memory for a submission of {size.large / 1e6:.0f} MB, MB"] = f"{grown / 1e6:.0f}"
    figures.rows[f"seconds for a submission of {size.large / 1e6:.0f} MB"] = f"{seconds:.1f}"
    what = f"memory for a submission of {size.huge / 1e6:.0f} MB, up and down, MB"
    if isinstance(client, Native):
        file = random_file(folder / "huge", size.huge)
        up, _ = growth(server, client.submit_file("student000", "ps1", file))
        down, _ = growth(server, lambda: client.fetch_file("student000", file))
        figures.rows[what] = f"{up / 1e6:.0f} and {down / 1e6:.0f}"
    else:
        figures.rows[what] = refusal_of(client.submit_file("student000", "ps1", random_file(folder / "80", 80_000_000)))


def roster(figures: Figures, size: Size) -> None:
    """A roster file taken over, the same again, each line changed, and exported. 0.6 knows no such file, and its bulk
    request grows with the square of the course."""
    client, count = figures.client, size.roster
    if not isinstance(client, Native):
        return

    def imported(first_name: str, result: str) -> float:
        content, report = work.roster(count, first_name), {}
        seconds = timed(lambda: report.update(client.import_roster(content)))
        if report[result] != count:
            raise RuntimeError(f"not all lines were {result}: {report}")
        return seconds

    what = f"a roster of {count} lines"
    figures.rows[f"{what}: imported, s"] = f"{imported('First', 'created'):.2f}"
    figures.rows[f"{what}: imported again, s"] = f"{imported('First', 'unchanged'):.2f}"
    figures.rows[f"{what}: each line changed, s"] = f"{imported('Other', 'changed'):.2f}"
    figures.rows[f"{what}: exported, s"] = f"{timed(client.export_roster):.2f}"


def growth(server: Server, act: Submit) -> tuple[int, float]:
    """By how many bytes the server's memory grows at most while something is done, and how many seconds that takes."""
    before = measure.forget_peak(server.own())
    seconds = timed(act)
    return measure.peak(server.own()) - before, seconds


def refusal_of(act: Submit) -> str:
    try:
        act()
    except Refused:
        return "80 MB are refused"
    return "not measured"


def random_file(path: Path, size: int) -> Path:
    """A file of `size` bytes that no server has seen, written in pieces."""
    if not path.exists():
        with path.open("wb") as file:
            for start in range(0, size, 10**6):
                file.write(work.data(f"{path.name} {start}", min(10**6, size - start)))
    return path
