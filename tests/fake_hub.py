"""A JupyterHub that knows `GET /hub/api/`, `GET /hub/api/user`, `GET /hub/api/groups` and
`POST /hub/api/oauth2/token`, over real HTTP."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode

SERVER_SCOPES = ("users:activity!user={name}", "access:servers!server={name}/")
ACCESS = "access:services!service=ngshare"
READS_GROUPS = ("list:groups", "read:groups")
PAGINATION = "application/jupyterhub-pagination+json"


class FakeHub:
    """What it knows may be changed at any time; `asked` counts the questions about tokens, `connections` those made."""

    def __init__(self, *, token_is_name=False):
        self.url = ""
        self.token_is_name = token_is_name  # every token but "expired" is its owner's name, percent-encoded
        self.reset()

    def reset(self):
        """Forget everybody, and be in good health."""
        self.models, self.codes, self.groups = {}, {}, {}
        self.asked = self.connections = 0
        self.page = 200  # its greatest number of groups in one answer (JupyterHub.api_page_max_limit)
        self.status = 200  # of every answer, to play a Hub in trouble
        self.location = ""  # where it redirects `GET /hub/api/user`
        self.cookie = ""  # that it sets with every answer
        self.pause = 0.0  # seconds before each answer
        self.version = "6.1.1"
        self.health_checks = 0
        self.body = None  # a function of the pieces that are sent in place of every answer
        self.missing = 0  # bytes at the end of every answer that are announced and not sent

    def user(self, token, name, *scopes, admin=False, groups=(), kind="user"):
        """Make a token known, as GET /user shows it."""
        self.models[token] = {
            "name": name, "kind": kind, "admin": admin, "groups": list(groups),
            "scopes": [scope.format(name=name) for scope in scopes], "session_id": None, "token_id": f"a{token}",
        }  # fmt: skip
        return token

    def answer(self, method, path, token, form, headers):
        if self.status != 200:
            return self.status, {"message": "trouble"}
        path, _, query = path.partition("?")
        if path == "/hub/api/":
            self.health_checks += 1
            return 200, {"version": self.version}
        if path == "/hub/api/user":
            self.asked += 1
            if self.token_is_name and token not in self.models and token not in ("", "expired"):
                self.user(token, unquote(token), *SERVER_SCOPES)
            model = self.models.get(token)
            return (200, model) if model else (403, {"status": 403, "message": "Forbidden"})
        if method == "DELETE" and path.startswith("/hub/api/users/"):
            return self._delete_token(path, self.models.get(token, {}))
        if path == "/hub/api/groups":
            return self._groups(set(self.models.get(token, {}).get("scopes", ())), parse_qs(query), headers)
        if path == "/hub/api/oauth2/token" and method == "POST":
            code = form.get("code", [""])[0]
            is_ours = form.get("client_secret") == ["service-token"] and form.get("code_verifier")
            if code in self.codes and is_ours:
                return 200, {"access_token": self.codes.pop(code), "token_type": "Bearer"}
            return 400, {"error": "invalid_grant"}
        return 404, {"message": "not found"}

    def _delete_token(self, path, asking):
        """As jupyterhub/apihandlers/users.py (UserTokenAPIHandler.delete)."""
        name, _, token_id = path.removeprefix("/hub/api/users/").partition("/tokens/")
        if f"tokens!user={unquote(name)}" not in asking.get("scopes", ()):
            return 403, {"status": 403, "message": "Action is not authorized with current scopes"}
        found = [token for token, model in self.models.items() if model.get("token_id") == token_id]
        for token in found:
            del self.models[token]
        return (204, None) if found else (404, {"status": 404, "message": "No such token"})

    def _groups(self, scopes, asked, headers):
        """As jupyterhub/apihandlers/groups.py and base.py (get_api_pagination, paginated_model)."""
        if "list:groups" not in scopes:
            return 403, {"status": 403, "message": "Action is not authorized with current scopes"}
        is_paged = PAGINATION in headers.get("Accept", "")
        offset = int(asked.get("offset", ["0"])[0])
        limit = max(1, min(int(asked.get("limit", [50 if is_paged else self.page])[0]), self.page))
        models = [
            {"kind": "group", "name": name, **({"users": users, "properties": {}} if "read:groups" in scopes else {})}
            for name, users in list(self.groups.items())[offset : offset + limit]
        ]
        if not is_paged:
            return 200, models
        there = {"offset": offset, "limit": limit, "total": len(self.groups), "next": None}
        if offset + limit < len(self.groups):
            following = {"offset": offset + limit, "limit": limit}
            there["next"] = {**following, "url": f"{self.url}/groups?{urlencode(following)}"}
        return 200, {"items": models, "_pagination": there}


@contextmanager
def running(address="127.0.0.1", port=0, *, tls=None, **options):
    """`tls`: the context of an HTTPS server, for a Hub with certificates."""
    hub = FakeHub(**options)
    open_connections = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            hub.connections += 1
            open_connections.add(self.connection)

        def finish(self):
            open_connections.discard(self.connection)
            super().finish()

        def do_GET(self):
            self._answer({})

        def do_DELETE(self):
            self._answer({})

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(parse_qs(body.decode()))

        def _answer(self, form):
            time.sleep(hub.pause)
            token = self.headers.get("Authorization", "").partition(" ")[2]
            is_redirected = bool(hub.location) and self.path == "/hub/api/user"
            status, content = (
                (302, {}) if is_redirected else hub.answer(self.command, self.path, token, form, self.headers)
            )
            if hub.body:
                return self._send_pieces(hub.body())
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            if is_redirected:
                self.send_header("Location", hub.location)
            if hub.cookie:
                self.send_header("Set-Cookie", hub.cookie)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) + hub.missing))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = bool(hub.missing)

        def _send_pieces(self, pieces):
            """A body that has no length and goes on until whoever reads it hangs up."""
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            with suppress(ConnectionError):
                for piece in pieces:
                    self.wfile.write(piece)
            self.close_connection = True

        def log_message(self, *args):
            """Says nothing."""

    server = ThreadingHTTPServer((address, port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hub.url = f"{'https' if tls else 'http'}://{address}:{server.server_address[1]}/hub/api"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in list(open_connections):  # kept ones, on which it would go on answering
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
