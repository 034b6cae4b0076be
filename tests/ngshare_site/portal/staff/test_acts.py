"""Releasing, deadlines and extensions from the pages: what is confirmed, by whom, and that repeats do no harm."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from courses.models import Course
from exchange import services
from tests import cast
from tests.cast import everything
from tests.ngshare_site.portal.staff.conftest import words

DUE = datetime(2030, 11, 30, 12, tzinfo=UTC)


def deadlines_form(**values):
    names = ("release_at", "due", "cut_off")
    sent = {"form": "deadlines", "max_attempts": "", "initial-max_attempts": ""}
    for name in names:
        sent |= {f"{name}_0": "", f"{name}_1": "", f"initial-{name}_0": "", f"initial-{name}_1": ""}
    return sent | values


def grant_form(**values):
    return {"form": "grant", "students": "", "section": "", "attempts": "", "reason": ""} | values


def confirm(browser, address):
    """Post what the page at an address asks to be confirmed; return where it leads."""
    page = browser.get(address)
    assert page.status_code == 200
    return browser.post(address, {"seen": page.context["preview"].digest})


# Release and unrelease


def test_unrelease_and_release_again_are_confirmed(submission, browse, page):
    alice, assignment = browse("alice"), submission.assignment
    before = everything()
    said = words(alice.get(page("unrelease/")))
    assert "Students no longer see ps1" in said and "1 submission is kept" in said and everything() == before
    assert "changes its state" not in said
    reply = confirm(alice, page("unrelease/"))
    assert (reply.status_code, reply.url) == (302, page())
    assert "ps1 is unreleased. Everything is kept." in words(alice.get(page()))
    assignment.refresh_from_db()
    assert assignment.withdrawn_at
    assert "Students see ps1 again" in words(alice.get(page("release/")))
    confirm(alice, page("release/"))
    assignment.refresh_from_db()
    assert assignment.withdrawn_at is None and "ps1 is released again." in words(alice.get(page()))


def test_what_is_not_shown_yet_is_unreleased_in_other_words(assignment, browse, page):
    services.set_deadlines(assignment, {"release_at": DUE}, by=cast.actor("alice"))
    assert "Students will not see ps1" in words(browse("alice").get(page("unrelease/")))


@pytest.mark.parametrize("act", ["unrelease/", "release/"])
def test_second_click_back_and_reload_are_no_error(submission, browse, page, act):
    alice = browse("alice")
    if act == "release/":
        services.unrelease(submission.assignment, by=cast.actor("alice"))
    for _ in range(2):
        reply = alice.post(page(act), {"seen": ""}, follow=True)
        assert reply.status_code == 200 and 'class="notice success"' in reply.content.decode()
        assert 'class="notice error"' not in reply.content.decode()
        assert alice.get(page(act)).status_code == 200


def test_what_was_never_released_says_so(course, browse, page):
    course.assignments.create(name="ps1", withdrawn_at=timezone.now())
    alice = browse("alice")
    assert "ps1 was never released." in words(alice.get(page("release/")))
    assert "ps1 was never released." in words(alice.post(page("release/"), follow=True))


# Deadlines


def test_deadlines_are_shown_before_they_change(submission, browse, page):
    alice = browse("alice")
    before = everything()
    due = submission.created - timedelta(hours=1)
    sent = deadlines_form(due_0=f"{due:%Y-%m-%d}", due_1=f"{due:%H:%M:%S}", max_attempts="3")
    reply = alice.post(page("deadlines/"), sent)
    assert reply.status_code == 302 and everything() == before
    said = words(alice.get(reply.url))
    assert f"Due date: none → {due:%Y-%m-%d %H:%M} UTC" in said and "Attempt limit: none → 3" in said
    assert "This changes the state of 1 student: bob: submitted → late" in said and everything() == before
    assert confirm(alice, reply.url).url == page("deadlines/")
    assert "The deadlines of ps1 are changed." in words(alice.get(page("deadlines/")))
    submission.assignment.refresh_from_db()
    assert (submission.assignment.due, submission.assignment.max_attempts) == (due.replace(microsecond=0), 3)
    # Back, reload and a second click
    assert "The deadlines are so already." in words(alice.get(reply.url))
    again = alice.post(reply.url, {"seen": "what was seen before"}, follow=True)
    assert 'class="notice success"' in again.content.decode() and 'class="notice error"' not in again.content.decode()


def test_what_changed_meanwhile_is_shown_again(submission, browse, page):
    alice = browse("alice")
    due = submission.created - timedelta(hours=1)
    reply = alice.post(page("deadlines/"), deadlines_form(due_0=f"{due:%Y-%m-%d}", due_1=f"{due:%H:%M:%S}"))
    seen = alice.get(reply.url).context["preview"].digest
    cast.submit(submission.assignment, "dave")
    again = alice.post(reply.url, {"seen": seen}, follow=True)
    assert "The states have changed since you looked." in words(again) and "dave: submitted → late" in words(again)
    submission.assignment.refresh_from_db()
    assert submission.assignment.due is None


def test_wrong_deadlines_are_said_beside_the_form(assignment, browse, page):
    alice = browse("alice")
    before = everything()
    sent = deadlines_form(due_0="2030-11-30", due_1="12:00", cut_off_0="2030-11-29", cut_off_1="12:00")
    assert "The cut-off may not be before the due date." in words(alice.post(page("deadlines/"), sent))
    assert "Enter a valid date" in words(alice.post(page("deadlines/"), deadlines_form(due_0="soon", due_1="12:00")))
    assert "Nothing was changed." in words(alice.post(page("deadlines/"), deadlines_form(), follow=True))
    assert everything() == before


def test_form_shows_what_is_in_force_in_the_zone_of_the_course(assignment, browse, page):
    assignment.course.timezone = "Europe/Berlin"
    assignment.course.save()
    services.set_deadlines(assignment, {"due": DUE}, by=cast.actor("alice"))
    text = browse("alice").get(page("deadlines/")).content.decode()
    assert 'value="2030-11-30"' in text and 'value="13:00:00"' in text and "Times are in Europe/Berlin" in text
    assert 'type="date"' in text and 'aria-label="Due date: time"' in text


# Extensions


def test_extension_is_shown_granted_and_withdrawn(submission, browse, page):
    assignment, alice = submission.assignment, browse("alice")
    services.set_deadlines(assignment, {"due": submission.created - timedelta(hours=1)}, by=cast.actor("alice"))
    before = everything()
    reply = alice.post(
        page("deadlines/"), grant_form(students="bob, dave", due_0="2030-11-30", due_1="12:00", reason="illness")
    )
    assert reply.status_code == 302 and "illness" not in reply.url and everything() == before
    said = words(alice.get(reply.url))
    assert "Grant 2 extensions for ps1?" in said and "bob: due 2030-11-30 12:00 UTC" in said
    assert "bob: late → submitted" in said and everything() == before
    for _ in range(2):
        confirm(alice, reply.url)
    assert [each.due for each in assignment.extensions.all()] == [DUE, DUE]
    shown = words(alice.get(page("deadlines/")))
    assert "2 extensions are granted." in shown and "illness" in shown
    own = assignment.extensions.get(user__username="bob")
    withdraw = page(f"extensions/{own.pk}/withdraw/")
    assert "bob: submitted → late" in words(alice.get(withdraw))
    for _ in range(2):
        assert confirm(alice, withdraw).url == page("deadlines/")
    assert [each.user.username for each in assignment.extensions.all()] == ["dave"]
    assert "The extension is withdrawn" in words(alice.get(withdraw))


def test_withdrawing_says_what_is_in_force_then(course, assignment, names, browse, page):
    services.set_deadlines(assignment, {"due": DUE}, by=cast.actor("alice"))
    later = DUE + timedelta(days=1)
    bobs, sections = services.Grant("bob", due=later), services.Grant(section="A", due=later)
    services.grant_extensions(assignment, [bobs], by=cast.actor("alice"))
    alice = browse("alice")

    def said(**whose):
        return words(alice.get(page(f"extensions/{assignment.extensions.get(**whose).pk}/withdraw/")))

    assert "Then the deadlines of ps1 are in force for bob." in said(user__username="bob")
    services.grant_extensions(assignment, [sections], by=cast.actor("alice"))
    assert "Then the extension of their section is in force for bob." in said(user__username="bob")
    assert "Then the deadlines of ps1 are in force for section A, except for members who" in said(section="A")
    assignment.extensions.filter(section="A").update(due=DUE - timedelta(days=1))  # which extends nothing
    assert "Then the deadlines of ps1 are in force for bob." in said(user__username="bob")
    Course.objects.filter(pk=course.pk).update(min_days=7000)
    assert "Then bob has the deadlines of somebody who joined late." in said(user__username="bob")
    course.memberships.get(user__username="bob").delete()
    assert "Then the deadlines of ps1 are in force for bob." in said(user__username="bob")


def test_deadlines_page_has_what_else_is_known_of_them(submission, browse, page):
    alice, assignment = browse("alice"), submission.assignment
    services.set_deadlines(assignment, {"due": DUE, "max_attempts": 1}, by=cast.actor("alice"))
    services.grant_extensions(assignment, [services.Grant("bob", attempts=2)], by=cast.actor("alice"))
    shown = words(alice.get(page("deadlines/")))
    assert "Submissions after the due date are accepted" in shown and "bob – – 2" in shown
    assert "Submissions after the due date are accepted" not in words(alice.get(page()))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Name a student or a section."),
        ({"students": "bob"}, "An extension needs a due date, a cut-off or further attempts."),
        ({"students": "carol", "due_0": "2030-12-01", "due_1": "12:00"}, "carol is not a member of NBG 101."),
        ({"students": "bob", "attempts": "3"}, "ps1 has no attempt limit that could be extended."),
    ],
)
def test_wrong_extension_is_said_beside_the_form(assignment, browse, page, values, sentence):
    services.set_deadlines(assignment, {"due": DUE}, by=cast.actor("alice"))
    before = everything()
    assert sentence in words(browse("alice").post(page("deadlines/"), grant_form(**values))).replace("&#x27;", "'")
    assert everything() == before


def test_student_of_the_link_is_in_the_form(assignment, browse, page):
    assert 'value="bob"' in browse("alice").get(page("deadlines/"), {"student": "bob"}).content.decode()


def test_what_was_entered_long_ago_is_asked_for_again(assignment, browse, page):
    reply = browse("alice").get(page("deadlines/confirm/"), {"entered": "gone"}, follow=True)
    assert "What you entered is not here any more." in words(reply)


def test_few_forms_wait(assignment, browse, page):
    alice = browse("alice")
    for number in range(12):
        alice.post(page("deadlines/"), deadlines_form(max_attempts=str(number + 1)))
    assert len(alice.session["pending"]) == 10


# Who may

ACTS = ["unrelease/", "release/", "deadlines/confirm/?entered=x", "extensions/confirm/?entered=x", "feedback/"]


@pytest.mark.parametrize("name", [*ACTS, "deadlines/", "extensions/1/withdraw/"])
@pytest.mark.parametrize("who", ["bob", "carol", "erin"])
def test_pages_are_for_staff(submission, browse, page, name, who):
    before = everything()
    other = browse(who)
    statuses = {other.get(page(name)).status_code, other.post(page(name)).status_code}
    assert statuses <= {404, 302 if "entered" in name else 404} and everything() == before


@pytest.mark.parametrize("name", ["unrelease/", "release/", "extensions/1/withdraw/"])
def test_graders_do_not_release_or_extend(submission, browse, page, name):
    before = everything()
    gina = browse("gina")
    assert (gina.get(page(name)).status_code, gina.post(page(name)).status_code) == (403, 403)
    assert everything() == before
    text = gina.get(page()).content.decode()
    assert "ps1/unrelease/" not in text and "ps1/release/" not in text
    look = words(gina.get(page("deadlines/")))
    assert "Due date none" in look and "Change deadlines…" not in look and "Grant extension…" not in look


@pytest.mark.parametrize("form", [deadlines_form(max_attempts="3"), grant_form(students="bob", attempts="3")])
def test_grader_who_forges_a_form_changes_nothing(submission, browse, page, form):
    before = everything()
    gina = browse("gina")
    reply = gina.post(page("deadlines/"), form)
    if reply.status_code == 302:
        assert gina.get(reply.url).status_code == 403 and gina.post(reply.url).status_code == 403
    assert everything() == before


def test_grader_who_may_extend_extends(submission, browse, page, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    services.set_deadlines(submission.assignment, {"max_attempts": 1}, by=cast.actor("alice"))
    gina = browse("gina")
    look = words(gina.get(page("deadlines/")))
    assert "Grant extension…" in look and "Change deadlines…" not in look
    reply = gina.post(page("deadlines/"), grant_form(students="bob", attempts="2"))
    confirm(gina, reply.url)
    assert submission.assignment.extensions.get().attempts == 2
