"""Sentences are in the language that a request asks for; codes, and all that programs read, are the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Membership
from exchange import services
from exchange.models import Assignment
from exchange.services import Grant
from tests import cast
from tests.cast import PS1, WORK, actor, of_assignment, post_bundle, v2

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}


@pytest.fixture
def late(submission):
    """bob's submission of ps1, which is late by two days and an hour, and an extension of dave's."""
    due = submission.created - timedelta(days=2, hours=1)
    services.set_due_date(submission.assignment, due, by=actor("alice"))
    grant = Grant("dave", due=due + timedelta(days=9), reason="ill")
    services.grant_extensions(submission.assignment, [grant], by=actor("alice"))
    return submission


def refusal(answer):
    error = answer.json()
    return answer.status_code, error["code"], error["message"]


def test_errors_of_submitting_are_in_german(assignment):
    Assignment.objects.update(cut_off=timezone.now() - timedelta(days=1))
    body = cast.bundle(WORK)
    english = refusal(post_bundle(cast.client("bob"), of_assignment("submissions"), body))
    german = refusal(post_bundle(cast.client("bob"), of_assignment("submissions"), body, accept_language="de"))
    assert english[:2] == german[:2] == (409, "closed")
    assert "nothing is accepted after that" in english[2] and "seitdem wird nichts mehr angenommen" in german[2]
    Assignment.objects.update(cut_off=None, max_attempts=1)
    assignment.refresh_from_db()
    cast.submit(assignment, "bob")
    german = refusal(post_bundle(cast.client("bob"), of_assignment("submissions"), body, accept_language="de"))
    assert german[:2] == (409, "no_attempts_left")
    assert german[2] == "Du hast ps1 1-mal abgegeben, erlaubt sind 1. Was du abgegeben hast, bleibt erhalten."


def test_errors_of_releasing_are_in_german(assignment, alice):
    answer = post_bundle(alice, of_assignment("releases"), cast.bundle(PS1), accept_language="de")
    assert refusal(answer) == (
        409,
        "already_released",
        "ps1 ist in NBG 101 schon freigegeben; gib die Aufgabe mit --force erneut frei.",
    )


def test_errors_of_extending_are_in_german(assignment, alice):
    sent = {"student": "bob", "due": "2031-01-01T12:00:00Z"}
    answer = alice.post(of_assignment("extensions"), {"extensions": [sent]}, format="json", **GERMAN)
    assert refusal(answer)[1:] == ("bad_request", "ps1 hat keine Frist, die verlängert werden könnte.")
    Assignment.objects.update(due=timezone.now())
    answer = alice.post(
        of_assignment("extensions"), {"extensions": [{**sent, "student": "erin"}]}, format="json", **GERMAN
    )
    assert refusal(answer) == (404, "not_found", "erin gehört nicht zu NBG 101.")


def test_json_has_the_same_words_in_all_languages(late, alice):
    Membership.objects.filter(user__username="bob").delete()
    for address in (v2("courses", cast.COURSE, "status"), v2("submissions"), v2("submissions", late.pk)):
        english, german = (alice.get(address, HTTP_ACCEPT_LANGUAGE=code) for code in ("en", "de"))
        assert english.status_code == 200 and english.json() == german.json()
