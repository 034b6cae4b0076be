"""How values are written in Redis: as JSON. Django's default there, pickle, runs what it reads."""

import json
from typing import Any


class JSONSerializer:
    """What django.core.cache.backends.redis asks of a serializer. Whole numbers stay numbers of Redis, for `incr`."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, text: bytes) -> Any:
        return json.loads(text)
