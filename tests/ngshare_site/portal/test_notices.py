"""The page on which people choose what they are mailed."""

import pytest

from courses.models import Membership
from exchange.notices import choices
from exchange.notices.models import MailChoice
from tests.cast import actor

pytestmark = pytest.mark.django_db
PAGE = "/view/notices/"


@pytest.fixture
def mail_on(settings, course):
    settings.NGSHARE_MAIL = ["submitted", "due_soon"]
    Membership.objects.filter(user__username="bob").update(email="bob@example.edu")


def test_everything_that_the_site_mails_is_chosen_at_first(mail_on, browser):
    page = browser("bob").get(PAGE)
    assert page.text.count("checked") == 2 and "Feedback" not in page.text
    assert "bob@example.edu" in page.text and "no-store" in page["Cache-Control"]


def test_choice_is_kept(mail_on, browser):
    bob = browser("bob")
    assert bob.post(PAGE, {"kinds": ["due_soon"]}).status_code == 302
    assert choices.wanted(by=actor("bob")) == ["due_soon"] and choices.wanted(by=actor("dave")) != ["due_soon"]
    page = bob.get(PAGE)
    assert page.text.count("Your choice was saved.") == 1 and page.text.count("checked") == 1
    bob.post(PAGE, {})
    assert choices.wanted(by=actor("bob")) == []


def test_unknown_kind_changes_nothing(mail_on, browser):
    assert browser("bob").post(PAGE, {"kinds": ["gossip"]}).status_code == 200
    assert not MailChoice.objects.exists()


def test_page_is_linked_where_the_site_sends_mail_alone(mail_on, browser, settings):
    assert PAGE in browser("bob").get("/").text
    settings.NGSHARE_MAIL = []
    assert PAGE not in browser("bob").get("/").text
    assert "This site sends no mail." in browser("bob").get(PAGE).text


def test_nobody_is_sent_to_log_in(mail_on, client):
    assert client.get(PAGE).status_code == 302 and client.post(PAGE).status_code == 302


def test_person_without_an_address_is_told(mail_on, browser):
    assert "no address, so no mail" in browser("dave").get(PAGE).text


def test_language_of_the_mail_is_chosen_with_it(mail_on, browser):
    bob = browser("bob")
    assert bob.post(PAGE, {"kinds": ["due_soon"], "language": "de"}).status_code == 302
    assert MailChoice.objects.get().language == "de"
    assert '<option value="de" selected>' in bob.get(PAGE).text
    assert bob.post(PAGE, {"kinds": [], "language": "xx"}).status_code == 200
    assert MailChoice.objects.get().language == "de"
