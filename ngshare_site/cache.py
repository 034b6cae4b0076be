"""The cache of what the Hub said. It only spares questions: one that fails is as good as an empty one."""

import itertools
import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)
T = TypeVar("T")

try:
    from redis.exceptions import RedisError

    CACHE_ERRORS: tuple[type[Exception], ...] = (OSError, RedisError)
except ImportError:  # files need no client of Redis
    CACHE_ERRORS = (OSError,)

PAUSE = 5  # seconds in which a cache that failed is not asked again: each question may wait for a whole timeout
WRITES_TO_CULL = 100  # files that a process writes between two looks at how many there are


class JSONSerializer:
    """What django.core.cache.backends.redis asks of a serializer. Whole numbers stay numbers of Redis, for `incr`."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, text: bytes) -> Any:
        return json.loads(text)


class Forgiving(BaseCache):
    """A cache that has nothing and keeps nothing while it cannot be reached, or written."""

    resume_at = 0.0  # in seconds of time.monotonic, for all threads of the process

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._attempt(lambda: super(Forgiving, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._attempt(lambda: super(Forgiving, self).set(key, value, timeout, version), None)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._attempt(lambda: super(Forgiving, self).add(key, value, timeout, version), True)

    def _attempt(self, act: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < Forgiving.resume_at:
            return otherwise
        try:
            return act()
        except CACHE_ERRORS as error:
            log.warning("the cache failed, and is left alone for %s seconds: %s", PAUSE, error)
            Forgiving.resume_at = time.monotonic() + PAUSE
            return otherwise


class ForgivingFileCache(Forgiving, FileBasedCache):
    """Files in a folder, which may be a few more than MAX_ENTRIES.

    Django would read the names of all of them for each new one, and there are two for each person of the last day.
    """

    _writes = itertools.count()  # of all threads of the process

    def _cull(self) -> None:
        if next(ForgivingFileCache._writes) % WRITES_TO_CULL == 0:
            super()._cull()  # type: ignore[misc]  # of Django, without a type


class ForgivingRedisCache(Forgiving, RedisCache):
    """Redis."""
