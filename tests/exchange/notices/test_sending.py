"""Webhooks: what arrives at a real receiver, how often, and what happens where it fails."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from courses.models import AuditEntry
from exchange import services
from exchange.models import Assignment
from exchange.notices import deliveries, sending, webhooks
from exchange.notices.models import Delivery, Event, State
from tests import cast
from tests.cast import PS1, WORK, actor, upload
from tests.exchange.notices.steps import make_due, pass_time, send

pytestmark = pytest.mark.django_db


def states():
    return [delivery.state for delivery in Delivery.objects.order_by("pk")]


def test_existing_library_verifies_what_arrives(webhook, receiver, submission):
    send()
    verifier = Verifier(webhook.plain_secret)
    kinds = [verifier.verify(each.body, each.headers)["type"] for each in receiver.received]
    assert kinds == ["released", "submitted"]
    first = receiver.received[0]
    assert first.path == "/hook?x=1" and first.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        verifier.verify(first.body + b" ", first.headers)
    assert states() == [State.SENT, State.SENT]


def test_nothing_is_sent_twice(webhook, receiver, submission):
    assert send() and not send()
    assert len(receiver.received) == len({*receiver.names()}) == 2


def test_failure_is_sent_again_with_the_same_id_and_body(webhook, receiver, assignment):
    receiver.answers = [(500, {})]
    send()
    delivery = Delivery.objects.get()
    assert delivery.state == State.WAITING and delivery.error == "It answered 500."
    assert delivery.next_attempt > timezone.now()
    make_due()
    send()
    first, second = receiver.received
    assert first.body == second.body and first.headers["webhook-id"] == second.headers["webhook-id"]
    assert states() == [State.SENT]


def test_pauses_grow(webhook, receiver, assignment):
    receiver.answers = [(500, {})] * 4
    pauses = []
    for _ in range(4):
        make_due()
        send()
        pauses.append((Delivery.objects.get().next_attempt - timezone.now()).total_seconds())
    assert pauses == sorted(pauses) and pauses[0] < 6 and 500 < pauses[3] < 700


def test_failing_webhook_pauses_and_the_others_go_on(webhook, receiver, assignment):
    other, _ = webhooks.create_webhook("nobody", "http://127.0.0.1:9/", ["submitted"], by=actor("root"))
    for username in ("bob", "dave"):
        services.submit(assignment, upload(WORK), by=actor(username))
    send()
    assert len(receiver.received) == 3
    waiting = Delivery.objects.filter(webhook=other, state=State.WAITING)
    assert sorted(waiting.values_list("attempts", flat=True)) == [0, 1]
    other.refresh_from_db()
    assert other.failures == 1 and other.paused_until > timezone.now()
    assert waiting.get(attempts=1).error == "It cannot be reached: ConnectionRefusedError."


def test_success_ends_the_pause(webhook, receiver, assignment):
    receiver.answers = [(503, {"Retry-After": "1200"})]
    send()
    webhook.refresh_from_db()
    assert timedelta(minutes=19) < webhook.paused_until - timezone.now() <= timedelta(minutes=20)
    make_due()
    send()
    webhook.refresh_from_db()
    assert webhook.failures == 0 and webhook.paused_until is None


def test_it_is_given_up_after_three_days_and_can_be_sent_again(webhook, receiver, assignment):
    receiver.answers = [(500, {}), (500, {})]
    send()
    pass_time(days=3, minutes=1)
    make_due()
    send()
    assert states() == [State.GIVEN_UP]
    assert webhooks.send_again([Delivery.objects.get()], by=actor("root")) == 1
    send()
    assert states() == [State.SENT] and len({*receiver.names()}) == 1


def test_gone_switches_the_webhook_off(webhook, receiver, assignment):
    receiver.answers = [(410, {})]
    send()
    webhook.refresh_from_db()
    assert not webhook.active
    switched_off = AuditEntry.objects.get(action="change webhook")
    assert (switched_off.role, switched_off.details) == ("server", {"changed": {"active": False}})
    make_due()
    send()
    assert len(receiver.received) == 1


def test_redirect_is_not_followed(webhook, receiver, assignment):
    receiver.answers = [(302, {"Location": receiver.url})]
    send()
    assert len(receiver.received) == 1
    assert Delivery.objects.get().error == "It answered 302, and redirects are not followed."


def test_both_secrets_sign_for_a_day(webhook, receiver, assignment):
    new = webhooks.make_new_secret(webhook, by=actor("root"))
    send()
    for secret in (webhook.plain_secret, new):
        Verifier(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    webhook.refresh_from_db()
    webhook.secret_made -= timedelta(days=1)
    webhook.save()
    services.submit(assignment, upload(WORK), by=actor("bob"))
    send()
    Verifier(new).verify(receiver.received[1].body, receiver.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook.plain_secret).verify(receiver.received[1].body, receiver.received[1].headers)


def test_secret_is_read_after_the_secret_key_was_changed_and_lost_with_it(webhook, receiver, assignment, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key of the tests: 0123456789"
    send()
    assert Delivery.objects.get().error.startswith("The secret cannot be read: NGSHARE_SECRET_KEY was changed.")
    assert not receiver.received
    settings.SECRET_KEY_FALLBACKS = [old]
    make_due()
    send()
    Verifier(webhook.plain_secret).verify(receiver.received[0].body, receiver.received[0].headers)


def test_secret_is_nowhere_in_the_database_or_the_log(webhook, receiver, assignment, caplog):
    caplog.set_level("DEBUG")
    receiver.answers = [(500, {})]
    send()
    assert webhook.plain_secret not in repr(cast.everything())
    assert webhook.plain_secret not in caplog.text


def test_release_is_told_when_its_time_has_come(webhook, receiver, course):
    assignment = services.release(course, "ps1", upload(PS1), by=actor("alice")).assignment
    in_an_hour = timezone.now() + timedelta(hours=1)
    services.set_deadlines(assignment, {"release_at": in_an_hour}, by=actor("alice"))
    send()
    assert not receiver.received and not Delivery.objects.exists()
    services.set_deadlines(assignment, {"release_at": timezone.now() - timedelta(seconds=1)}, by=actor("alice"))
    pass_time(minutes=6)
    send()
    assert len(receiver.received) == 1


def test_release_that_was_taken_back_is_not_told(webhook, receiver, assignment):
    services.unrelease(assignment, by=actor("alice"))
    send()
    services.restore(Assignment.objects.get(), by=actor("alice"))
    send()
    assert not receiver.received


def test_two_events_of_the_same_kind_are_two(webhook, receiver, assignment):
    for number in range(3):
        services.submit(assignment, upload({"a": b"%d" % number}), by=actor("bob"))
    send()
    assert len({*receiver.names()}) == 4


def test_test_event_arrives_though_the_webhook_wants_others(course, receiver):
    made, secret = webhooks.create_webhook("worker", receiver.url, ["submitted"], by=actor("root"))
    webhooks.send_test(made, by=actor("root"))
    send()
    assert Verifier(secret).verify(receiver.received[0].body, receiver.received[0].headers)["type"] == "test"


def test_what_was_done_long_ago_is_removed_and_what_waits_stays(webhook, receiver, assignment):
    send()
    receiver.answers = [(500, {})]
    services.submit(assignment, upload(WORK), by=actor("bob"))
    send()
    pass_time(days=31)
    Delivery.objects.filter(state=State.WAITING).update(next_attempt=timezone.now() + timedelta(hours=1))
    cache.clear()
    sending.run_once()
    assert [event.kind for event in Event.objects.all()] == ["submitted"]


def test_deleting_a_webhook_deletes_what_waits_for_it(webhook, receiver, assignment):
    webhooks.delete_webhook(webhook, by=actor("root"))
    send()
    assert not receiver.received and not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_send_each_once(webhook, receiver, assignment):
    """On PostgreSQL they work side by side, on SQLite they take turns."""
    for number in range(20):
        services.submit(assignment, upload({"a": b"%d" % number}), by=actor("bob"))

    def work(_):
        try:
            send()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(work, range(4)))
    assert len(receiver.received) == len({*receiver.names()}) == 21
    assert {*states()} == {State.SENT} and len(states()) == 21


def test_what_a_killed_sender_had_taken_up_is_sent_by_another(webhook, receiver, assignment):
    deliveries.make()
    (taken,) = deliveries.take_up(Delivery.objects.all(), 1, sending.TAKEN)  # and then it is killed
    assert send() == 0 and not receiver.received
    pass_time(minutes=2, seconds=1)
    send()
    assert len(receiver.received) == 1
    deliveries.fail(taken, "too late")  # it was only slow: nothing changes
    assert states() == [State.SENT]


def test_body_is_json_in_ascii(webhook, receiver, course):
    services.release(course, "Übung", upload(PS1), by=actor("alice"))
    send()
    body = receiver.received[0].body
    assert body.isascii() and json.loads(body)["data"]["assignment"] == "Übung"
