"""A flood of made-up tokens reaches the Hub a few at a time; who is known is asked about all the same."""

import hashlib
import json
import threading
from contextlib import ExitStack

import pytest
from django.core.cache import cache

from courses.models import User
from ngshare_site.hub import strangers
from ngshare_site.hub.strangers import Sender, TooMany, admitted
from tests.cast import v2
from tests.fake_hub import ACCESS

pytestmark = pytest.mark.django_db
PROXY = "10.0.0.1"
MALLORY, ALICE = Sender(PROXY, "10.0.9.9"), Sender(PROXY, "10.0.1.1")


@pytest.fixture(autouse=True)
def one_minute(monkeypatch):
    """No minute ends while a test counts."""
    minute = strangers._minute()
    monkeypatch.setattr(strangers, "_minute", lambda: minute)


@pytest.fixture
def ask(client):
    def me(token, address="", **headers):
        forwarded = {"X-Forwarded-For": address} if address else {}
        return client.get(v2("me"), headers={"Authorization": f"token {token}", **forwarded}, REMOTE_ADDR=PROXY)

    return me


@pytest.fixture
def flooded():
    """Many made-up tokens came from mallory's address."""
    for _ in range(strangers.BAD_TOKENS):
        strangers.count_bad_token(MALLORY)


@pytest.fixture
def no_turn(flooded):
    """Other tokens of the flood have the turns of suspects."""
    with admitted("first", MALLORY), admitted("second", MALLORY):
        yield


def key_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


def test_token_of_a_flood_is_refused_without_a_question_while_others_are_asked_about(hub, ask, no_turn):
    answer = ask("made-up", MALLORY.address)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, "throttled", "2")
    assert "Try again" in answer.json()["message"]
    assert hub.asked == 0 and not User.objects.exists()


def test_flood_is_refused_in_api_v1_too(hub, client, no_turn):
    headers = {"Authorization": "token made-up", "X-Forwarded-For": MALLORY.address}
    answer = client.get("/courses", headers=headers, REMOTE_ADDR=PROXY)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.content)["success"] is False and hub.asked == 0


def test_new_token_from_the_floods_own_address_passes_when_a_turn_is_free(hub, ask, flooded):
    hub.user("new", "bob", ACCESS)
    with admitted("first", MALLORY):
        assert ask("new", MALLORY.address).status_code == 200


def test_few_tokens_of_a_flood_are_asked_about_at_once(no_turn):
    with pytest.raises(TooMany), admitted("third", MALLORY):
        pass
    with admitted("another's", ALICE):
        pass


def test_new_token_from_elsewhere_passes_during_a_flood(hub, ask, no_turn):
    hub.user("new", "bob", ACCESS)
    assert ask("new", ALICE.address).status_code == 200


def test_known_token_passes_during_a_flood_from_its_own_address(hub, ask):
    hub.user("t", "bob", ACCESS)
    assert ask("t", MALLORY.address).status_code == 200
    cache.delete(f"hub-identity-{key_of('t')}")  # a minute later
    for _ in range(strangers.BAD_TOKENS):
        strangers.count_bad_token(MALLORY)
    asked = hub.asked
    with admitted("first", MALLORY), admitted("second", MALLORY):
        assert ask("t", MALLORY.address).status_code == 200
    assert hub.asked == asked + 1


def test_flood_does_not_fill_the_cache(hub, ask, flooded):
    asked = hub.asked
    assert [ask("same", MALLORY.address).status_code for _ in range(2)] == [401, 401]
    assert hub.asked == asked + 2


def test_what_a_sender_writes_before_the_proxys_own_entry_counts_for_nothing(hub, ask):
    for number in range(strangers.BAD_TOKENS):
        assert ask(f"made-up-{number}", f"10.1.1.{number}, {MALLORY.address}").status_code == 401
    assert strangers.is_suspect(MALLORY) and not strangers.is_suspect(ALICE)


def test_sender_who_makes_up_addresses_is_known_by_the_connection(hub):
    for number in range(strangers.BAD_TOKENS_OF_PEER):
        strangers.count_bad_token(Sender("10.0.9.9", f"made-up-{number}"))
    assert strangers.is_suspect(Sender("10.0.9.9", "another")) and not strangers.is_suspect(ALICE)


def test_questions_about_new_tokens_wait_for_their_turn(monkeypatch):
    monkeypatch.setattr(strangers, "PATIENCE", 0.05)
    with ExitStack() as turns:
        for number in range(4):
            turns.enter_context(admitted(f"token-{number}", ALICE))
        with pytest.raises(TooMany), admitted("fifth", ALICE):
            pass
        monkeypatch.setattr(strangers, "PATIENCE", 30)
        timer = threading.Timer(0.05, turns.pop_all().close)
        timer.start()
        with admitted("fifth", ALICE):
            timer.join()


def test_turn_is_given_back_after_a_failure(hub, ask):
    hub.status = 500
    assert [ask(f"t{number}").status_code for number in range(6)] == [503] * 6
