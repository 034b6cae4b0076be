"""Events are written with what they tell of, and by sites that tell somebody alone."""

import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from courses.errors import DomainError
from exchange import receipts, services
from exchange.notices import webhooks
from exchange.notices.models import Event
from exchange.services import submitting
from tests import cast
from tests.cast import PS1, WORK, actor, upload

pytestmark = pytest.mark.django_db


def bodies():
    return [json.loads(event.body) for event in Event.objects.order_by("pk")]


def test_site_without_webhooks_and_mail_writes_no_event(submission):
    cast.return_feedback(submission, "alice")
    assert not Event.objects.exists()


def test_release_submission_and_feedback_are_events_with_the_api_addresses(webhook, course, settings):
    settings.NGSHARE_PUBLIC_ORIGIN = "https://hub.example.edu"
    release = services.release(course, "ps 1", upload(PS1), by=actor("alice"))
    submission, _ = services.submit(release.assignment, upload(WORK), by=actor("bob"))
    feedback = cast.return_feedback(submission, "gina")
    released, submitted, returned = bodies()
    assignment = "https://hub.example.edu/api/v2/courses/NBG%20101/assignments/ps%201/"
    assert released["type"] == "released" and released["timestamp"].endswith("Z")
    assert released["data"] == {
        "course": "NBG 101",
        "assignment": "ps 1",
        "release": 1,
        "digest": release.file_set.digest,
        "due": None,
        "cut_off": None,
        "links": {"assignment": assignment},
    }
    own = f"https://hub.example.edu/api/v2/submissions/{submission.pk}/"
    assert submitted["type"] == "submitted" and submitted["data"]["student"] == "bob"
    assert receipts.verify(submitted["data"]["receipt"]).valid
    assert submitted["data"]["links"] == {"assignment": assignment, "submission": own}
    assert returned["type"] == "feedback_returned"
    facts = {name: returned["data"][name] for name in ("student", "submission", "code", "feedback", "digest")}
    assert facts == {
        "student": "bob",
        "submission": submission.pk,
        "code": submission.code,
        "feedback": feedback.pk,
        "digest": feedback.file_set.digest,
    }


def test_links_are_paths_where_the_public_address_is_not_known(webhook, submission):
    assert bodies()[-1]["data"]["links"]["submission"] == f"/api/v2/submissions/{submission.pk}/"


def test_repeated_submission_is_one_event(webhook, assignment):
    for _ in range(2):
        services.submit(assignment, upload(WORK), by=actor("bob"), key="again")
    assert [body["type"] for body in bodies()] == ["released", "submitted"]


def test_submission_that_fails_late_leaves_no_event(webhook, assignment, monkeypatch):
    def break_off(*arguments):
        raise IntegrityError

    monkeypatch.setattr(submitting.quotas, "count", break_off)
    with pytest.raises(DomainError), transaction.atomic():
        services.submit(assignment, upload(WORK), by=actor("bob"))
    assert [body["type"] for body in bodies()] == ["released"]


def test_event_that_cannot_be_written_stops_the_submission(webhook, assignment, monkeypatch):
    monkeypatch.setattr("exchange.notices.models.secrets.token_hex", lambda size: "0" * 32)
    services.submit(assignment, upload(WORK), by=actor("bob"))
    with pytest.raises(DomainError), transaction.atomic():
        services.submit(assignment, upload(WORK), by=actor("dave"))
    assert assignment.submissions.count() == 1


def test_webhook_of_another_course_or_switched_off_is_told_nothing(course, receiver, webhook):
    elsewhere = cast.Course.objects.get(name=cast.ELSEWHERE)
    webhooks.change_webhook(webhook, {"course": elsewhere}, by=actor("root"))
    services.release(course, "ps1", upload(PS1), by=actor("alice"))
    assert not Event.objects.exists()
    services.release(elsewhere, "lab", upload(PS1), by=actor("carol"))
    assert len(bodies()) == 1
    webhooks.change_webhook(webhook, {"course": None, "active": False}, by=actor("root"))
    services.release(course, "ps2", upload(PS1), by=actor("alice"))
    assert len(bodies()) == 1


@pytest.mark.parametrize("act", ["release", "submit", "feedback"])
def test_telling_somebody_costs_one_query(course, assignment, submission, receiver, act):
    def run(number):
        if act == "release":
            services.release(course, "ps1", upload({"a": b"%d" % number}), by=actor("alice"), force=True)
        elif act == "submit":
            services.submit(assignment, upload({"a": b"%d" % number}), by=actor("bob"), key=f"{number}")
        else:
            cast.return_feedback(submission, "alice", b"%d" % number)

    def count(number):
        with CaptureQueriesContext(connection) as captured:
            run(number)
        return len(captured)

    run(0)
    before = count(1)
    webhooks.create_webhook("worker", receiver.url, ["submitted"], by=actor("root"))
    assert count(2) == before + 1


def test_someone_whose_role_ended_is_refused_as_before(webhook, course, monkeypatch):
    alice = actor("alice")
    course.memberships.filter(user__username="alice").delete()
    with pytest.raises(DomainError, match="not a member"):
        services.release(course, "ps1", upload(PS1), by=alice)
    assert not Event.objects.exists() and not course.assignments.exists()


def test_administrator_may_release_in_the_name_of_nobody_on_the_roster(webhook, course):
    services.release(course, "ps1", upload(PS1), by=actor("root"))
    assert len(bodies()) == 1
