"""The admin: every page opens for administrators; of others each sees their own courses and nothing else."""

import html
import re

import pytest
from django.contrib import admin

from courses.models import Membership
from tests import cast
from tests.exchange.admin.pages import FOR_ADMINISTRATORS

MODELS = [pytest.param(model, id=model._meta.label) for model in admin.site._registry]


def lists(model):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_every_row_opens_for_an_administrator(submission, browser, model):
    root = browser("root")
    assert root.get(lists(model)).status_code == 200
    for row in model._default_manager.all()[:3]:
        assert root.get(f"{lists(model)}{row.pk}/change/").status_code == 200


NOTATION = re.compile(r"[{\[](&quot;|&#x27;)|\bNone\b|\bTrue\b|\bFalse\b")


@pytest.mark.parametrize("model", MODELS)
def test_no_page_shows_json_or_python(submission, browser, model):
    cast.return_feedback(submission, "alice")
    root = browser("root")
    pages = [lists(model), *(f"{lists(model)}{row.pk}/change/" for row in model._default_manager.all()[:3])]
    for page in pages:
        text = re.sub(r"<script.*?</script>|<[^>]*>", " ", root.get(page).content.decode(), flags=re.DOTALL)
        assert not NOTATION.search(text), (page, NOTATION.search(text))


def test_receipt_is_told_by_its_number_and_code(submission, browser):
    page = browser("gina").get(f"/admin/exchange/submission/{submission.pk}/change/").content.decode()
    assert f"Number {submission.pk}, short code <code>" in page and "signature <code>" in page


@pytest.mark.wide
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["bob", "erin"])
def test_students_and_outsiders_see_no_page(submission, browser, model, who):
    assert browser(who).get(lists(model)).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_instructor_of_another_course_sees_no_row_of_this_one(submission, browser, model):
    carol = browser("carol")
    answer = carol.get(lists(model))
    assert answer.status_code == (403 if model in FOR_ADMINISTRATORS else 200)
    assert cast.COURSE not in answer.content.decode()
    for row in model._default_manager.all()[:3]:
        if getattr(row, "name", "") != cast.ELSEWHERE and cast.ELSEWHERE not in str(row):
            shown = carol.get(f"{lists(model)}{row.pk}/change/")
            assert shown.status_code == (403 if model in FOR_ADMINISTRATORS else 302), row


def test_removed_instructor_loses_admin_at_once(course, browser):
    alice = browser("alice")
    assert alice.get("/admin/").status_code == 200
    Membership.objects.filter(user__username="alice").delete()
    assert alice.get("/admin/", follow=False).status_code == 302


@pytest.mark.wide
@pytest.mark.parametrize("who", ["alice", "gina", "root"])
def test_no_page_links_to_one_that_is_refused(submission, browser, who):
    someone = browser(who)
    ahead, seen = ["/admin/"], {"/admin/"}
    while ahead:
        page = ahead.pop()
        answer = someone.get(page)
        assert answer.status_code == 200, page
        if answer.streaming:
            continue
        for link in re.findall(r'href="(/admin/[^"#]*|\?[^"#]*)"', answer.content.decode()):
            link = html.unescape(link)
            address = page.partition("?")[0] + link if link.startswith("?") else link
            kind = re.sub(r"=[^&]*", "", address)  # one page for each set of questions
            if kind not in seen and address.count("=") <= 1:
                seen.add(kind)
                ahead.append(address)
    assert len(seen) > 40


def test_state_of_a_hand_in_is_said_in_words(submission, browser):
    alice = browser("alice")
    page = alice.get(f"/admin/exchange/submission/{submission.pk}/change/").content.decode()
    assert "submitted" in page and "all their submissions" in page and "/admin/courses/user/" not in page
    type(submission).objects.update(collected_at="2026-01-02T00:00Z", withdrawn_at="2026-01-03T00:00Z")
    assert "in the trash, collected" in alice.get("/admin/exchange/submission/").content.decode()
