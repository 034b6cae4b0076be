"""The server's own sender, real mail, a sender that is killed, and the example worker of the documentation."""

import email
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest
import requests
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook as Verifier

from tests import cast, servers
from tests.receivers import receiver as start_receiver

pytestmark = pytest.mark.live

MAKE = """
from courses.permissions import SERVER
from exchange.notices import webhooks
print("SECRET", webhooks.create_webhook("worker", {url!r}, ["submitted"], by=SERVER)[1])
"""


def manage(data, *arguments, **variables):
    env = servers.environment_of(data, variables)
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, env=env, cwd=servers.ROOT, capture_output=True, text=True, timeout=120, check=True)


def add_webhook(data, url):
    """Return the secret."""
    output = manage(data, "shell", "-c", MAKE.format(url=url)).stdout
    return output.rpartition("SECRET ")[2].strip()


def ask(service, who, method, address, **request):
    headers = {"Authorization": f"token {who}", **request.pop("headers", {})}
    if "data" in request:
        headers["Content-Type"] = "application/x-tar"
    answer = requests.request(method, service.url + address, headers=headers, timeout=60, **request)
    assert answer.ok, answer.text
    return answer.json()


def start_course(service):
    """alice teaches bob, who has an address, and has released ps1."""
    ask(service, "root", "POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
    bob = {"username": "bob", "role": "student", "email": "bob@example.edu"}
    ask(service, "alice", "POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json={"members": [bob]})
    ask(service, "alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))


def submit(service, text=b"42"):
    return ask(service, "bob", "POST", cast.of_assignment("submissions"), data=cast.bundle({"ps1.ipynb": text}))


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


class Mailbox:
    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content)))
        return "250 OK"


@contextmanager
def mail_server():
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=servers.free_port())
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def mail_variables(address):
    return {
        "NGSHARE_MAIL": "submitted",
        "NGSHARE_MAIL_SERVER": address,
        "NGSHARE_MAIL_FROM": "ngshare <no-reply@example.edu>",
        "NGSHARE_PUBLIC_URL": "https://hub.example.edu/",
    }


def test_server_sends_webhooks_and_mail_by_itself_soon_after_a_submission(tmp_path):
    with mail_server() as (mailbox, address), start_receiver() as receiver:
        with servers.service(tmp_path / "data", **mail_variables(address)) as service:
            start_course(service)
            secret = add_webhook(service.data, receiver.url)
            receipt = submit(service)
            wait_for(lambda: receiver.received and mailbox.messages)
    event = Verifier(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    assert event["data"]["receipt"]["id"] == receipt["id"]
    assert len(receiver.received) == 1 and len(mailbox.messages) == 1
    ((recipient,), message) = mailbox.messages[0]
    assert recipient == "bob@example.edu" and message["Subject"] == "[NBG 101] ps1 was submitted"
    assert receipt["code"] in message.get_payload()


def test_mail_settings_can_be_tried(tmp_path):
    with mail_server() as (mailbox, address):
        done = manage(tmp_path, "send_notices", "--test-mail", "root@example.edu", **mail_variables(address))
        assert "Sent to root@example.edu." in done.stdout and len(mailbox.messages) == 1


def test_sender_that_is_killed_while_it_sends_loses_none(tmp_path):
    data = tmp_path / "data"
    with start_receiver() as receiver, servers.service(data, NGSHARE_SEND_NOTICES="0") as service:
        start_course(service)
        add_webhook(data, receiver.url)
        for number in range(3):
            submit(service, b"%d" % number)
        receiver.held.clear()
        env = servers.environment_of(data, {})
        command = [sys.executable, "manage.py", "send_notices"]
        with servers.running(command, env=env, log=tmp_path / "sender.log") as sender:
            wait_for(lambda: receiver.received)
            sender.kill()
            sender.wait()
        receiver.held.set()
        with closing(sqlite3.connect(data / "ngshare.sqlite3")) as database:
            states = database.execute("SELECT state, attempts FROM notices_delivery ORDER BY id").fetchall()
            assert states == [("waiting", 1), ("waiting", 0), ("waiting", 0)]
            database.execute("UPDATE notices_delivery SET next_attempt = '2026-01-01 00:00:00'")  # time passes
            database.commit()
        manage(data, "send_notices", "--once")
        assert len({*receiver.names()}) == 3 and len(receiver.received) == 4
        assert receiver.received[0].body in [each.body for each in receiver.received[1:]]


def test_example_worker_grades_what_was_submitted(tmp_path):
    data, graded = tmp_path / "data", tmp_path / "graded.txt"
    worker = servers.ROOT / "docs" / "examples" / "autograde_worker.py"
    port = servers.free_port()
    with servers.service(data) as service:
        start_course(service)
        (tmp_path / "secret").write_text(add_webhook(data, f"http://127.0.0.1:{port}/"))
        code = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"
        command = [sys.executable, str(worker), "--bind", f"127.0.0.1:{port}", "--course", cast.COURSE]
        command += ["--command", f'{sys.executable} -c "{code}" {graded} {{assignment}}']
        env = {**servers.environment_of(data, {}), "WEBHOOK_SECRET_FILE": str(tmp_path / "secret")}
        log = tmp_path / "worker.log"
        with servers.running(command, env=env, log=log) as process:
            servers.wait_until(lambda: servers._listens(port), process, log)
            submit(service)
            wait_for(graded.exists)
            wait_for(lambda: graded.read_text() == "ps1\n")
            forged = requests.post(f"http://127.0.0.1:{port}/", data=b"{}", timeout=10)
            assert forged.status_code == 401
