"""Failures of what the service relies on, counted for the metrics of ngshare_site."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter

REGISTRY = (
    CollectorRegistry()
)  # all metrics of this process; prometheus-client's own would add those of the interpreter


class Part(StrEnum):
    HUB = "hub"
    STORE = "store"
    DATABASE = "database"


FAILURES = Counter(
    "ngshare_failures",
    "Requests to the Hub, the store or the database that failed, other than by being refused",
    ["part"],
    registry=REGISTRY,
)
for part in Part:
    FAILURES.labels(part)  # there from the start: the increase from nothing to one is not seen


def count_failure(part: Part) -> None:
    FAILURES.labels(part).inc()
