"""What administrators may do to people, as pages of the admin."""

import pytest
from django.test import Client

from courses.models import AuditEntry, User
from tests.cast import everything, person

ACTS = {
    "rename": {"new": "robert"},
    "merge": {"into": "dave"},
    "deactivate": {},
    "activate": {},
    "anonymise": {"log_too": "on"},
}
EACH = pytest.mark.parametrize(("act", "form"), ACTS.items(), ids=ACTS)


def page(act, username="bob"):
    return f"/admin/courses/user/{person(username).pk}/act/{act}/"


def state():
    """Everything, the people included (but not when they were last here)."""
    people = User.objects.order_by("pk").values("pk", "username", "is_active", "is_hub_admin", "hub_groups")
    return {**everything(), "people": list(people)}


@pytest.fixture
def inactive_erin(course):
    User.objects.filter(username="erin").update(is_active=False)


@EACH
def test_looking_at_a_page_changes_nothing(course, browser, act, form):
    root = browser("root")
    before = state()
    answer = root.get(page(act), form)
    assert answer.status_code == 200 and b"bob" in answer.content
    assert state() == before


@pytest.mark.parametrize(
    ("act", "username", "form", "action", "sentence"),
    [
        ("rename", "bob", {"new": "robert"}, "rename user", "Renamed bob to robert."),
        ("merge", "bob", {"into": "dave"}, "merge users", "Merged bob into dave: 1 member."),
        ("deactivate", "bob", {}, "deactivate user", "Deactivated bob. The service refuses this account"),
        ("activate", "erin", {}, "activate user", "Activated erin. This account can log in again."),
        ("anonymise", "bob", {}, "anonymise user", "Anonymised bob. The account is now called anonymous-"),
    ],
)
def test_administrator_does_it_and_the_log_says_who(inactive_erin, browser, act, username, form, action, sentence):
    answer = browser("root").post(page(act, username), form, follow=True)
    assert answer.redirect_chain == [("/admin/courses/user/", 302)]
    assert sentence in answer.content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.role) == (action, "root", "administrator")


def test_anonymising_may_take_the_log_with_it(course, browser):
    browser("root").post(page("rename"), {"new": "robert"})
    browser("root").post(page("anonymise", "robert"), {"log_too": "on"})
    assert "robert" not in str(list(AuditEntry.objects.values())) and "bob" not in str(
        list(AuditEntry.objects.values())
    )


@EACH
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 404), ("gina", 404), ("carol", 404), ("bob", 302), ("erin", 302), (None, 302)]
)
def test_nobody_else_may_see_or_do_it(course, browser, client, act, form, who, status):
    client = browser(who) if who else client
    before = state()
    assert client.get(page(act)).status_code == status
    refusal = status if who else 403
    assert client.post(page(act), form).status_code == refusal
    assert client.post(page(act, who or "bob"), form).status_code == refusal
    assert state() == before


@EACH
def test_form_of_another_site_is_refused(course, act, form):
    root = Client(enforce_csrf_checks=True)
    root.force_login(person("root"))
    before = state()
    assert root.post(page(act), form).status_code == 403
    assert state() == before


@EACH
def test_own_account_is_refused_on_the_page(course, browser, act, form):
    root = browser("root")
    before = state()
    answer = root.post(page(act, "root"), form)
    assert answer.status_code == 200 and b"This is your own account" in answer.content
    assert state() == before


@pytest.mark.parametrize(
    ("act", "form", "sentence"),
    [
        ("rename", {"new": "dave"}, "There is somebody called dave already."),
        ("rename", {"new": "a/b"}, "cannot be a user name"),
        ("rename", {"new": ".."}, "cannot be a user name"),
        ("rename", {"new": "a\0b"}, "Null characters are not allowed."),
        ("rename", {"new": "x" * 256}, "at most 255 characters"),
        ("rename", {"new": " "}, "This field is required."),
        ("rename", {}, "This field is required."),
        ("merge", {"into": "zoe"}, "Nobody is called zoe."),
        ("merge", {"into": "a/b"}, "cannot be a user name"),
        ("merge", {"into": "bob"}, "These are the same account."),
        ("merge", {"into": ""}, "This field is required."),
    ],
)
def test_wrong_names_are_told_on_the_page(course, browser, act, form, sentence):
    root = browser("root")
    before = state()
    answer = root.post(page(act), form)
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert state() == before


@pytest.mark.parametrize(("address", "status"), [("act/promote/", 404), ("act//", 302), ("act/rename", 404)])
def test_unknown_act_leads_nowhere(course, browser, address, status):
    root = browser("root")
    before = state()
    for method in (root.get, root.post):
        assert method(f"/admin/courses/user/{person('bob').pk}/{address}").status_code == status
    assert state() == before


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_unknown_person_is_a_404(course, browser, pk):
    assert browser("root").post(f"/admin/courses/user/{pk}/act/deactivate/").status_code == 404


def test_persons_page_offers_what_may_be_done(inactive_erin, browser):
    root = browser("root")
    shown = root.get(f"/admin/courses/user/{person('bob').pk}/change/").content.decode()
    assert all(page(act) in shown for act in ("rename", "merge", "deactivate", "anonymise"))
    assert page("activate") not in shown
    shown = root.get(f"/admin/courses/user/{person('erin').pk}/change/").content.decode()
    assert page("activate", "erin") in shown and page("deactivate", "erin") not in shown
