"""The command `send_notices`; tests/live has one that is killed."""

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command

from exchange.notices import webhooks
from exchange.notices.models import Delivery, State
from tests.cast import actor
from tests.receivers import receiver as start_receiver

pytestmark = pytest.mark.django_db


def test_once_sends_all_that_is_due_and_ends(course):
    with start_receiver() as receiver:
        made, _ = webhooks.create_webhook("worker", receiver.url, ["submitted"], by=actor("root"))
        for _ in range(3):
            webhooks.send_test(made, by=actor("root"))
        call_command("send_notices", "--once")
        assert len({*receiver.names()}) == 3
    assert {*Delivery.objects.values_list("state", flat=True)} == {State.SENT}


def test_mail_settings_can_be_tried(capsys):
    call_command("send_notices", "--test-mail", "root@example.edu")
    assert [message.to for message in mail.outbox] == [["root@example.edu"]]
    assert "Sent to root@example.edu." in capsys.readouterr().out


def test_mail_server_that_fails_is_named(monkeypatch, settings):
    def refuse(self, messages):
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example.edu", 587
    with pytest.raises(CommandError, match="NGSHARE_MAIL_SERVER: mail.example.edu:587 failed: nobody listens"):
        call_command("send_notices", "--test-mail", "root@example.edu")
