"""Whose due dates are told to webhooks; test_mail.py has the rule for people."""

import itertools
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Membership
from exchange import deadlines, services
from exchange.models import Assignment, Extension
from exchange.notices import due_soon, webhooks
from exchange.notices.models import Event
from tests.cast import ELSEWHERE, PS1, Course, actor, person, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def assignment(assignment):
    due = timezone.now() + timedelta(hours=5)
    services.set_deadlines(assignment, {"due": due}, by=actor("alice"))
    return assignment


def told():
    return [json.loads(event.body)["data"]["student"] for event in Event.objects.filter(kind="due_soon").order_by("pk")]


def test_nobody_is_told_where_nobody_asks(assignment, receiver):
    webhooks.create_webhook("worker", receiver.url, ["submitted"], by=actor("root"))
    assert due_soon.find() == 0 and told() == []


def test_webhook_of_a_course_is_told_of_its_students_alone(assignment, receiver, course):
    elsewhere = Course.objects.get(name=ELSEWHERE)
    made, _ = webhooks.create_webhook("worker", receiver.url, ["due_soon"], course=elsewhere, by=actor("root"))
    assert due_soon.find() == 0
    webhooks.change_webhook(made, {"course": course}, by=actor("root"))
    assert due_soon.find() == 2 and due_soon.find() == 0
    assert sorted(told()) == ["bob", "dave"]


def test_number_of_queries_does_not_grow_with_students(assignment, receiver, course, django_assert_max_num_queries):
    webhooks.create_webhook("worker", receiver.url, ["due_soon"], by=actor("root"))
    services.release(course, "far away", upload(PS1), by=actor("alice"))
    with django_assert_max_num_queries(7):
        due_soon.find()


# Which assignments are looked at

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENTS = {"long ago": -900 * DAY, "past": -HOUR, "soon": 5 * HOUR, "later": 9 * DAY}
MIN_DAYS = 3


def make_assignments(course, dues):
    return Assignment.objects.bulk_create(
        Assignment(course=course, name=f"no {number}", due=due) for number, due in enumerate(dues)
    )


def join(username, until):
    """Let somebody have joined so long ago that everything is open to them until then."""
    Membership.objects.filter(user__username=username).update(created=until - MIN_DAYS * DAY)


@pytest.mark.parametrize("joined", [*MOMENTS, None])
def test_everybody_is_told_whose_deadline_in_force_is_near(assignment, receiver, course, joined):
    """All combinations of the assignment's time, an extension of one student, and when the others joined."""
    webhooks.create_webhook("worker", receiver.url, ["due_soon"], by=actor("root"))
    now = timezone.now()
    if joined:
        Course.objects.filter(pk=course.pk).update(min_days=MIN_DAYS)
        join("dave", now + MOMENTS[joined])
    Membership.objects.filter(user__username="bob").update(created=now - 900 * DAY)
    pairs = list(itertools.product(MOMENTS.values(), [*MOMENTS.values(), None]))
    made = make_assignments(course, [now + own for own, _ in pairs])
    bob, dave = person("bob"), person("dave")
    times = [(each, extended) for each, (_, extended) in zip(made, pairs, strict=True) if extended is not None]
    Extension.objects.bulk_create(
        Extension(assignment=each, user=bob, due=now + extended, created=now) for each, extended in times
    )
    dues = [
        (each, student, deadlines.in_force(each, student).due)
        for each in Assignment.objects.filter(course=course).select_related("course")
        for student in (bob, dave)
    ]
    near = {(each.pk, student.pk) for each, student, due in dues if now < due <= now + DAY}
    assert due_soon.find() == len(near) > 0
    assert set(Event.objects.filter(kind="due_soon").values_list("assignment_id", "person_id")) == near


def test_rule_for_late_registrants_does_not_look_at_old_assignments(
    assignment, receiver, course, django_assert_num_queries
):
    """What was due years ago is looked at only while somebody joined so late that it is due for them now."""
    webhooks.create_webhook("worker", receiver.url, ["due_soon"], by=actor("root"))
    Course.objects.filter(pk=course.pk).update(min_days=MIN_DAYS)
    Membership.objects.filter(course=course).update(created=timezone.now() - 900 * DAY)
    due_soon.find()
    make_assignments(course, [timezone.now() - 800 * DAY] * 30)
    Membership.objects.filter(user__username="alice").update(created=timezone.now() - 2 * DAY)  # who teaches it
    with django_assert_num_queries(4):  # ps1 is near
        assert due_soon.find() == 0
    join("bob", timezone.now() + HOUR)
    assert due_soon.find() == 30 and due_soon.find() == 0
