"""Tokens that nobody has seen before: how many of them the Hub is asked about at once.

A question takes the Hub's time, and anybody may send tokens that they made up. So:

* Who is known is asked about at any time: tokens that were good within the last day.
* Of all other tokens, a process asks about a few at once; the rest wait for their turn.
* Tokens of a sender of too many bad ones within a minute do not wait: they are refused unless a turn of their own is
  free. People may share an address, such as all servers of one machine: who has a real token tries again.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore

from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request

from courses.places import waiting

KNOWN_SECONDS = 24 * 3600  # how long a good token is known
BAD_TOKENS = 30  # a minute, of one sender
BAD_TOKENS_OF_PEER = 300  # a minute, of all senders behind one proxy
PATIENCE = 5  # seconds that a question waits for its turn

# Of each process.
_turns = BoundedSemaphore(4)
_turns_of_suspects = BoundedSemaphore(2)


class TooMany(Exception):
    """The Hub is not asked about this token now, but may be in a moment."""


@dataclass(frozen=True)
class Sender:
    """Who sent a request: the end of the connection, and whom that proxy names, which is anybody if it is no proxy."""

    peer: str
    address: str

    @classmethod
    def of(cls, request: HttpRequest | Request) -> "Sender":
        peer = request.META.get("REMOTE_ADDR", "")
        # The Hub's proxy adds its own peer at the end. What stands before that anybody may have written.
        return cls(peer, request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()[:64] or peer)


@contextmanager
def admitted(key: str, sender: Sender) -> Iterator[None]:
    """Hold a turn to ask the Hub about the token with this hash. Errors: TooMany."""
    if is_known(key):
        yield
        return
    turns, patience = (_turns_of_suspects, 0) if is_suspect(sender) else (_turns, PATIENCE)
    with waiting():
        is_ours = turns.acquire(timeout=patience)
    if not is_ours:
        raise TooMany
    try:
        yield
    finally:
        turns.release()


def is_known(key: str) -> bool:
    """Return whether the token with this hash was good within the last day."""
    return bool(cache.get(f"hub-known-{key}"))


def remember(key: str) -> None:
    """Note that the token with this hash is good."""
    cache.add(f"hub-known-{key}", True, KNOWN_SECONDS)


def is_suspect(sender: Sender) -> bool:
    """Return whether too many bad tokens came from there in this minute or the one before."""
    minute = _minute()
    return any(cache.get(f"{name}-{at}", 0) >= most for name, most in _counters(sender) for at in (minute, minute - 1))


def count_bad_token(sender: Sender) -> bool:
    """Count a bad token. Return whether it may be kept in the cache: not those of a flood, which would fill it."""
    for name, _ in _counters(sender):
        key = f"{name}-{_minute()}"
        cache.set(key, cache.get(key, 0) + 1, 120)  # seconds; approximate where processes count at once
    return not is_suspect(sender)


def _minute() -> int:
    return int(time.time() // 60)


def _counters(sender: Sender) -> list[tuple[str, int]]:
    """Return the counters of bad tokens, and how far each may count in a minute.

    That of the peer bounds those who speak to the service directly and make up X-Forwarded-For.
    """
    return [
        (f"bad-tokens-of-{_hash(sender.address)}", BAD_TOKENS),
        (f"bad-tokens-behind-{_hash(sender.peer)}", BAD_TOKENS_OF_PEER),
    ]


def _hash(address: str) -> str:
    """Return a name that may stand in a key of the cache, whatever somebody wrote as an address."""
    return hashlib.sha256(address.encode(errors="replace")).hexdigest()
