"""`{prefix}metrics` in Prometheus' format: what this server's processes count, and what database and disks hold."""

import ipaddress
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from courses.failures import REGISTRY, Part, count_failure
from exchange import usage
from exchange.maintenance import last_runs
from ngshare_site import __version__

COUNTS_SECONDS = 30  # how long what the database says is kept, for all processes
# Whether the processes of this server share a folder (metrics_folder.py), as prometheus-client decided when it loaded.
IS_SHARED = values.ValueClass is not values.MutexValue
TASKS = ("sweep_blobs", "verify_blobs", "backup")  # there from the start, with the time 0
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")

REQUESTS = Counter("ngshare_requests", "Requests answered", ["route", "method", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "ngshare_request_seconds",
    "Time from a request's start to the end of its response",
    ["route", "method"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
RECEIVED = Counter("ngshare_received_bytes", "Bytes of request bodies that were read", registry=REGISTRY)
SENT = Counter("ngshare_sent_bytes", "Bytes of response bodies", registry=REGISTRY)
IN_PROGRESS = Gauge(
    "ngshare_requests_in_progress",
    "Requests that are worked on, without those that wait for a client or the Hub; the next ones wait for a place",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
THREADS = Gauge(
    "ngshare_threads",
    "Places of all processes: requests that can be worked on at once",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)

GAUGES = {  # fields of exchange.usage.Usage
    "courses": ("ngshare_courses", "Courses that are not in the trash"),
    "people": ("ngshare_people", "People"),
    "assignments": ("ngshare_assignments", "Assignments"),
    "releases": ("ngshare_releases", "Releases"),
    "submissions": ("ngshare_submissions", "Submissions"),
    "feedback": ("ngshare_feedback", "Feedback returned"),
    "blobs": ("ngshare_blobs", "Blobs in the store"),
    "blob_bytes": ("ngshare_blob_bytes", "Bytes of the blobs in the store"),
    "blobs_missing": ("ngshare_blobs_missing", "Blobs of files that the store has lost or damaged, as far as noticed"),
    "database_bytes": ("ngshare_database_bytes", "Bytes of the database"),
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer whoever has NGSHARE_METRICS_TOKEN or, where there is no such token, programs on this machine."""
    if settings.NGSHARE_METRICS_TOKEN:
        sent = request.headers.get("Authorization", "").encode(errors="replace")
        if not secrets.compare_digest(sent, f"Bearer {settings.NGSHARE_METRICS_TOKEN}".encode()):
            refusal = _refuse(401, "Send the token of NGSHARE_METRICS_TOKEN as a bearer token.")
            refusal["WWW-Authenticate"] = "Bearer"
            return refusal
    elif not is_from_this_machine(request):
        return _refuse(403, "Metrics are for programs on the service's machine, unless NGSHARE_METRICS_TOKEN is set.")
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def is_from_this_machine(request: HttpRequest) -> bool:
    """Return whether a program here has sent the request to the service itself.

    What comes through the Hub's proxy on the same machine has its connection from here, too: it says whom it forwards
    for, or has the host name that the browser asked for. That also keeps out pages that rebind a name of theirs (DNS).
    """
    if any(header in request.headers for header in PROXY_HEADERS):
        return False
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and _names_this_machine(request.headers.get("Host", ""))


def forget_process(pid: int) -> None:
    """Take a process that has ended out of the gauges. What it counted stays counted."""
    if IS_SHARED:
        multiprocess.mark_process_dead(pid)


class StateCollector(Collector):
    """What database and disks hold when the metrics are read."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("ngshare", "The version of the service", {"version": __version__})
        yield from _disk_metrics()
        try:
            state = cache.get_or_set("metrics-state", _read_state, COUNTS_SECONDS)
        except DatabaseError:
            count_failure(Part.DATABASE)
            state = None
        yield GaugeMetricFamily("ngshare_database_up", "Whether the database answers", 0 if state is None else 1)
        if state is not None:
            for field, (name, description) in GAUGES.items():
                yield GaugeMetricFamily(name, description, state["usage"][field])
            yield from _maintenance_metrics(state["runs"])
            yield from _notice_metrics(state["notices"])


def _read_state() -> dict[str, Any]:
    """Return what the database holds, in values for JSON."""
    last, successes = last_runs(), last_runs(succeeded=True)
    runs = {
        task: {
            "ended": _seconds(last[task].ended) if task in last else 0,
            "success_ended": _seconds(successes[task].ended) if task in successes else 0,
            "succeeded": int(last[task].succeeded) if task in last else 0,
            "numbers": _numbers(last[task].summary) if task in last else {},
        }
        for task in sorted({*TASKS, *last})
    }
    return {"usage": usage.measure()._asdict(), "runs": runs, "notices": usage.notices()}


def _maintenance_metrics(runs: dict[str, Any]) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "ngshare_maintenance_last_run_timestamp_seconds", "When a task last ended; 0 for never", labels=["task"]
    )
    success = GaugeMetricFamily(
        "ngshare_maintenance_last_success_timestamp_seconds", "When it last succeeded; 0 for never", labels=["task"]
    )
    succeeded = GaugeMetricFamily(
        "ngshare_maintenance_last_run_succeeded", "Whether the last run succeeded", labels=["task"]
    )
    result = GaugeMetricFamily(
        "ngshare_maintenance_last_run_result", "The numbers in the last run's summary", labels=["task", "result"]
    )
    for task, run in runs.items():
        ended.add_metric([task], run["ended"])
        success.add_metric([task], run["success_ended"])
        succeeded.add_metric([task], run["succeeded"])
        for name, value in run["numbers"].items():
            result.add_metric([task, name], value)
    yield from (ended, success, succeeded, result)


def _notice_metrics(notices: dict[str, float]) -> Iterator[Metric]:
    count = GaugeMetricFamily("ngshare_notices", "Notices to webhooks and by mail, by state", labels=["state"])
    for state, number in notices.items():
        if state != "overdue":
            count.add_metric([state], number)
    overdue = "How long the oldest notice has been due without being sent or tried"
    yield from (count, GaugeMetricFamily("ngshare_notices_overdue_seconds", overdue, notices["overdue"]))


def _disk_metrics() -> Iterator[Metric]:
    size = GaugeMetricFamily("ngshare_disk_bytes", "Size of the file system", labels=["place"])
    free = GaugeMetricFamily("ngshare_disk_free_bytes", "Free space on the file system", labels=["place"])
    for place, disk in usage.disks().items():
        size.add_metric([place], disk.size)
        free.add_metric([place], disk.free)
    yield from (size, free)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    if IS_SHARED:
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    registry.register(StateCollector())
    return registry


def _refuse(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")


def _numbers(summary: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in summary.items() if type(value) in (int, float)}


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
