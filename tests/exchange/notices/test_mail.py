"""Mail: who gets which, once, and how much at most. A real mail server is in tests/live/test_notices.py."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from courses import people
from courses.models import AuditEntry, Membership
from exchange import services
from exchange.notices import choices, deliveries, webhooks
from exchange.notices import mail as mailing
from exchange.notices.models import Delivery, Event, MailChoice, State
from exchange.services import Grant
from tests import cast
from tests.cast import PS1, WORK, actor, upload
from tests.exchange.notices.steps import pass_time, send

pytestmark = pytest.mark.django_db


def letters():
    """[(address, subject)] of what was sent since the last time."""
    sent = [(message.to[0], message.subject) for message in mail.outbox]
    mail.outbox.clear()
    return sorted(sent)


@pytest.fixture
def assignment(mail_on, assignment):
    """ps1, whose release was told already."""
    send()
    mail.outbox.clear()
    return assignment


def submit(assignment, username="bob", text=b"42"):
    return services.submit(assignment, upload({"ps1.ipynb": text}), by=actor(username))[0]


def test_release_is_mailed_to_students_with_an_address(mail_on, course):
    services.release(course, "ps1", upload(PS1), by=actor("alice"))
    send()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 was released")]
    states = [delivery.state for delivery in Delivery.objects.all()]
    assert states == [State.SENT]  # dave has no address


def test_submission_is_mailed_to_its_student_with_the_receipt(assignment):
    submission = submit(assignment)
    send()
    (message,) = mail.outbox
    assert message.to == ["bob@example.edu"] and message.subject == "[NBG 101] ps1 was submitted"
    assert "Receipt:  " in message.body and submission.file_set.digest in message.body
    assert f"https://hub.example.edu/view/submission/{submission.pk}/\n" in message.body
    choice = "https://hub.example.edu/view/notices/"
    assert message.body.rstrip().endswith(choice)
    headers = message.message()
    assert headers["List-Unsubscribe"] == f"<{choice}>" and headers["Auto-Submitted"] == "auto-generated"
    assert headers.get_content_type() == "text/plain"


def test_feedback_is_mailed_to_the_student(assignment):
    cast.return_feedback(submit(assignment), "alice")
    send()
    assert ("bob@example.edu", "[NBG 101] Feedback on ps1") in letters()


def test_trial_of_staff_is_not_mailed(assignment):
    submit(assignment, "gina")
    send()
    assert letters() == []


def test_line_break_in_a_name_stays_out_of_the_headers(mail_on, course):
    course.name = "NBG\n101"
    course.save()
    services.release(course, "ps1", upload(PS1), by=actor("alice"))
    send()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 was released")]


def test_site_that_mails_other_kinds_writes_nothing(assignment, settings):
    settings.NGSHARE_MAIL = ["feedback_returned"]
    before = Event.objects.count()
    submit(assignment)
    assert Event.objects.count() == before


def test_who_does_not_want_it_gets_none(assignment):
    choices.choose(["released"], by=actor("bob"))
    submit(assignment)
    send()
    assert letters() == [] and choices.wanted(by=actor("bob")) == ["released"]


def test_who_changes_their_mind_before_it_is_sent_gets_none(assignment):
    submit(assignment)
    send_nothing = Delivery.objects.filter(state=State.WAITING)
    from_event = Event.objects.get(kind="submitted")
    Delivery.objects.create(event=from_event, user=cast.person("bob"), next_attempt=timezone.now())
    Event.objects.update(ready_at=None)
    choices.choose([], by=actor("bob"))
    send()
    assert letters() == [] and not send_nothing.exists()
    assert Delivery.objects.latest("pk").error == "They do not want it."


def test_choice_of_what_the_site_does_not_mail_now_is_kept(mail_on, course, settings):
    choices.choose(["submitted"], by=actor("bob"))
    settings.NGSHARE_MAIL = ["submitted"]
    choices.choose([], by=actor("bob"))
    settings.NGSHARE_MAIL = ["submitted", "released"]
    assert choices.wanted(by=actor("bob")) == []


def test_many_submissions_in_an_hour_are_two_mails_the_last_with_the_newest_receipt(assignment):
    submit(assignment)
    send()
    for number in range(5):
        newest = submit(assignment, text=b"%d" % number)
    send()
    assert len(letters()) == 1
    pass_time(minutes=61)
    send()
    (message,) = mail.outbox
    assert newest.file_set.digest in message.body
    dropped = Delivery.objects.filter(state=State.DROPPED)
    assert {*dropped.values_list("error", flat=True)} == {"A newer one follows."} and dropped.count() == 4


def test_person_gets_so_many_mails_a_day(assignment, course, settings):
    settings.NGSHARE_MAIL_PER_DAY = 2
    for number in range(4):
        services.release(course, f"more {number}", upload(PS1), by=actor("alice"))
    send()
    assert len(letters()) == 1  # ps1 was the first
    assert Delivery.objects.filter(state=State.DROPPED, error__contains="NGSHARE_MAIL_PER_DAY").count() == 3
    pass_time(hours=25)
    submit(assignment)
    send()
    assert len(letters()) == 1


def test_person_who_left_the_course_gets_none(assignment):
    submission = submit(assignment)
    send()
    letters()
    Membership.objects.filter(user__username="bob").delete()
    cast.return_feedback(submission, "alice")
    send()
    assert letters() == []


def test_server_that_fails_gets_it_later(assignment, monkeypatch):
    real = EmailBackend.send_messages

    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    submit(assignment)
    send()
    delivery = Delivery.objects.latest("pk")
    assert delivery.state == State.WAITING and delivery.error == "The mail server failed: SMTPServerDisconnected."
    monkeypatch.setattr(EmailBackend, "send_messages", real)
    pass_time(minutes=1)
    send()
    assert len(letters()) == 1


def test_server_that_fails_is_left_alone_for_a_while(mail_on, course, monkeypatch):
    tried = []

    def refuse(self, messages):
        tried.append(messages)
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    for number in range(3):
        services.release(course, f"ps{number}", upload(PS1), by=actor("alice"))
    send()
    assert len(tried) == 1
    assert {*Delivery.objects.values_list("state", flat=True)} == {State.WAITING}


def test_address_that_is_none_is_given_up_and_stops_nobody(assignment):
    Membership.objects.filter(user__username="dave").update(email="dave\n@example.edu")
    submit(assignment, "dave")
    submit(assignment, "bob")
    send()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 was submitted")]
    assert Delivery.objects.get(user__username="dave").error == "The address on the roster is no mail address."


@pytest.mark.parametrize(("code", "state"), [(550, State.GIVEN_UP), (450, State.WAITING)])
def test_address_that_is_refused_for_ever_is_given_up(assignment, monkeypatch, code, state):
    def refuse(self, messages):
        raise smtplib.SMTPRecipientsRefused({"bob@example.edu": (code, b"no")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    submit(assignment)
    send()
    assert Delivery.objects.latest("pk").state == state


@pytest.mark.parametrize(("code", "state"), [(554, State.GIVEN_UP), (452, State.WAITING)])
def test_mail_that_a_filter_refuses_stops_no_other(assignment, monkeypatch, code, state):
    Membership.objects.filter(user__username="dave").update(email="dave@example.edu")
    real = EmailBackend.send_messages

    def refuse(self, messages):
        if messages[0].to == ["dave@example.edu"]:
            raise smtplib.SMTPDataError(code, b"I do not like it")
        return real(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    submit(assignment, "dave")
    submit(assignment, "bob")
    send()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 was submitted")]
    refused = Delivery.objects.get(user__username="dave")
    assert (refused.state, refused.error) == (state, f"The mail server refused the mail: {code}.")


def test_slow_server_does_not_get_a_mail_twice(assignment, monkeypatch):
    """What is left when most of the time for a batch is over, is left for later: another sender may take it."""
    monkeypatch.setattr(mailing, "TAKEN", timedelta(0))
    submit(assignment, "bob")
    assert deliveries.make() == 1 and mailing.send_due() == 1 and letters() == []
    delivery = Delivery.objects.latest("pk")
    assert (delivery.state, delivery.attempts) == (State.WAITING, 0)


# Due soon


@pytest.fixture
def due_tomorrow(assignment):
    due = timezone.now() + timedelta(hours=20)
    services.set_deadlines(assignment, {"due": due}, by=actor("alice"))
    return assignment


def test_who_has_submitted_nothing_is_told_once_that_it_is_due(due_tomorrow, settings):
    Membership.objects.filter(user__username="dave").update(email="dave@example.edu")
    submit(due_tomorrow, "dave")
    look()
    assert ("bob@example.edu", "[NBG 101] ps1 is due soon") in (sent := letters())
    assert ("dave@example.edu", "[NBG 101] ps1 is due soon") not in sent
    look()
    pass_time(hours=2)
    look()
    assert letters() == []


def test_extension_is_what_counts(due_tomorrow):
    later = timezone.now() + timedelta(days=3)
    services.grant_extensions(due_tomorrow, [Grant(student="bob", due=later)], by=actor("alice"))
    look()
    assert letters() == []
    services.set_deadlines(due_tomorrow, {"due": timezone.now() - timedelta(days=1)}, by=actor("alice"))
    tomorrow = timezone.now() + timedelta(hours=20)
    services.grant_extensions(due_tomorrow, [Grant(student="bob", due=tomorrow)], by=actor("alice"))
    look()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 is due soon")]


def test_new_due_date_is_told_again(due_tomorrow):
    look()
    assert len(letters()) == 1
    pass_time(hours=2)
    due = timezone.now() + timedelta(hours=22)
    services.grant_extensions(due_tomorrow, [Grant(student="bob", due=due)], by=actor("alice"))
    look()
    assert len(letters()) == 1


def test_late_registrant_is_told_of_their_own_date(due_tomorrow, course):
    services.set_deadlines(due_tomorrow, {"due": timezone.now() - timedelta(days=5)}, by=actor("alice"))
    look()
    assert letters() == []
    course.min_days = 3
    course.save()
    Membership.objects.filter(user__username="bob").update(created=timezone.now() - timedelta(days=2, hours=4))
    look()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 is due soon")]


@pytest.mark.parametrize("happened", ["submitted", "extended", "is past"])
def test_what_does_not_hold_any_more_is_not_mailed(due_tomorrow, monkeypatch, happened):
    """Mail may wait for its server for days."""
    real = EmailBackend.send_messages

    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    look()
    delivery = Delivery.objects.get(event__kind="due_soon", user__username="bob")
    assert delivery.state == State.WAITING
    if happened == "submitted":
        submit(due_tomorrow, "bob")
    elif happened == "extended":
        later = timezone.now() + timedelta(days=3)
        services.grant_extensions(due_tomorrow, [Grant(student="bob", due=later)], by=actor("alice"))
    else:
        services.set_deadlines(due_tomorrow, {"due": timezone.now() - timedelta(hours=1)}, by=actor("alice"))
    monkeypatch.setattr(EmailBackend, "send_messages", real)
    pass_time(minutes=2)
    send()
    delivery.refresh_from_db()
    assert delivery.state == State.DROPPED and "no longer due" in delivery.error
    assert ("bob@example.edu", "[NBG 101] ps1 is due soon") not in letters()


def test_assignment_that_is_not_shown_is_not_due(due_tomorrow):
    services.unrelease(due_tomorrow, by=actor("alice"))
    look()
    assert letters() == [] and not Event.objects.filter(kind="due_soon").exists()


def look():
    """Look for what is due soon, as the sender does now and then, and send."""
    cache.clear()
    send()


# People


def test_merged_person_gets_each_mail_once_and_keeps_their_choice(mail_on, course):
    Membership.objects.filter(user__username="dave").update(email="dave@example.edu")
    services.release(course, "ps1", upload(PS1), by=actor("alice"))
    deliveries.make()
    choices.choose(["released"], by=actor("dave"))
    people.merge(cast.person("dave"), cast.person("bob"), by=actor("root"))
    send()
    assert letters() == [("bob@example.edu", "[NBG 101] ps1 was released")]
    assert MailChoice.objects.get().user == cast.person("bob")


def test_what_names_a_person_goes_when_they_are_anonymised(assignment):
    submit(assignment)
    people.anonymise(cast.person("bob"), by=actor("root"))
    assert "bob" not in repr(list(Event.objects.values_list("body", flat=True)))
    send()
    assert letters() == []


def test_webhook_without_mail_sends_no_mail(course, receiver, settings):
    webhooks.create_webhook("worker", receiver.url, ["released"], by=actor("root"))
    Membership.objects.update(email="x@example.edu")
    services.release(course, "ps1", upload(WORK), by=actor("alice"))
    send()
    assert len(receiver.received) == 1 and letters() == []


# The language


def test_mail_is_in_the_language_that_the_person_chose(assignment):
    choices.choose(["submitted"], language="de", by=actor("bob"))
    submit(assignment)
    submit(assignment, "gina")  # a trial, of which nobody is told
    send()
    (message,) = mail.outbox
    assert message.subject == "[NBG 101] ps1 wurde abgegeben"
    assert "Deine Abgabe von ps1 wurde am " in message.body and "Beleg:    " in message.body
    assert "Wähle, welche du bekommst:\nhttps://hub.example.edu/view/notices/\n" in message.body


def test_mail_is_in_the_language_of_the_site_without_a_choice(settings, mail_on, course):
    settings.LANGUAGE_CODE = "de"
    choices.choose(["released", "due_soon"], language="en", by=actor("dave"))
    Membership.objects.filter(user__username="dave").update(email="dave@example.edu")
    due = timezone.now() + timedelta(days=9)
    services.release(course, "ps1", upload(PS1), due=due, by=actor("alice"))
    send()
    texts = {message.to[0]: message.body for message in mail.outbox}
    assert "ps1 was released in NBG 101. It is due " in texts["dave@example.edu"]
    assert "ps1 wurde in NBG 101 freigegeben. Die Frist endet am " in texts["bob@example.edu"]
    assert f"{due:%d.%m.%Y}" in texts["bob@example.edu"]


def test_choice_of_a_language_keeps_what_is_wanted_and_stands_in_the_log(mail_on):
    choices.choose(["released"], by=actor("bob"))
    choices.choose(["released"], language="de", by=actor("bob"))
    choices.choose(["released"], by=actor("bob"))
    choice = MailChoice.objects.get()
    assert choice.language == "de" and "released" not in choice.unwanted
    details = [entry.details for entry in AuditEntry.objects.filter(action="choose notices").order_by("pk")]
    assert "language" not in details[0] and details[1]["language"] == "de" and len(details) == 2
