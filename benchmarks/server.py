"""What is known of a server that is measured."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.client import Client
from benchmarks.http import Http, Refused


@dataclass(frozen=True)
class Server:
    name: str
    urls: tuple[str, ...]  # of its instances; clients take them in turn
    client: Callable[[Http], Client]
    processes: Callable[[], list[int]]  # all that work for it, its database's too
    own: Callable[[], list[int]]  # without the database's
    stored: Callable[[], int]  # bytes of files that it keeps
    health: str = "/healthz"
    keeps_submissions: bool = True  # the machine's limit does not


def answers(ask: Http, path: str) -> bool:
    try:
        ask("GET", path)
    except Refused:
        return False
    return True
