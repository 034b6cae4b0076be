"""The id of the request that this thread answers: in its response's header, in errors, in the log and the audit log."""

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Empty outside of requests, as in commands.
current: ContextVar[str] = ContextVar("request_id", default="")


def choose(sent: str | None) -> str:
    """Return the id that a client or proxy has sent, if it is short and harmless, else a new one.

    >>> choose("7f3a-1"), len(choose("7f3a; rm -rf /"))
    ('7f3a-1', 12)
    """
    return sent if sent and SANE.fullmatch(sent) else secrets.token_hex(6)
