"""A flood of made-up tokens reaches the Hub one at a time; who is known is asked about all the same."""

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


@pytest.fixture
def ask(client):
    def me(token, address="", **headers):
        forwarded = {"X-Forwarded-For": address} if address else {}
        return client.get(v2("me"), headers={"Authorization": f"token {token}", **forwarded}, REMOTE_ADDR=PROXY)

    return me


def flood(ask, address, count=strangers.BAD_TOKENS, start=0):
    return [ask(f"made-up-{number}", address).status_code for number in range(start, start + count)]


@pytest.fixture
def question_of_mallory_under_way():
    """The Hub is being asked about one of many made-up tokens that came from one address."""
    for _ in range(strangers.BAD_TOKENS):
        strangers.count_bad_token(MALLORY)
    with admitted("made-up", MALLORY):
        yield


def test_sender_of_many_bad_tokens_waits_for_nobody_and_asks_one_at_a_time(hub, ask, question_of_mallory_under_way):
    answer = ask("one more", MALLORY.address)
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert int(answer.headers["Retry-After"]) > 0 and "Try again" in answer.json()["message"]
    assert hub.asked == 0 and not User.objects.exists()


def test_flood_is_answered_with_429_in_api_v1_too(hub, client, question_of_mallory_under_way):
    headers = {"Authorization": "token one-more", "X-Forwarded-For": MALLORY.address}
    answer = client.get("/courses", headers=headers, REMOTE_ADDR=PROXY)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.content)["success"] is False


def test_new_token_from_elsewhere_passes_during_a_flood(hub, ask, question_of_mallory_under_way):
    hub.user("new", "bob", ACCESS)
    assert ask("new", ALICE.address).status_code == 200


def test_known_token_passes_during_a_flood_from_its_own_address(hub, ask):
    hub.user("t", "bob", ACCESS)
    assert ask("t", MALLORY.address).status_code == 200
    cache.delete_many([f"hub-identity-{key_of('t')}"])  # a minute later
    for _ in range(strangers.BAD_TOKENS):
        strangers.count_bad_token(MALLORY)
    asked = hub.asked
    with admitted("made-up", MALLORY):
        assert ask("t", MALLORY.address).status_code == 200
    assert hub.asked == asked + 1


def key_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


def test_new_token_from_the_floods_own_address_passes_between_its_questions(hub, ask):
    hub.user("new", "bob", ACCESS)
    assert set(flood(ask, MALLORY.address, strangers.BAD_TOKENS + 5)) == {401}
    assert ask("new", MALLORY.address).status_code == 200


def test_flood_does_not_fill_the_cache(hub, ask):
    flood(ask, MALLORY.address)
    asked = hub.asked
    assert [ask("same", MALLORY.address).status_code for _ in range(2)] == [401, 401]
    assert hub.asked == asked + 2


def test_what_a_sender_writes_before_the_proxys_own_entry_counts_for_nothing(hub, ask):
    for number in range(strangers.BAD_TOKENS):
        ask(f"made-up-{number}", f"10.1.1.{number}, {MALLORY.address}")
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
