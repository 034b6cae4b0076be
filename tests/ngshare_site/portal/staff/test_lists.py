"""Who has not submitted, as a page, a text and CSV."""

import csv
import io

import pytest

from courses.models import AuditEntry, Membership, Role
from exchange import services
from tests import cast
from tests.ngshare_site.portal.staff.conftest import words


def lines_of(reply):
    return b"".join(reply).decode().splitlines()


def test_addresses_are_of_those_who_have_not_submitted(assignment, names, browse, page):
    cast.enrol(assignment.course, "zoe", Role.STUDENT, email="zoe@x.org", section="B")
    cast.submit(assignment, "dave")
    alice = browse("alice")
    said = words(alice.get(page("reminder/")))
    assert "2 students have not submitted." in said and "bob@x.org zoe@x.org" in said and "dave" not in said
    assert 'href="mailto:?bcc=bob@x.org,zoe@x.org"' in alice.get(page("reminder/")).content.decode()
    assert lines_of(alice.get(page("reminder.txt"))) == ["bob@x.org", "zoe@x.org"]
    assert lines_of(alice.get(page("reminder.txt"), {"section": "B"})) == ["zoe@x.org"]


def test_who_has_no_email_is_named_beside_the_addresses(assignment, names, browse, page):
    alice = browse("alice")
    said = words(alice.get(page("reminder/")))
    assert "No email is known for 1 of them: dave." in said and "Email addresses bob@x.org Copy" in said
    assert lines_of(alice.get(page("reminder.txt"))) == ["bob@x.org"]
    content = b"".join(alice.get(page("reminder.csv"))).decode("utf-8-sig")  # spreadsheets look for the mark
    (bob, dave) = csv.DictReader(io.StringIO(content))
    assert bob == {
        "username": "bob", "first_name": "Robert", "last_name": "Li", "section": "A", "email": "bob@x.org",
    }  # fmt: skip
    assert (dave["username"], dave["email"]) == ("dave", "")


def test_nobody_has_an_email(assignment, browse, page):
    reply = browse("alice").get(page("reminder/"))
    text = reply.content.decode()
    assert "No email is known for 2 of them: bob, dave." in words(reply)
    assert "<textarea" not in text and "reminder.txt" not in text and "reminder.csv" in text


def test_withdrawn_submission_counts_as_none(submission, names, browse, page):
    services.withdraw_submissions([submission], by=cast.actor("alice"))
    assert lines_of(browse("alice").get(page("reminder.txt"))) == ["bob@x.org"]


def test_everybody_has_submitted(assignment, browse, page):
    for username in ("bob", "dave"):
        cast.submit(assignment, username)
    assert "Every student has submitted." in words(browse("gina").get(page("reminder/")))


def test_many_addresses_are_no_link(assignment, names, browse, page, monkeypatch):
    monkeypatch.setattr("ngshare_site.portal.staff.lists.MAX_MAILTO", 0)
    assert "mailto:" not in browse("alice").get(page("reminder/")).content.decode()


def test_address_cannot_add_anything_to_a_mail(assignment, browse, page):
    Membership.objects.filter(user__username="bob").update(email="a@x.org&body=<b>")
    assert "mailto:?bcc=a@x.org%26body%3D%3Cb%3E" in browse("alice").get(page("reminder/")).content.decode()


@pytest.mark.parametrize("name", ["reminder/", "reminder.txt", "reminder.csv"])
@pytest.mark.parametrize(("who", "status"), [("gina", 200), ("root", 200), ("bob", 404), ("carol", 404), ("erin", 404)])
def test_addresses_are_for_staff_and_each_look_is_noted(submission, browse, page, name, who, status):
    before = AuditEntry.objects.count()
    assert browse(who).get(page(name)).status_code == status
    assert (AuditEntry.objects.count() > before) is (status == 200)
