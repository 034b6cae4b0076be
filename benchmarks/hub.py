"""A stand-in for JupyterHub: every token is the name of its user. `python -m benchmarks.hub PORT`

ngshare 0.6 asks the Hub at every request, and its stand-alone mode does not work in that version, so there must be one.
This one answers faster than a real Hub.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCOPES = ["access:services!service=ngshare"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").partition(" ")[2]
        user = {"name": token, "kind": "user", "admin": False, "groups": [], "scopes": SCOPES}
        body = json.dumps(user if self.path.endswith("/user") else {"version": "5.5.4"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request."""


class Hub(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    Hub(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
