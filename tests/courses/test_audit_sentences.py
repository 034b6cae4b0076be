"""The audit log as people read it."""

import re
from pathlib import Path

import pytest
from django.utils import timezone

from courses.audit_sentences import SENTENCES, as_text, details_of, sentence_of
from courses.models import AuditEntry
from tests import cast

ROOT = Path(__file__).parents[2]
DUE = "2026-11-30T22:59:00+00:00"
READ = "2026-11-30 23:59 CET"


def entry(action, actor="alice", target="ps1", **details):
    return AuditEntry(action=action, actor=actor, target=target, details=details)


@pytest.mark.parametrize(
    ("recorded", "sentence"),
    [
        (entry("release", number=2), "alice released ps1 (release 2)"),
        (entry("submit", actor="bob", submission=7, student="bob"), "bob submitted ps1"),
        (entry("submit", actor="bob", submission=7, student="zoe"), "bob submitted ps1 for zoe"),
        (entry("collect", submissions=[7]), "alice collected 1 submission of ps1"),
        (entry("collect", submissions=[7, 8]), "alice collected 2 submissions of ps1"),
        (entry("set due date", due=DUE), f"alice set the due date of ps1: due date {READ}"),
        (entry("set deadlines", due=None, cut_off=DUE),
         f"alice set the deadlines of ps1: due date none, cut-off {READ}"),
        (entry("grant extension", to={"bob": {"due": DUE}}),
         f"alice granted an extension of ps1 to bob (due date {READ})"),
        (entry("grant extension", to={"bob": {}, "section B": {}}),
         "alice granted an extension of ps1 to bob, section B"),
        (entry("withdraw extension", of=["bob"]), "alice withdrew the extension of ps1 of bob"),
        (entry("change member", target="bob", was="student", given="grader"), "alice changed bob: student → grader"),
        (entry("change member", target="bob", was="student", given="student"), "alice changed bob"),
        (entry("change roles", was={"bob": "student"}, given="grader"), "alice made bob grader"),
        (entry("rename user", target="robert", was="bob"), "alice renamed bob to robert"),
        (entry("anonymise user", target="anonymous-5"), "alice anonymised somebody, who is now anonymous-5"),
        (
            entry("change roster", "", "NBG 101", created=list("abcdefg"), changed=[], removed=["x"], source="CSV"),
            "The server changed the roster from CSV: added a, b, c, d, e and 2 others; removed x",
        ),
        (entry("collect garbage", "", "", blobs=1), "The server removed what nothing uses any more: 1 blob"),
        (entry("dance", target="the hall"), "alice: dance the hall"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_entries_are_sentences(recorded, sentence):
    with timezone.override("Europe/Berlin"):
        assert sentence_of(recorded) == sentence


@pytest.mark.parametrize("action", SENTENCES)
def test_sentence_of_an_entry_without_details_is_one(action):
    """Entries of earlier versions may lack what this one records."""
    assert re.fullmatch(r"[^{}\[\]]+", sentence_of(entry(action)))


def test_every_action_in_the_sources_has_a_sentence():
    written = set()
    for app in ("courses", "exchange", "ngshare_site"):
        for file in (ROOT / app).rglob("*.py"):
            written |= set(re.findall(r'(?:audit\.record|_record)\(\s*"([a-z][A-Za-z ]+)"', file.read_text()))
    assert len(written) > 20 and written <= set(SENTENCES), written - set(SENTENCES)


def test_details_have_no_notation():
    details = {"to": {"bob": {"due": DUE, "attempts": 2}}, "was": None, "ok": True, "names": ["a", "b"], "gone_id": 3}
    with timezone.override("Europe/Berlin"):
        assert details_of(AuditEntry(details=details)) == [
            ("to", "bob due date 2026-11-30 23:59 CET; further attempts 2"),
            ("ok", "yes"),
            ("names", "a, b"),
            ("id of the merged account", "3"),
        ]
    assert as_text("2026-11-30Tea") == "2026-11-30Tea"


def test_log_and_history_say_sentences_and_fold_the_details(submission, browser):
    root = browser("root")
    listed = root.get("/admin/courses/auditentry/").content.decode()
    assert "bob submitted ps1" in listed and "alice released ps1 (release 1)" in listed
    assert not re.search(r"[{\[]&#x27;|&quot;:", listed)
    recorded = AuditEntry.objects.get(action="submit")
    page = root.get(f"/admin/courses/auditentry/{recorded.pk}/change/").content.decode()
    assert "bob submitted ps1" in page and "<details><summary>" in page and "<dt>submission</dt>" in page
    history = root.get(f"/admin/exchange/submission/{submission.pk}/history/").content.decode()
    assert "bob submitted ps1" in history and "<details>" in history


def test_names_in_sentences_are_no_html(course, browser):
    cast.enrol(course, "<b>eve", "student")
    AuditEntry.objects.create(action="add member", actor="<i>x", target="<b>eve", details={"given": "<u>"})
    page = browser("root").get("/admin/courses/auditentry/").content.decode()
    assert "&lt;i&gt;x added &lt;b&gt;eve as &lt;u&gt;" in page and "<b>eve" not in page
