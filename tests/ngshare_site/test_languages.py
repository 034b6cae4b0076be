"""The language of pages and APIs: what the reader asks for, and what they chose at the foot of a page."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import engines
from django.utils import translation

from courses.sizes import readable_size
from courses.templatetags.times import local, local_seconds
from courses.timestamps import local_text
from tests.cast import COURSE
from tests.ngshare_site.commands import run

GERMAN = {"headers": {"accept-language": "de-AT, en;q=0.5"}}
DUE = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def text_of(reply, status=200):
    assert reply.status_code == status
    return reply.content.decode()


@pytest.mark.parametrize(
    ("header", "language", "heading"),
    [
        ("", "en", "Your courses"),
        ("fr", "en", "Your courses"),
        ("en-GB, de", "en", "Your courses"),
        ("de", "de", "Deine Kurse"),
    ],
)
def test_page_is_in_the_language_that_the_browser_asks_for(course, browse, header, language, heading):
    reply = browse("bob").get("/", headers={"accept-language": header} if header else {})
    text = text_of(reply)
    assert f'<html lang="{language}">' in text and f"<h1>{heading}</h1>" in text
    assert reply.headers["Content-Language"] == language and "Accept-Language" in reply.headers["Vary"]


def test_site_may_have_another_language_for_those_who_ask_for_none(course, browse, settings):
    settings.LANGUAGE_CODE = "de"
    assert "<h1>Deine Kurse</h1>" in text_of(browse("bob").get("/"))
    assert "<h1>Your courses</h1>" in text_of(browse("bob").get("/", headers={"accept-language": "en"}))


def test_language_of_one_request_is_not_that_of_the_next(course, browse):
    browser = browse("bob")
    before = translation.get_language()
    assert "Deine Kurse" in text_of(browser.get("/", **GERMAN))
    assert translation.get_language() == before
    assert "Your courses" in text_of(browser.get("/"))


def test_choice_at_the_foot_holds_and_keeps_the_page(submission, browse):
    browser = browse("bob")
    page = f"/view/submission/{submission.pk}/?submitted"
    text = text_of(browser.get(page))
    assert f'name="next" value="{page}"' in text and 'value="de" lang="de">Deutsch</button>' in text
    assert '<strong lang="en" aria-current="true">English</strong>' in text
    reply = browser.post("/language/", {"language": "de", "next": page})
    assert (reply.status_code, reply.headers["Location"]) == (302, page)
    cookie = reply.cookies["ngshare-language"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (settings.PREFIX, "Lax", True)
    assert "<strong>Abgegeben.</strong>" in text_of(browser.get(page, headers={"accept-language": "en"}))


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", ""])
def test_choice_leads_to_no_other_site(course, browse, wanted):
    reply = browse("bob").post("/language/", {"language": "de", "next": wanted}, headers={"host": "testserver"})
    assert (reply.status_code, reply.headers["Location"]) == (302, "/")


def test_choice_needs_the_token_of_a_page(course, client):
    client.handler.enforce_csrf_checks = True
    assert client.post("/language/", {"language": "de"}).status_code == 403


def test_unknown_language_is_no_choice(course, browse):
    assert "ngshare-language" not in browse("bob").post("/language/", {"language": "tlh"}).cookies


def test_answer_to_a_form_leads_to_the_start_after_another_language(course, browse):
    assert 'name="next" value="/"' in text_of(browse("bob").post("/logout/"))


def test_page_of_an_error_is_in_the_language_of_the_reader(course, browse):
    assert "<h1>Nicht gefunden</h1>" in text_of(browse("bob").get("/view/nowhere/", **GERMAN), 404)


def test_api_v2_speaks_the_language_that_is_asked_for_and_keeps_its_codes(course, client):
    headers = {"authorization": "token bob"}
    english = client.get("/api/v2/nowhere/", headers=headers)
    german = client.get("/api/v2/nowhere/", headers={**headers, **GERMAN["headers"]})
    assert json.loads(english.content)["message"] == "There is nothing at this address."
    assert json.loads(german.content)["message"] == "Unter dieser Adresse gibt es nichts."
    assert json.loads(english.content)["code"] == json.loads(german.content)["code"] == "not_found"


@pytest.mark.parametrize("headers", [{}, {"authorization": "token erin"}, {"authorization": "nonsense"}])
def test_api_v1_is_in_english_for_everybody(assignment, client, headers):
    address = f"/course/{COURSE}"
    plain = client.get(address, headers=headers)
    asked = client.get(address, headers={**headers, "accept-language": "de"})
    assert (asked.status_code, asked.content) == (plain.status_code, plain.content)
    assert asked.headers["Content-Language"] == "en"


def test_body_that_is_too_large_for_api_v1_is_refused_in_english(assignment, client, settings):
    settings.NGSHARE_API_V1_MAX_BODY = 1_500
    address, headers = f"/submission/{COURSE}/ps1", {"authorization": "token bob", "accept-language": "de"}
    reply = client.post(address, {"files": "x" * 1_600}, headers=headers)
    assert reply.status_code == 413 and "The request is 1." in json.loads(reply.content)["message"]


# Times, sizes and numbers


@pytest.mark.parametrize(
    ("language", "minute", "second", "named", "size", "small"),
    [
        (
            "en",
            "2026-11-30 23:59 CET",
            "2026-11-30 23:59:00 CET",
            "2026-11-30 23:59 CET (Europe/Berlin)",
            "1.5 MB",
            "12 bytes",
        ),
        (
            "de",
            "30.11.2026 23:59 MEZ",
            "30.11.2026 23:59:00 MEZ",
            "30.11.2026 23:59 MEZ (Europe/Berlin)",
            "1,5 MB",
            "12 Byte",
        ),
    ],
)
def test_times_and_sizes_are_written_as_the_language_writes_them(language, minute, second, named, size, small):
    with translation.override(language):
        assert local(DUE, BERLIN) == minute
        assert (
            engines["django"]
            .from_string("{% load times tz %}{% timezone 'Europe/Berlin' %}{{ due|local_seconds }}{% endtimezone %}")
            .render({"due": DUE})
            == second
        )
        assert local_text(DUE, BERLIN) == named
        assert (readable_size(1_500_000), readable_size(12)) == (size, small)
        assert local_seconds(None) == ""


def test_dates_of_browsers_forms_are_understood_in_every_language(assignment, browse):
    browser = browse("alice")
    sent = {"form": "deadlines", "due_0": "2026-11-30", "due_1": "23:59:00"}
    address = f"/view/course/{COURSE}/ps1/deadlines/"
    assert 'type="date"' in text_of(browser.get(address, **GERMAN))
    reply = browser.post(address, sent, follow=True, **GERMAN)
    assert "Frist: keine → 30.11.2026 23:59 UTC" in text_of(reply)


def test_overview_is_in_the_language_of_each_administrator(submission, browse):
    browser = browse("root")
    assert "Times are in UTC" in text_of(browser.get("/admin/overview/"))
    text = text_of(browser.get("/admin/overview/", **GERMAN))
    assert "Größte Kurse" in text and "Byte" in text and " bytes" not in text


def test_commands_speak_english_where_the_site_speaks_german(tmp_path):
    done = run("check_hub", cwd=tmp_path, NGSHARE_DATA=str(tmp_path), NGSHARE_LANGUAGE="de", NGSHARE_STANDALONE="1")
    english = run("check_hub", cwd=tmp_path, NGSHARE_DATA=str(tmp_path), NGSHARE_STANDALONE="1")
    assert (done.stdout, done.stderr) == (english.stdout, english.stderr)


def test_texts_of_the_script_are_in_the_language_of_the_page(assignment, browse):
    text = text_of(browse("bob").get(f"/view/course/{COURSE}/ps1/submit/", **GERMAN))
    texts = json.loads(text.partition('id="texts"')[2].partition(">")[2].partition("</script>")[0])
    assert texts["MISSING"] == "FEHLT" and "{count}" in texts["files"]
