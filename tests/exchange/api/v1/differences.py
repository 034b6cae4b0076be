"""Every place where our answer differs from that of ngshare 0.6, and why. docs/api-v1.md tells people the same.

(scenario, steps as a regular expression, status of the old service, our status, our message or None, reason)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Their order is whatever the database gives: someone who is turned from student to instructor keeps the place here.
UNORDERED = ("instructors", "students")
REFUSED = "what is no list of files is refused; an empty hand-in must not come about by mistake"
CRASH = "the old service fails with a 500"
RULE = "a path that means different files on different computers is refused"
GONE = "the release before was refused, so there is nothing to remove"


@dataclass(frozen=True)
class Difference:
    scenario: str
    steps: str
    theirs: int
    ours: int
    message: str | None
    reason: str

    def covers(self, scenario: str, step: str) -> bool:
        return self.scenario == scenario and re.fullmatch(self.steps, step) is not None


def without_order(reply: Mapping[str, object]) -> dict[str, object]:
    """The reply with its unordered lists sorted."""
    body = reply.get("body")
    if not isinstance(body, dict):
        return dict(reply)
    ordered = {name: sorted(body[name], key=lambda one: one["username"]) for name in UNORDERED if name in body}
    return {**reply, "body": {**body, **ordered}}


DOORS = "(release|submission|feedback): "
NO_LIST = "(numbers|an object|null|a number)"
EMPTY = "(an empty object|empty JSON text)"
STRICTER = "(a name too long|twice the same|a backslash|a control character|two slashes|a file and a folder)"
WORK = "(assignment|submissions|submission|feedback)/.*"
DIFFERENCES = [
    Difference("courses", "instructors are (a number|null)", 500, 400, "Incorrect request format", CRASH),
    Difference("courses", "instructors are numbers", 200, 400, "Incorrect request format", "a number is no name"),
    Difference("courses", "numbers are no names", 200, 404, "Course not found", "that course was refused"),
    Difference("bad_files", DOORS + NO_LIST, 500, 400, "Incorrect request format", CRASH),
    Difference("bad_files", DOORS + EMPTY, 200, 400, "Incorrect request format", REFUSED),
    Difference("bad_files", DOORS + "no path", 500, 400, "Illegal path", CRASH),
    Difference(
        "bad_files", DOORS + "(no content|content of null)", 500, 400, "Content cannot be base64 decoded", CRASH
    ),
    Difference("bad_files", DOORS + "(NUL in a path|a lone surrogate)", 500, 400, None, CRASH),
    Difference("bad_files", DOORS + "nested too deep", 500, 400, "Files cannot be JSON decoded", CRASH),
    Difference("bad_files", DOORS + STRICTER, 200, 400, None, RULE),
    Difference("bad_files", f"release: ({EMPTY}|{STRICTER}): not there", 200, 404, "Assignment not found", GONE),
    Difference(
        "submissions", "with UTC", 404, 200, None, "the same instant is found with UTC at its end, as for feedback"
    ),
    Difference(
        "submissions",
        "(not a time|without a fraction)",
        404,
        400,
        "Time format incorrect",
        "what is no time is no instant",
    ),
    Difference("addresses", f"(nobody|expired): (GET|POST|DELETE) {WORK}", 500, 400, None, CRASH),
]
