"""A server with scripted responses: those that a broken, mistaken or hostile one might send."""

import hashlib
import io
import json
import tarfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests import servers

COURSE = {"name": "NBG 101", "role": "instructor", "created": "2026-01-01T00:00:00.000000Z"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def file(path, content=b"x"):
    return {"path": path, "sha256": sha256(content), "size": len(content)}


def page(*rows, next=None):
    return {"next": next, "previous": None, "results": list(rows)}


def assignment(name="ps1", course="NBG 101", notebooks=("p1",)):
    found = [{"notebook_id": one, "path": f"{one}.ipynb"} for one in notebooks]
    return {"course": course, "name": name, "status": "released", "due": None, "release": None, "notebooks": found}


def submission(number=1, student="bob", files=(), feedback=None, **other):
    return {
        "id": number,
        "course": "NBG 101",
        "assignment": "ps1",
        "student": student,
        "timestamp": f"2026-01-01T00:00:00.{number:06}Z",
        "collected": None,
        "notebooks": [{"notebook_id": "p1", "path": "p1.ipynb"}],
        "files": list(files),
        "feedback": None if feedback is None else {"files": list(feedback)},
        **other,
    }


def bundle(*members):
    """A tar of (name, content) or of TarInfo."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


class Answer:
    """One answer: a status, headers, and bytes, with `pause` seconds between them. It is not sent `before` that."""

    def __init__(self, body=b"", status=200, headers=None, before=None, pause=0.0):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.headers, self.before, self.pause = status, headers or {}, before, pause


class Hostile:
    """`answers` maps the end of a path (without the question) to an Answer, or to what is to be its JSON or bytes."""

    def __init__(self):
        self.answers = {}
        self.received = []  # (method, path, headers)
        self.bodies = []
        self.peers = []  # the client's port for each of these
        self.url = ""
        self.open = 0  # connections
        self.closes_after = 0  # requests on a connection; the next one is not answered
        self.reads_after = 0.0  # seconds that it does nothing

    def answer(self, path):
        for end, answer in self.answers.items():
            if path.split("?")[0].endswith(end):
                found = answer(path) if callable(answer) else answer
                return found if isinstance(found, Answer) else Answer(found)
        return Answer({"code": "not_found", "message": "There is no such thing.", "details": {}}, 404)

    def is_left_alone(self):
        """Whether all connections are closed, by now or in a moment."""
        servers.wait_until(lambda: not self.open)
        return True


@contextmanager
def hostile(*, keep_alive=False):
    script = Hostile()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"
        count = 0  # of requests on this connection

        def setup(self):
            super().setup()
            script.open += 1

        def finish(self):
            script.open -= 1
            super().finish()

        def do_GET(self):
            self.count += 1
            if script.closes_after and self.count > script.closes_after:
                self.close_connection = True
                return
            time.sleep(script.reads_after)
            length = int(self.headers.get("Content-Length", 0))
            script.bodies.append(self.rfile.read(length))
            script.peers.append(self.client_address[1])
            script.received.append((self.command, self.path, dict(self.headers)))
            answer = script.answer(self.path)
            if answer.before:
                answer.before.wait()
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(len(answer.body)) if answer.pause else ():
                    self.wfile.write(answer.body[start : start + 1])
                    time.sleep(answer.pause)
                if not answer.pause:
                    self.wfile.write(answer.body)
            except OSError:
                pass  # the client has gone

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *arguments):
            """Nothing: a test looks at `received`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
