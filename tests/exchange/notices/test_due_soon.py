"""Whose due dates are told to webhooks; test_mail.py has the rule for people."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from exchange import services
from exchange.notices import due_soon, webhooks
from exchange.notices.models import Event
from tests.cast import ELSEWHERE, PS1, Course, actor, upload

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
