"""The admin: every page opens for administrators; of others each sees their own courses and nothing else."""

import pytest
from django.contrib import admin

from courses.models import Membership
from tests import cast

MODELS = [pytest.param(model, id=model._meta.label) for model in admin.site._registry]


def lists(model):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_every_row_opens_for_an_administrator(submission, browser, model):
    root = browser("root")
    assert root.get(lists(model)).status_code == 200
    for row in model._default_manager.all()[:3]:
        assert root.get(f"{lists(model)}{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["bob", "erin"])
def test_students_and_outsiders_see_no_page(submission, browser, model, who):
    assert browser(who).get(lists(model)).status_code in (302, 403)


@pytest.mark.parametrize("model", MODELS)
def test_instructor_of_another_course_sees_no_row_of_this_one(submission, browser, model):
    carol = browser("carol")
    answer = carol.get(lists(model))
    assert answer.status_code in (200, 302, 403)
    assert cast.COURSE not in answer.content.decode()
    for row in model._default_manager.all()[:3]:
        if getattr(row, "name", "") != cast.ELSEWHERE and cast.ELSEWHERE not in str(row):
            shown = carol.get(f"{lists(model)}{row.pk}/change/")
            assert shown.status_code in (302, 403, 404), row


def test_removed_instructor_loses_admin_at_once(course, browser):
    alice = browser("alice")
    assert alice.get("/admin/").status_code == 200
    Membership.objects.filter(user__username="alice").delete()
    assert alice.get("/admin/", follow=False).status_code == 302
