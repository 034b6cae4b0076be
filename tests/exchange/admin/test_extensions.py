"""Deadlines and extensions on an assignment's page: who may change them, and what is shown before it is saved."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from courses.models import AuditEntry, Membership
from courses.timestamps import in_zone
from exchange import deadlines, services
from exchange.models import Extension, Submission
from tests import cast
from tests.cast import everything
from tests.courses.admin.posting import fields_of

DUE = datetime(2031, 1, 2, 12, 0, tzinfo=UTC)


def page(assignment):
    return f"/admin/exchange/assignment/{assignment.pk}/change/"


def as_sent(answer):
    """What a browser sends of the page when nobody has touched it."""
    sent = {"_save": "Save"}
    form, formset = answer.context["adminform"].form, answer.context["inline_admin_formsets"][0].formset
    for each in (form, *formset.initial_forms):
        sent |= flat(each)
    count = len(formset.initial_forms)
    return {**sent, "extensions-TOTAL_FORMS": count, "extensions-INITIAL_FORMS": count}


def flat(form):
    sent = {}
    for name, value in fields_of(form).items():
        if isinstance(value, datetime):
            local = in_zone(value, timezone.get_current_timezone())
            sent |= {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}
        else:
            sent[name] = getattr(value, "pk", value)
    return sent


def row(number=0, **values):
    """A new extension as the form sends it; a time is (date, time)."""
    sent = {f"extensions-{number}-user": "", f"extensions-{number}-section": ""}
    for name, value in values.items():
        prefix = f"extensions-{number}-{name}"
        sent |= {f"{prefix}_0": value[0], f"{prefix}_1": value[1]} if isinstance(value, tuple) else {prefix: value}
    return {**sent, "extensions-TOTAL_FORMS": number + 1}


def when(moment):
    return f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"


def late(submission):
    return Submission.objects.filter(deadlines.LATE, pk=submission.pk).exists()


def test_instructor_sets_all_deadlines(assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment)))
    sent |= {"release_at_0": "2030-01-01", "release_at_1": "08:00", "due_0": "2031-01-02", "due_1": "12:00"}
    sent |= {"cut_off_0": "2031-01-05", "cut_off_1": "12:00", "max_attempts": "3"}
    assert alice.post(page(assignment), sent).status_code == 302
    assignment.refresh_from_db()
    assert (assignment.release_at, assignment.due) == (datetime(2030, 1, 1, 8, tzinfo=UTC), DUE)
    assert (assignment.cut_off, assignment.max_attempts) == (datetime(2031, 1, 5, 12, tzinfo=UTC), 3)


def test_change_that_alters_nobodys_state_is_saved_at_once(submission, assignment, browser):
    alice = browser("alice")
    sent = {**as_sent(alice.get(page(assignment))), "due_0": "2031-01-02", "due_1": "12:00"}
    assert alice.post(page(assignment), sent).status_code == 302
    assignment.refresh_from_db()
    assert assignment.due == DUE


def test_change_that_alters_a_state_is_shown_first_and_saved_when_confirmed(submission, assignment, browser):
    alice, before = browser("alice"), everything()
    earlier = when(submission.created - timedelta(hours=1))
    sent = {**as_sent(alice.get(page(assignment))), "due_0": earlier[0], "due_1": earlier[1]}
    shown = alice.post(page(assignment), sent)
    assert shown.status_code == 200 and "bob: submitted → late" in shown.content.decode()
    assert "With this change of NBG 101: ps1, 1 state would change:" in shown.content.decode()
    assert everything() == before
    confirmed = dict(shown.context["sent"]) | {"seen": shown.context["preview"].digest}
    assert alice.post(page(assignment), confirmed).status_code == 302
    assert late(submission)


def test_confirmed_change_whose_effect_has_changed_is_shown_again(submission, assignment, browser):
    alice = browser("alice")
    earlier = when(submission.created - timedelta(hours=1))
    sent = {**as_sent(alice.get(page(assignment))), "due_0": earlier[0], "due_1": earlier[1]}
    shown = alice.post(page(assignment), sent)
    cast.submit(assignment, "dave")
    before = everything()
    again = alice.post(page(assignment), {**sent, "seen": shown.context["preview"].digest})
    assert again.status_code == 200 and "dave: submitted → late" in again.content.decode()
    assert "changed since you looked" in again.content.decode()
    assert everything() == before


def test_extension_of_a_member_makes_late_work_submitted(submission, assignment, browser):
    services.set_due_date(assignment, submission.created - timedelta(hours=1), by=cast.actor("alice"))
    alice = browser("alice")
    new = row(user="bob", due=when(submission.created + timedelta(days=1)), reason="illness")
    sent = as_sent(alice.get(page(assignment))) | new
    shown = alice.post(page(assignment), sent)
    assert "bob: late → submitted" in shown.content.decode()
    assert not Extension.objects.exists()
    assert alice.post(page(assignment), {**sent, "seen": shown.context["preview"].digest}).status_code == 302
    extension = assignment.extensions.get()
    assert (extension.user, extension.reason) == (cast.person("bob"), "illness")
    assert extension.granted_by == cast.person("alice")
    assert AuditEntry.objects.filter(action="grant extension").exists()
    assert not late(submission)


@pytest.fixture
def extension(assignment):
    services.set_due_date(assignment, DUE, by=cast.actor("alice"))
    grant = services.Grant("bob", due=DUE + timedelta(days=1), reason="illness")
    services.grant_extensions(assignment, [grant], by=cast.actor("alice"))
    return assignment.extensions.get()


def test_changed_extension_keeps_what_was_not_changed(extension, assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | {"extensions-0-reason": "a long illness"}
    assert alice.post(page(assignment), sent).status_code == 302
    extension.refresh_from_db()
    assert (extension.due, extension.reason) == (DUE + timedelta(days=1), "a long illness")


def test_page_that_was_left_open_undoes_nothing(extension, assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment)))
    services.set_due_date(assignment, DUE - timedelta(days=2), by=cast.actor("alice"))
    services.grant_extensions(
        assignment, [services.Grant(extension.user.username, due=DUE + timedelta(days=9))], by=cast.actor("alice")
    )
    assert alice.post(page(assignment), {**sent, "max_attempts": "3"}).status_code == 302
    assignment.refresh_from_db()
    extension.refresh_from_db()
    assert (assignment.due, assignment.max_attempts) == (DUE - timedelta(days=2), 3)
    assert extension.due == DUE + timedelta(days=9)


def test_extension_is_withdrawn(extension, assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | {"extensions-0-DELETE": "on"}
    assert alice.post(page(assignment), sent).status_code == 302
    assert not assignment.extensions.exists()


def test_section_is_extended(extension, assignment, browser):
    Membership.objects.filter(user__username="dave").update(section="B")
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | row(1, section="B", due=when(DUE + timedelta(days=1)))
    assert alice.post(page(assignment), sent).status_code == 302
    assert assignment.extensions.get(user=None).section == "B"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"user": "erin", "due": ("2031-02-01", "12:00")}, "erin is not a member of NBG 101."),
        ({"user": "bob", "due": ("2031-02-01", "12:00")}, "A person or a section has one extension only."),
        ({"user": "dave"}, "An extension needs a due date, a cut-off or further attempts."),
        ({"due": ("2031-02-01", "12:00")}, "An extension is for a person or for a section."),
        ({"section": "Z", "due": ("2031-02-01", "12:00")}, "Select a valid choice"),
        ({"user": "dave", "due": ("2031-02-01", "")}, "Enter a valid time"),
        ({"user": "dave", "attempts": "-1"}, "greater than or equal to 0"),
        ({"user": "dave", "due": ("2031-02-01", "12:00"), "reason": "x" * 501}, "at most 500"),
    ],
)
def test_extension_that_makes_no_sense_is_said_on_the_form(extension, assignment, browser, values, message):
    alice = browser("alice")
    sent, before = as_sent(alice.get(page(assignment))) | row(1, **values), everything()
    answer = alice.post(page(assignment), sent)
    assert answer.status_code == 200 and message in answer.content.decode()
    assert everything() == before


def test_extension_without_effect_is_refused_in_a_sentence(extension, assignment, browser):
    alice = browser("alice")
    sent, before = as_sent(alice.get(page(assignment))) | row(1, user="dave", attempts="2"), everything()
    answer = alice.post(page(assignment), sent, follow=True)
    assert "has no attempt limit that could be extended." in answer.content.decode()
    assert everything() == before


def test_refused_extension_is_said_at_its_row_and_loses_nothing_else(extension, assignment, browser):
    Membership.objects.filter(user__username="bob").update(section="B")
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | row(1, user="dave", due=("2031-01-02", "12:00"), reason="a funeral")
    sent |= row(2, section="B", attempts="2") | {"extensions-0-reason": "still ill"}
    before = everything()
    answer = alice.post(page(assignment), sent)
    assert answer.status_code == 200 and everything() == before
    formset = answer.context["inline_admin_formsets"][0].formset
    refused = [each.non_field_errors() for each in formset.forms]
    assert refused == [[], [], ["ps1 has no attempt limit that could be extended."]]
    text = answer.content.decode()
    for typed in ("a funeral", "still ill", 'value="dave"', "2031-01-02"):
        assert typed in text
    # With the limit it has an effect.
    assert alice.post(page(assignment), {**sent, "max_attempts": "3"}).status_code == 302


def test_refused_deadline_is_said_on_the_form_and_loses_nothing_else(extension, assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | {"extensions-0-reason": "still ill"}
    sent |= {"cut_off_0": "2001-01-01", "cut_off_1": "12:00"}
    before = everything()
    answer = alice.post(page(assignment), sent)
    assert answer.status_code == 200 and everything() == before
    assert "would be before the due date" in answer.content.decode() and "still ill" in answer.content.decode()


def test_many_extensions_are_in_the_file_alone(extension, assignment, browser, monkeypatch):
    monkeypatch.setattr("exchange.admin.extensions.MAX_INLINE_EXTENSIONS", 0)
    alice = browser("alice")
    text = alice.get(page(assignment)).content.decode()
    assert "This assignment has 1 extension" in text and "extensions-0-due_0" not in text
    form = alice.get(page(assignment)).context["adminform"].form
    assert alice.post(page(assignment), {**flat(form), "max_attempts": "3", "_save": "Save"}).status_code == 302
    assignment.refresh_from_db()
    assert assignment.max_attempts == 3 and assignment.extensions.count() == 1


# Who may


def test_grader_sees_deadlines_and_extensions_and_changes_nothing(extension, assignment, browser):
    answer = browser("gina").get(page(assignment))
    text = answer.content.decode()
    assert answer.status_code == 200 and "illness" in text and "bob" in text
    assert "/admin/courses/user/" not in text  # which is for administrators
    assert 'name="extensions-0-due_0"' not in text and 'name="due_0"' not in text and 'name="_save"' not in text
    before = everything()
    assert browser("gina").post(page(assignment), {"due_0": "2031-01-01", "due_1": "12:00"}).status_code == 403
    assert everything() == before


def test_grader_extends_where_the_setting_says_so_and_sets_no_deadline(extension, assignment, browser, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    gina = browser("gina")
    shown = gina.get(page(assignment))
    assert 'name="due_0"' not in shown.content.decode()
    forged = {"due_0": "2040-01-01", "due_1": "12:00", "max_attempts": "1"}
    sent = as_sent(shown) | forged | row(1, user="dave", due=when(DUE + timedelta(days=1)))
    assert gina.post(page(assignment), sent).status_code == 302
    assert assignment.extensions.get(user__username="dave").granted_by == cast.person("gina")
    assignment.refresh_from_db()
    assert (assignment.due, assignment.max_attempts) == (DUE, None)


def test_grader_who_may_extend_unreleases_nothing(extension, assignment, browser, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    before = everything()
    browser("gina").post(
        "/admin/exchange/assignment/", {"action": "unrelease", "_selected_action": [str(assignment.pk)]}
    )
    assert everything() == before


@pytest.mark.parametrize("who", ["bob", "carol", "erin"])
def test_others_find_no_page(extension, assignment, browser, who):
    before = everything()
    assert browser(who).get(page(assignment)).status_code == 302
    assert browser(who).post(page(assignment), row(user="bob", due=("2031-02-01", "12:00"))).status_code == 302
    assert everything() == before


# Time zones


@pytest.fixture
def in_berlin(course):
    course.timezone = "Europe/Berlin"
    course.save()
    return course


def test_times_are_entered_in_the_zone_of_the_course(in_berlin, assignment, browser):
    alice = browser("alice")
    answer = alice.get(page(assignment))
    assert "In Europe/Berlin." in answer.content.decode()
    assert alice.post(page(assignment), as_sent(answer) | {"due_0": "2031-07-01", "due_1": "12:00"}).status_code == 302
    assignment.refresh_from_db()
    assert assignment.due == datetime(2031, 7, 1, 10, tzinfo=UTC)


def test_time_that_the_clocks_skip_is_said_on_the_form(in_berlin, assignment, browser):
    alice, before = browser("alice"), everything()
    sent = as_sent(alice.get(page(assignment))) | {"due_0": "2031-03-30", "due_1": "02:30"}
    answer = alice.post(page(assignment), sent)
    assert "2031-03-30 02:30 does not exist in Europe/Berlin" in answer.content.decode()
    assert everything() == before


def test_time_that_comes_twice_is_the_second_one(in_berlin, assignment, browser):
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | {"due_0": "2031-10-26", "due_1": "02:30"}
    assert alice.post(page(assignment), sent).status_code == 302
    assignment.refresh_from_db()
    assert assignment.due == datetime(2031, 10, 26, 1, 30, tzinfo=UTC)


def test_first_of_two_equal_times_stays_where_it_is_not_changed(in_berlin, assignment, browser):
    first = datetime(2031, 10, 26, 0, 30, tzinfo=UTC)
    services.set_due_date(assignment, first, by=cast.actor("alice"))
    alice = browser("alice")
    sent = as_sent(alice.get(page(assignment))) | {"max_attempts": "3"}
    assert alice.post(page(assignment), sent).status_code == 302
    assignment.refresh_from_db()
    assert (assignment.due, assignment.max_attempts) == (first, 3)
    assert (
        "2031-10-26 02:30 CEST"
        in alice.get(f"/admin/exchange/assignment/?course={assignment.course_id}").content.decode()
    )


def test_due_date_at_the_end_of_the_calendar_is_shown_and_kept(in_berlin, assignment, browser, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = False
    never = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    services.set_due_date(assignment, DUE, by=cast.actor("alice"))
    services.grant_extensions(assignment, [services.Grant("bob", due=never)], by=cast.actor("alice"))
    services.set_due_date(assignment, never, by=cast.actor("alice"))
    for who in ("alice", "gina"):
        assert browser(who).get("/view/course/NBG%20101/ps1/").status_code == 200
        assert browser(who).get("/admin/exchange/assignment/").status_code == 200
        assert "9999-12-31" in browser(who).get(page(assignment)).content.decode()
        assert browser(who).get(f"/admin/exchange/assignment/{assignment.pk}/extensions.csv").status_code == 200
    alice = browser("alice")
    assert alice.post(page(assignment), as_sent(alice.get(page(assignment))) | {"max_attempts": "3"}).status_code == 302
    assignment.refresh_from_db()
    assert (assignment.due, assignment.max_attempts) == (never, 3)


def test_page_says_that_only_staff_see_the_reason(extension, assignment, browser):
    assert "Only staff see it." in browser("alice").get(page(assignment)).content.decode()


def test_list_shows_the_release_time_in_the_zone_of_the_course(in_berlin, assignment, browser):
    services.set_deadlines(assignment, {"release_at": DUE}, by=cast.actor("alice"))
    listed = browser("alice").get("/admin/exchange/assignment/").content.decode()
    assert "to be released on 2031-01-02 13:00 CET" in listed


def test_form_that_is_sent_twice_grants_an_extension_once(assignment, browser):
    services.set_due_date(assignment, DUE, by=cast.actor("alice"))
    alice = browser("alice")
    sent = {**as_sent(alice.get(page(assignment))), **row(user="dave", due=("2031-01-09", "12:00"), reason="ill")}
    assert alice.post(page(assignment), sent).status_code == 302
    before = Extension.objects.values_list().get()
    again = alice.post(page(assignment), sent)
    assert again.status_code == 302
    assert '<li class="error">' not in alice.get(page(assignment)).content.decode()
    assert Extension.objects.values_list().get()[:5] == before[:5]
