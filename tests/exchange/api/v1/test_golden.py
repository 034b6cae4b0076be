"""Our answers are those that ngshare 0.6 gave, but for what differences.py lists."""

import json
from urllib.parse import quote

import pytest
from django.test import Client

from tests.exchange.api.v1.differences import DIFFERENCES, without_order
from tests.exchange.api.v1.record_golden import GOLDEN, Kept, address, body, shown
from tests.exchange.api.v1.scenarios import SCENARIOS
from tests.exchange.importers import published

PAGES = {404, 405}  # what the old service says to these is a page of its web server; only the status counts


@pytest.fixture(scope="module")
def hub():
    with published.small_hub() as api:
        yield api


def ask(client, step, kept):
    """Our reply, in the form of a golden file."""
    headers = {"Authorization": f"token {quote(step.who)}"} if step.who else {}
    content, kind = body(step, kept)
    reply = client.generic(
        step.method, f"/{address(step, kept)}", content or b"", kind or "", headers=headers, HTTP_ACCEPT="*/*"
    )
    text = b"".join(reply.streaming_content).decode() if reply.streaming else reply.content.decode()
    if reply.status_code == 200 and text.startswith("{"):
        kept.note(step, json.loads(text))
    if "Content-Length" in reply.headers and step.method != "HEAD":
        assert int(reply.headers["Content-Length"]) == len(text.encode())
    return shown(reply.status_code, reply.headers.get("Content-Type", ""), reply.headers.get("Location"), text, kept)


@pytest.mark.django_db
@pytest.mark.parametrize("name", SCENARIOS)
def test_answers_as_ngshare_does(name, hub, settings):
    settings.NGSHARE_STANDALONE = False
    settings.JUPYTERHUB_API_URL = hub
    kept, client = Kept(), Client()
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    steps = SCENARIOS[name]().steps
    assert [line.pop("step") for line in golden] == [step.name for step in steps], "record the golden files anew"
    for step, theirs in zip(steps, golden, strict=True):
        ours = ask(client, step, kept)
        known = [difference for difference in DIFFERENCES if difference.covers(name, step.name)]
        if known:
            (difference,) = known
            assert (theirs["status"], ours["status"]) == (difference.theirs, difference.ours), step.name
            assert ours["content_type"] == theirs["content_type"], step.name
            assert difference.message in (None, ours["body"].get("message")), step.name
        elif theirs["status"] in PAGES and "body" not in theirs:
            assert ours["status"] == theirs["status"], step.name
        elif step.path == ("healthz",):
            assert (ours["status"], ours["body"]) == (200, theirs["body"])
        elif "body" not in theirs:  # a page for people: nobody is logged in
            assert ours["status"] == theirs["status"], step.name
            assert ours.get("redirected") == theirs.get("redirected"), step.name
        else:
            assert without_order(ours) == without_order(theirs), step.name


def test_every_difference_is_met():
    steps = [(name, step.name) for name, scenario in SCENARIOS.items() for step in scenario().steps]
    for difference in DIFFERENCES:
        assert any(difference.covers(*one) for one in steps), difference
