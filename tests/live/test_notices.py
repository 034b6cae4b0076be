"""The server's own sender, a sender that is killed, a real mail server, and the example worker of the documentation."""

import email
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from courses.models import Membership
from exchange import services
from exchange.notices import sending, webhooks
from exchange.notices.models import Delivery, State
from tests import cast, servers
from tests.cast import WORK, actor, upload
from tests.receivers import receiver as start_receiver

pytestmark = pytest.mark.live
WORKER = servers.ROOT / "docs" / "examples" / "autograde_worker.py"


def wait_for(condition):
    end = time.monotonic() + servers.PATIENCE
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
    controller = Controller(mailbox, "127.0.0.1", servers.free_port(), ready_timeout=servers.PATIENCE)
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()


# With the database of these tests


def environment(**variables):
    """The environment of a command on the database of this test."""
    named = connection.settings_dict
    url = f"sqlite:///{named['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{named['USER']}:{named['PASSWORD']}@/{named['NAME']}?host={named['HOST']}"
        url += f"&port={named['PORT']}" if named["PORT"] else ""
    own = {"DATABASE_URL": url, "NGSHARE_SECRET_KEY": django_settings.SECRET_KEY, **variables}
    return servers.environment_of(django_settings.DATA, own)


@pytest.mark.django_db(transaction=True)
def test_example_worker_grades_what_was_submitted(assignment, tmp_path):
    graded, port = tmp_path / "graded.txt", servers.free_port()
    _, secret = webhooks.create_webhook("worker", f"http://127.0.0.1:{port}/", ["submitted"], by=actor("root"))
    (tmp_path / "secret").write_text(secret)
    code = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"
    command = [sys.executable, str(WORKER), "--bind", f"127.0.0.1:{port}", "--course", cast.COURSE]
    command += ["--command", f'{sys.executable} -c "{code}" {graded} {{assignment}}']
    env, log = {**os.environ, "WEBHOOK_SECRET_FILE": str(tmp_path / "secret")}, tmp_path / "worker.log"
    with servers.running(command, env=env, log=log) as worker:
        servers.wait_until(lambda: servers._listens(port), worker, log)
        services.submit(assignment, upload(WORK), by=actor("gina"))  # a trial
        services.submit(assignment, upload(WORK), by=actor("bob"))
        while sending.run_once():
            pass
        wait_for(lambda: graded.exists() and graded.read_text() == "ps1\n")
        forged = requests.post(f"http://127.0.0.1:{port}/", data=b"{}", timeout=servers.PATIENCE)
        assert forged.status_code == 401
    assert {*Delivery.objects.values_list("state", flat=True)} == {State.SENT}


@pytest.mark.django_db(transaction=True)
def test_sender_that_is_killed_while_it_sends_loses_none(assignment, tmp_path):
    with start_receiver() as receiver:
        webhooks.create_webhook("worker", receiver.url, ["submitted"], by=actor("root"))
        for number in range(3):
            services.submit(assignment, upload({"ps1.ipynb": b"%d" % number}), by=actor("bob"))
        receiver.held.clear()
        command = [sys.executable, "manage.py", "send_notices"]
        with servers.running(command, env=environment(), log=tmp_path / "sender.log") as sender:
            wait_for(lambda: receiver.received)
            sender.kill()
            sender.wait()
        receiver.held.set()
        rows = Delivery.objects.order_by("pk").values_list("state", "attempts")
        assert list(rows) == [(State.WAITING, 1), (State.WAITING, 0), (State.WAITING, 0)]
        Delivery.objects.update(next_attempt=timezone.now())  # two minutes later
        while sending.run_once():
            pass
    assert len({*receiver.names()}) == 3 and len(receiver.received) == 4
    assert receiver.received[0].body in [each.body for each in receiver.received[1:]]
    assert {*Delivery.objects.values_list("state", flat=True)} == {State.SENT}


@pytest.mark.django_db(transaction=True)
def test_mail_arrives_at_a_real_server_and_waits_while_there_is_none(assignment, settings):
    Membership.objects.filter(user__username="bob").update(email="bob@example.edu")
    settings.NGSHARE_MAIL, settings.EMAIL_HOST = ["submitted"], "127.0.0.1"
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", servers.free_port()
    receipt = services.submit(assignment, upload(WORK), by=actor("bob"))[0]
    sending.run_once()
    assert Delivery.objects.get().error == "The mail server failed: ConnectionRefusedError."
    with mail_server() as (mailbox, settings.EMAIL_PORT):
        Delivery.objects.update(next_attempt=timezone.now())
        cache.clear()  # the pause after a failure is over
        sending.run_once()
    (((recipient,), message),) = mailbox.messages
    assert recipient == "bob@example.edu" and message["Subject"] == "[NBG 101] ps1 was submitted"
    assert receipt.file_set.digest in message.get_payload()


# With a server


def ask(service, who, method, address, **request):
    headers = {"Authorization": f"token {who}"} | ({"Content-Type": "application/x-tar"} if "data" in request else {})
    answer = requests.request(method, service.url + address, headers=headers, timeout=servers.PATIENCE, **request)
    assert answer.ok, answer.text
    return answer.json()


def add_webhook(data, url):
    """Return the secret."""
    code = "from courses.permissions import SERVER; from exchange.notices import webhooks; "
    code += f"print('SECRET', webhooks.create_webhook('worker', {url!r}, ['submitted'], by=SERVER)[1])"
    command = [sys.executable, "manage.py", "shell", "-c", code]
    env = servers.environment_of(data, {})
    done = subprocess.run(command, env=env, cwd=servers.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rpartition("SECRET ")[2].strip()


def test_server_sends_webhooks_and_mail_by_itself_soon_after_a_submission(tmp_path):
    with mail_server() as (mailbox, port), start_receiver() as receiver:
        mail = {
            "NGSHARE_MAIL": "submitted",
            "NGSHARE_MAIL_SERVER": f"smtp://127.0.0.1:{port}",
            "NGSHARE_MAIL_FROM": "ngshare <no-reply@example.edu>",
            "NGSHARE_PUBLIC_URL": "https://hub.example.edu/",
        }
        with servers.service(tmp_path / "data", **mail) as service:
            ask(service, "root", "POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
            bob = {"username": "bob", "role": "student", "email": "bob@example.edu"}
            ask(service, "alice", "POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json={"members": [bob]})
            ask(service, "alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))
            secret = add_webhook(service.data, receiver.url)
            receipt = ask(service, "bob", "POST", cast.of_assignment("submissions"), data=cast.bundle(WORK))
            wait_for(lambda: receiver.received and mailbox.messages)
    event = Verifier(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    assert event["data"]["receipt"]["id"] == receipt["id"]
    assert len(receiver.received) == 1 and len(mailbox.messages) == 1
    assert receipt["code"] in mailbox.messages[0][1].get_payload()
