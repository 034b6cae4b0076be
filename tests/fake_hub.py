"""A JupyterHub that knows `GET /hub/api/`, `GET /hub/api/user` and `POST /hub/api/oauth2/token`, over real HTTP."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SERVER_SCOPES = ("users:activity!user={name}", "access:servers!server={name}/")
ACCESS = "access:services!service=ngshare"


class FakeHub:
    """What it knows may be changed at any time; `asked` counts the questions about tokens."""

    def __init__(self):
        self.models, self.codes = {}, {}
        self.asked = 0
        self.status = 200  # of every answer, to play a Hub in trouble
        self.pause = 0.0  # seconds before each answer
        self.version = "6.1.1"
        self.url = ""

    def user(self, token, name, *scopes, admin=False, groups=(), kind="user"):
        """Make a token known, as GET /user shows it."""
        self.models[token] = {
            "name": name, "kind": kind, "admin": admin, "groups": list(groups),
            "scopes": [scope.format(name=name) for scope in scopes], "session_id": None,
        }  # fmt: skip
        return token

    def answer(self, method, path, token, form):
        if self.status != 200:
            return self.status, {"message": "trouble"}
        if path == "/hub/api/":
            return 200, {"version": self.version}
        if path == "/hub/api/user":
            self.asked += 1
            model = self.models.get(token)
            return (200, model) if model else (403, {"status": 403, "message": "Forbidden"})
        if path == "/hub/api/oauth2/token" and method == "POST":
            code = form.get("code", [""])[0]
            is_ours = form.get("client_secret") == ["service-token"] and form.get("code_verifier")
            if code in self.codes and is_ours:
                return 200, {"access_token": self.codes.pop(code), "token_type": "Bearer"}
            return 400, {"error": "invalid_grant"}
        return 404, {"message": "not found"}


@contextmanager
def running():
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._answer({})

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(parse_qs(body.decode()))

        def _answer(self, form):
            time.sleep(hub.pause)
            token = self.headers.get("Authorization", "").partition(" ")[2]
            status, content = hub.answer(self.command, self.path, token, form)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}/hub/api"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
