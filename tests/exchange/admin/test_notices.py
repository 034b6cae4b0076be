"""The admin's pages of webhooks and deliveries."""

import pytest

from courses.models import AuditEntry
from exchange.notices import sending, webhooks
from exchange.notices.models import Delivery, Kind, State, Webhook
from tests.cast import actor
from tests.receivers import receiver as start_receiver

pytestmark = pytest.mark.django_db

ADD, LIST, DELIVERIES = "/admin/notices/webhook/add/", "/admin/notices/webhook/", "/admin/notices/delivery/"
FORM = {"name": "worker", "url": "https://worker.example.edu/hook", "kinds": ["submitted"], "active": "on"}


@pytest.fixture
def receiver():
    with start_receiver() as started:
        yield started


def act(browser, address, action, rows, **more):
    return browser.post(address, {"action": action, "_selected_action": [row.pk for row in rows], **more})


def test_secret_is_shown_once(course, browser):
    page = browser("root").post(ADD, FORM)
    assert page.status_code == 200 and "whsec_" in page.text
    secret = page.context["secret"]
    webhook = Webhook.objects.get()
    assert (webhook.name, webhook.kinds, webhook.active) == ("worker", ["submitted"], True)
    for address in (LIST, f"{LIST}{webhook.pk}/change/", f"{LIST}{webhook.pk}/history/", "/admin/courses/auditentry/"):
        found = browser("root").get(address)
        assert secret not in found.text and "whsec_" not in found.text and webhook.secret not in found.text
    assert secret not in repr(list(AuditEntry.objects.values()))


def test_new_webhook_asks_only_for_what_one_chooses(course, browser):
    assert "Failures in a row" not in browser("root").get(ADD).text
    browser("root").post(ADD, FORM)
    assert "Failures in a row" in browser("root").get(f"{LIST}{Webhook.objects.get().pk}/change/").text


def test_form_that_is_sent_again_makes_no_second_webhook(course, browser):
    browser("root").post(ADD, FORM)
    page = browser("root").post(ADD, FORM)
    assert "already exists" in page.text and Webhook.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"url": "ftp://x/"}, {"kinds": []}, {"kinds": ["gossip"]}, {"name": ""}, {"course": "abc"}, {"course": "999"}],
)
def test_wrong_form_is_explained_and_changes_nothing(course, browser, change):
    page = browser("root").post(ADD, {**FORM, **change})
    assert page.status_code == 200 and "errorlist" in page.text and "whsec_" not in page.text
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("username", ["bob", "gina", "alice"])
def test_only_administrators_see_webhooks_and_deliveries(course, browser, username):
    made, _ = webhooks.create_webhook("worker", "https://worker.example.edu/", ["submitted"], by=actor("root"))
    webhooks.send_test(made, by=actor("root"))
    for address in (LIST, ADD, f"{LIST}{made.pk}/change/", DELIVERIES):
        assert browser(username).get(address).status_code in (302, 403)
    assert browser(username).post(ADD, {**FORM, "name": "mine"}).status_code in (302, 403)
    assert Webhook.objects.count() == 1
    assert "notices/webhook" not in browser(username).get("/admin/").text


def test_change_keeps_the_secret(course, browser):
    browser("root").post(ADD, FORM)
    before = Webhook.objects.get()
    browser("root").post(f"{LIST}{before.pk}/change/", {**FORM, "kinds": ["submitted", "released"]})
    after = Webhook.objects.get()
    assert after.kinds == ["released", "submitted"] or after.kinds == ["submitted", "released"]
    assert after.secret == before.secret


def test_new_secret_is_asked_for_and_shown_once(course, browser):
    browser("root").post(ADD, FORM)
    webhook = Webhook.objects.get()
    asked = act(browser("root"), LIST, "make_new_secret", [webhook])
    assert "whsec_" not in asked.text and Webhook.objects.get().secret == webhook.secret
    page = act(browser("root"), LIST, "make_new_secret", [webhook], confirmed="yes")
    assert "whsec_" in page.text and Webhook.objects.get().earlier_secret == webhook.secret


def test_test_is_sent_and_its_delivery_is_listed(course, browser, receiver):
    made, _ = webhooks.create_webhook("worker", receiver.url, Kind.values, by=actor("root"))
    act(browser("root"), LIST, "send_test", [made])
    sending.run_once()
    assert len(receiver.received) == 1
    page = browser("root").get(DELIVERIES)
    assert "webhook worker" in page.text and "sent" in page.text
    detail = browser("root").get(f"{DELIVERIES}{Delivery.objects.get().pk}/change/")
    assert "+00:00" not in detail.text and " UTC" in detail.text
    assert receiver.names()[0] in detail.text and "&quot;type&quot;: &quot;test&quot;" in detail.text


def test_given_up_delivery_is_sent_again(course, browser, receiver):
    made, _ = webhooks.create_webhook("worker", receiver.url, Kind.values, by=actor("root"))
    delivery = webhooks.send_test(made, by=actor("root"))
    Delivery.objects.update(state=State.GIVEN_UP, error="It answered 500.")
    assert "It answered 500." in browser("root").get(f"{DELIVERIES}?state__exact=given+up").text
    act(browser("root"), DELIVERIES, "send_again", [delivery])
    sending.run_once()
    assert Delivery.objects.get().state == State.SENT and len(receiver.received) == 1


def test_delivery_is_sent_again_once_however_often_it_is_clicked(course, browser, receiver):
    made, _ = webhooks.create_webhook("worker", receiver.url, Kind.values, by=actor("root"))
    delivery = webhooks.send_test(made, by=actor("root"))
    Delivery.objects.update(state=State.GIVEN_UP)
    root = browser("root")
    sent = {"action": "send_again", "_selected_action": [delivery.pk]}
    assert "1 delivery is sent again." in root.post(DELIVERIES, sent, follow=True).text
    assert "What you chose is about to be sent." in root.post(DELIVERIES, sent, follow=True).text
    assert AuditEntry.objects.filter(action="send notices again").count() == 1


def test_deletion_that_is_sent_again_is_no_error(course, browser, receiver):
    made, _ = webhooks.create_webhook("worker", receiver.url, Kind.values, by=actor("root"))
    root = browser("root")
    for _ in range(2):
        page = root.post(f"{LIST}{made.pk}/delete/", {"post": "yes"}, follow=True)
        assert [str(message.level_tag) for message in page.context["messages"]] == ["success"]
        assert page.redirect_chain[-1][0] == LIST
    assert AuditEntry.objects.filter(action="delete webhook").count() == 1


def test_webhook_is_deleted_with_what_waits(course, browser, receiver):
    made, _ = webhooks.create_webhook("worker", receiver.url, Kind.values, by=actor("root"))
    webhooks.send_test(made, by=actor("root"))
    page = browser("root").get(f"{LIST}{made.pk}/delete/")
    assert "Waiting deliveries" in page.text or "waiting deliveries" in page.text
    browser("root").post(f"{LIST}{made.pk}/delete/", {"post": "yes"})
    assert not Webhook.objects.exists() and not Delivery.objects.exists()
    assert AuditEntry.objects.filter(action="delete webhook", target="worker").exists()
