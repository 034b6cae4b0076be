"""Autograde on submit: wait for ngshare's webhook `submitted`, and run nbgrader for the assignment.

Needs nothing but Python and, in the course's folder where it is started, nbgrader with the plugin configured.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMANDS = ("nbgrader collect --assignment={assignment} --update", "nbgrader autograde --assignment={assignment}")
MAX_BODY = 1_000_000  # bytes
MAX_AGE = 300  # seconds that a request may be old: nobody can repeat one later


class Pending:
    """The assignments that are to be graded, each once, however many submissions arrive meanwhile."""

    def __init__(self):
        self.assignments = []
        self.changed = threading.Condition()

    def add(self, assignment):
        with self.changed:
            if assignment not in self.assignments:
                self.assignments.append(assignment)
                self.changed.notify()

    def take(self):
        with self.changed:
            self.changed.wait_for(lambda: self.assignments)
            return self.assignments.pop(0)


def verify(secret, headers, body):
    """Return whether ngshare sent this just now (standardwebhooks.com)."""
    name, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > MAX_AGE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(signature).decode()
    return any(hmac.compare_digest(expected, each) for each in headers.get("webhook-signature", "").split())


def make_handler(secret, course, pending):
    class Handler(BaseHTTPRequestHandler):
        timeout = 30  # seconds

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MAX_BODY:
                return self.answer(413)
            body = self.rfile.read(int(length))
            if not verify(secret, self.headers, body):
                return self.answer(401)
            event = json.loads(body)
            data = event["data"]
            is_for_us = event["type"] == "submitted" and course in ("", data["course"])
            if is_for_us and not data["receipt"]["trial"]:
                pending.add(data["assignment"])
            self.answer(204)  # at once: the work is done later, and a repeat of the event does no harm

        def answer(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


def grade(assignment, commands):
    for command in commands:
        done = subprocess.run([part.format(assignment=assignment) for part in shlex.split(command)], check=False)
        if done.returncode:
            print(f"{command} failed for {assignment}: {done.returncode}", file=sys.stderr, flush=True)
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1:9000", help="address:port (default: %(default)s)")
    parser.add_argument("--course", default="", help="the only course whose events count (default: any)")
    parser.add_argument("--command", action="append", help=f"what to run (default: {'; '.join(COMMANDS)})")
    options = parser.parse_args()
    secret = Path(os.environ["WEBHOOK_SECRET_FILE"]).read_text().strip()
    pending = Pending()
    host, _, port = options.bind.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), make_handler(secret, options.course, pending))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        grade(pending.take(), options.command or COMMANDS)


if __name__ == "__main__":
    main()
