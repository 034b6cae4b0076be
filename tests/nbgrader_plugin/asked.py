"""What people ask a service, as it logs it."""

import re
import time

QUIET = 1.0  # seconds
LINE = re.compile(r"(\S+) (GET|POST|PUT|PATCH|DELETE) /api/v2/(.*?) \(v2:")


def _length_when_quiet(log):
    """A line is written after its response: wait for those that are still to come."""
    length, since = log.stat().st_size, time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(0.1)
        if (now := log.stat().st_size) != length:
            length, since = now, time.monotonic()
    return length


def asked_meanwhile(service, username, act, course=""):
    """What this person asks while `act` runs: `METHOD address`, without what all addresses of a course begin with."""
    before = _length_when_quiet(service.log)
    act()
    after = _length_when_quiet(service.log)
    lines = service.log.read_bytes()[before:after].decode().splitlines()
    found = [match for line in lines if (match := LINE.search(line)) and match[1] == username]
    return [f"{match[2]} {match[3].removeprefix(f'courses/{course}/')}" for match in found]
