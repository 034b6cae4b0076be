"""The runs. Each measures one server and returns figures by name; times are in seconds, sizes in bytes."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks import measure, work
from benchmarks.client import Client
from benchmarks.crowd import ENOUGH, Outcome, Visit, send_crowd
from benchmarks.http import Http
from benchmarks.native import Native
from benchmarks.server import Server
from benchmarks.slow_clients import Target, held
from benchmarks.work import FileSet, Size

FIRST, SECOND = "ps1", "ps2"  # assignments: whose data file stays unchanged, and whose files are all new
AT_ONCE = 16  # clients, where there is no rush
PATIENCE_WITH_SLOW = 30  # seconds

Figures = dict[str, float | str]


@dataclass
class Run:
    """A server and what has been done with it."""

    server: Server
    http: Http
    client: Client
    submitted: dict[str, FileSet] = field(default_factory=dict)  # of FIRST, the latest of each student

    def spread(self, visits: list[Visit]) -> list[Visit]:
        """Return the visits shared out among the instances."""
        netlocs = [Http(url).netloc for url in self.server.urls]
        return [replace(visit, netloc=netlocs[number % len(netlocs)]) for number, visit in enumerate(visits)]


def begin(server: Server) -> Run:
    http = Http(server.urls[0])
    return Run(server, http, server.client(http))


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def start_term(run: Run, size: Size) -> Figures:
    """Add the course, its students and two assignments."""
    if not run.server.keeps_submissions:
        return {}
    run.client.start_course()
    names = work.students(size.students)
    seconds = timed(lambda: run.client.add_students(names))
    run.client.add_students(work.WARM)
    run.client.release(FIRST, work.released())
    run.client.release(SECOND, work.released())
    return {"seconds": seconds, "count": len(names)}


def warm_up(run: Run, size: Size) -> Figures:
    """Let other students submit and list, so that nothing is measured that happens once."""
    for all_new, assignment in ((False, FIRST), (True, SECOND)):
        visits = submissions(run, work.WARM, assignment, all_new=all_new, attempt="warm")
        if run.server.keeps_submissions:
            visits += [run.client.list_of(name) for name in work.WARM]
        outcome = send_crowd(run.spread(visits), 4)
        if outcome.errors:
            raise RuntimeError(outcome.errors[0])
    return {}


def submissions(run: Run, names: list[str], assignment: str, *, all_new: bool, attempt: str) -> list[Visit]:
    visits, released = [], work.released()
    for name in names:
        files = work.work_of(name, all_new=all_new, attempt=attempt)
        unchanged = {path: content for path, content in files.items() if released.get(path) == content}
        visits.append(run.client.submission(name, assignment, files, unchanged))
        if assignment == FIRST and name not in work.WARM:
            run.submitted[name] = files
    return run.spread(visits)


def rush(run: Run, size: Size, *, at_once: int, all_new: bool, attempt: str, slow: int = 0) -> Figures:
    """Let everybody submit, `at_once` at a time, while `slow` other clients drip their uploads."""
    server, names = run.server, work.students(size.students)
    assignment = SECOND if all_new else FIRST
    visits = submissions(run, names, assignment, all_new=all_new, attempt=attempt)
    stored = server.stored()
    before = measure.forget_peak(server.own())
    netloc = visits[0].netloc
    with ExitStack() as stack:
        if slow:
            stack.enter_context(held(slow_target(run, names[0], assignment), slow))
        latencies = stack.enter_context(measure.health_checks(netloc, server.health))
        processes, own = measure.cpu_seconds(server.processes()), measure.cpu_seconds(server.own())
        outcome = send_crowd(visits, at_once, patience=PATIENCE_WITH_SLOW if slow else ENOUGH)
        own = measure.cpu_seconds(server.own()) - own
        processes = measure.cpu_seconds(server.processes()) - processes
    return of_outcome(outcome) | {
        "server_cpu": processes / len(visits),
        "own_cpu": own / len(visits),
        "health_p99": latencies.p99,
        "stored": server.stored() - stored,
        "memory": measure.peak(server.own()) - before,
    }


def slow_target(run: Run, student: str, assignment: str) -> Target:
    """Return what slow clients need for uploads that this server would take."""
    request = run.client.submission(student, assignment, {"a": b"a"}, {}).requests[0]
    first, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    kept = {name: fields[name] for name in ("Authorization", "Cookie") if name in fields}
    headers = "".join(f"{name}: {text}\r\n" for name, text in kept.items())
    return Target(run.server.urls[0], headers, upload=first.split()[1], content_type=fields["Content-Type"])


def of_outcome(outcome: Outcome) -> Figures:
    count = max(len(outcome.times), 1)
    return {
        "count": len(outcome.times),
        "errors": len(outcome.errors),
        "seconds": outcome.seconds,
        "per_second": outcome.per_second,
        "median": outcome.percentile(0.5),
        "p95": outcome.percentile(0.95),
        "p99": outcome.percentile(0.99),
        "client_cpu": outcome.cpu / count,
        "sent": outcome.sent,
        "received": outcome.received,
        **({"first_error": outcome.errors[0]} if outcome.errors else {}),
    }


def lists(run: Run, size: Size) -> Figures:
    names = work.students(size.students)
    visits = [run.client.list_of(names[number % len(names)]) for number in range(min(size.lists, len(names)))]
    visits = run.spread((visits * (size.lists // len(visits) + 1))[: size.lists])
    before = measure.cpu_seconds(run.server.processes())
    outcome = send_crowd(visits, AT_ONCE)
    used = measure.cpu_seconds(run.server.processes()) - before
    return of_outcome(outcome) | {"server_cpu": used / len(visits), "requests": len(visits[0].requests)}


def instructors_list(run: Run, size: Size) -> Figures:
    before = run.http.traffic.requests
    found: list[int] = []
    seconds = timed(lambda: found.append(run.client.list_submissions(FIRST)))
    return {"seconds": seconds, "requests": run.http.traffic.requests - before, "count": found[0]}


def collect(run: Run, size: Size) -> Figures:
    """Fetch everybody's latest submission, and see that it is what was submitted."""
    before, requests = run.http.traffic.received, run.http.traffic.requests
    used = measure.cpu_seconds(run.server.processes())
    found: dict[str, FileSet] = {}
    seconds = timed(lambda: found.update(run.client.collect(FIRST)))
    used = measure.cpu_seconds(run.server.processes()) - used
    lost = [name for name, files in run.submitted.items() if found.get(name) != files]
    if lost:
        raise RuntimeError(f"{len(lost)} submissions are not what was submitted, such as that of {lost[0]}")
    return {
        "seconds": seconds,
        "count": len(run.submitted),
        "server_cpu": used,
        "received": run.http.traffic.received - before,
        "requests": run.http.traffic.requests - requests,
    }


def give_feedback(run: Run, size: Size) -> Figures:
    before, found = run.http.traffic.requests, []
    seconds = timed(lambda: found.append(run.client.give_feedback(FIRST, work.feedback_page())))
    return {"seconds": seconds, "count": found[0], "requests": run.http.traffic.requests - before}


def large(run: Run, size: Size, folder: Path) -> Figures:
    """Measure memory for one large submission."""
    file = random_file(folder / "large", size.large)
    grown, seconds = growth(run.server, run.client.submit_file("student000", FIRST, file))
    return {"memory": grown, "seconds": seconds, "size": size.large}


def huge(run: Run, size: Size, folder: Path) -> Figures:
    """Measure memory for one submission of 1 GB; the others refuse as much."""
    if not isinstance(run.client, Native) or not run.server.keeps_submissions:
        return {}
    file = random_file(folder / "huge", size.huge)
    up, seconds = growth(run.server, run.client.submit_file("student000", FIRST, file))
    down, seconds_down = growth(run.server, partial(run.client.fetch_file, "student000", file))
    return {"memory": up, "memory_down": down, "seconds": seconds, "seconds_down": seconds_down, "size": size.huge}


def roster(run: Run, size: Size) -> Figures:
    """Import a roster file, the same again, each line changed, and export it. The others know no such file."""
    client, count = run.client, size.roster
    if not isinstance(client, Native) or not run.server.keeps_submissions:
        return {}

    def imported(first_name: str, result: str) -> float:
        content, report = work.roster(count, first_name), {}
        seconds = timed(lambda: report.update(client.import_roster(content)))
        if report[result] != count:
            raise RuntimeError(f"not all lines were {result}: {report}")
        return seconds

    return {
        "count": count,
        "created": imported("First", "created"),
        "unchanged": imported("First", "unchanged"),
        "changed": imported("Other", "changed"),
        "exported": timed(client.export_roster),
    }


def growth(server: Server, act: Callable[[], object]) -> tuple[int, float]:
    """By how many bytes the server's memory grows at most while something is done, and how many seconds that takes."""
    before = measure.forget_peak(server.own())
    seconds = timed(act)
    return measure.peak(server.own()) - before, seconds


def random_file(path: Path, size: int) -> Path:
    """A file of `size` bytes that no server has seen, written in pieces."""
    if not path.exists():
        with path.open("wb") as file:
            for start in range(0, size, 10**6):
                file.write(work.data(f"{path.name} {start}", min(10**6, size - start)))
    return path


def rush_name(at_once: int, *, all_new: bool) -> str:
    return f"rush of {at_once}, {'all new' if all_new else 'data unchanged'}"


Step = tuple[str, Callable[[Run, Size], Figures]]


def steps(size: Size, folder: Path) -> list[Step]:
    """The runs in their order, as a term goes: lists get slower on some servers with what has been submitted."""
    first = [
        (
            rush_name(size.rushes[0], all_new=all_new),
            partial(rush, at_once=size.rushes[0], all_new=all_new, attempt="1"),
        )
        for all_new in (False, True)
    ]
    more: list[Step] = []
    for number, at_once in enumerate(size.rushes[:1] * (size.rounds - 1) + size.rushes[1:], 2):
        for all_new in (False, True):
            step = partial(rush, at_once=at_once, all_new=all_new, attempt=str(number))
            more.append((rush_name(at_once, all_new=all_new), step))
    return [
        ("adding students", start_term),
        ("warming up", warm_up),
        ("lists before", lists),
        *first,
        ("lists after the rush", lists),
        ("collect", collect),
        ("instructor’s list", instructors_list),
        ("feedback", give_feedback),
        ("lists after feedback", lists),
        *more,
        ("rush with slow clients", partial(rush, at_once=AT_ONCE, all_new=False, attempt="slow", slow=size.slow)),
        ("large submission", partial(large, folder=folder)),
        ("huge submission", partial(huge, folder=folder)),
        ("roster", roster),
    ]
