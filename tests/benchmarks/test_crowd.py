"""The lean client, against a real server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from benchmarks.api_v1 import _form
from benchmarks.crowd import Outcome, Visit, make_visit, send_crowd
from benchmarks.http import raw_request

ANSWER = b'{"success": true}'


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.clients.append(self.client_address)
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(ANSWER), ANSWER))
            return
        self.send_header("Content-Length", "1000" if self.path == "/broken" else str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)
        self.close_connection = self.path == "/broken"

    def log_message(self, *args):
        """Print nothing."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as found:
        found.clients = []
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def visit(server, *paths, **more):
    requests = [raw_request("POST", path, {}, b"x" * 100_000) for path in paths]
    return Visit(f"127.0.0.1:{server.server_port}", requests, **more)


@pytest.mark.parametrize(("keep", "connections"), [(True, 1), (False, 2)])
def test_requests_share_a_connection_if_the_plugin_keeps_it(server, keep, connections):
    sent, received = make_visit(visit(server, "/a", "/chunked", keep=keep, proof=b'"success": true'), 60)
    assert len(set(server.clients)) == connections
    assert sent > 200_000
    assert received > 2 * len(ANSWER)


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_answer_that_is_no_success_is_an_error(server, path):
    outcome = send_crowd([visit(server, path), visit(server, "/a")], 2)
    assert (len(outcome.times), len(outcome.errors)) == (1, 1)


def test_success_must_be_in_the_answer(server):
    outcome = send_crowd([visit(server, "/a", proof=b'"stored": true')], 1)
    assert outcome.times == []
    assert "without success" in outcome.errors[0]


def test_percentiles_are_of_the_visits_that_succeeded():
    outcome = Outcome(seconds=2.0, times=[0.1 * number for number in range(1, 101)], errors=["refused"])
    assert outcome.per_second == 50
    assert outcome.percentile(0.5) == pytest.approx(5.1)
    assert outcome.percentile(0.99) == pytest.approx(10.0)


def test_form_of_api_v1_is_what_a_browser_would_send():
    _, body = _form("bob & co", files='[{"path": "a+b/c=d%20.txt"}]')
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "user": ["bob & co"],
        "files": ['[{"path": "a+b/c=d%20.txt"}]'],
    }
