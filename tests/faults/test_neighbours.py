"""What the service relies on fails in the middle of a rush: PostgreSQL, the object store, Redis, the Hub."""

import subprocess
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, quote, urlsplit

import psycopg2
import pytest

from tests import cast, fake_hub, servers
from tests.faults.relay import relay_to
from tests.faults.rush import rush_of

pytestmark = pytest.mark.faults

DURATION = 2  # seconds of a fault


@pytest.fixture(scope="module")
def database():
    with servers.postgres_server() as server:
        yield server


@pytest.fixture(scope="module")
def store():
    with servers.s3() as url:
        yield url


# PostgreSQL


def test_postgresql_is_gone_for_ten_seconds(database, supervise):
    service = supervise(DATABASE_URL=database.get_uri())
    with rush_of([service.url]) as rush:
        database.stop()
        rush.wait_until_seen("503", 10)
        servers.wait_until(lambda: has_started(database))


def has_started(database):
    """Start it: on a busy machine, it may take longer than the ten seconds for which pg_ctl is waited for."""
    try:
        database.start()
    except subprocess.SubprocessError:
        return False
    return True


def test_connections_to_postgresql_are_cut_in_the_middle_of_transactions(database, supervise):
    uri = database.get_uri()
    service = supervise("cut", DATABASE_URL=uri)
    with rush_of([service.url], course="Cut"):
        for _ in range(40):
            with psycopg2.connect(uri) as connection, connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            connection.close()
            time.sleep(0.1)


# The object store


@contextmanager
def store_behind_relay(store):
    """A relay, and NGSHARE_STORAGE that goes through it."""
    parts = urlsplit(store)
    endpoint = urlsplit(parse_qs(parts.query)["endpoint_url"][0])
    with relay_to(endpoint.hostname, endpoint.port) as (relay, port):
        through = quote(f"http://127.0.0.1:{port}", safe="")
        yield relay, f"s3://{parts.netloc}?endpoint_url={through}&addressing_style=path"


def test_object_store_fails_in_every_way(store, supervise):
    with store_behind_relay(store) as (relay, url):
        service = supervise(NGSHARE_STORAGE=url)
        with rush_of([service.url], size=100_000) as rush:
            for failure in ("gone", "500", "503", "slow", "half"):
                with relay.failing(failure):
                    time.sleep(DURATION) if failure == "slow" else rush.wait_until_seen("503", DURATION)
                rush.wait_for(len(rush.students))


def test_object_store_loses_a_large_upload_half_way(store, supervise):
    """It is sent in parts, which the store puts together at the end."""
    with store_behind_relay(store) as (relay, url):
        service = supervise(NGSHARE_STORAGE=url)
        with rush_of([service.url], students=2, size=20_000_000) as rush:
            with relay.failing("half"):
                rush.wait_until_seen("503", 3 * DURATION)


# Redis


def test_redis_is_gone(supervise):
    with servers.redis() as (url, process_of_redis), fake_hub.running(token_is_name=True) as hub:
        service = supervise(NGSHARE_CACHE=url, **of_hub(hub.url))
        with rush_of([service.url]) as rush:
            process_of_redis.kill()
            process_of_redis.wait()
            rush.wait_for(len(rush.students))  # the cache spares questions to the Hub, no more


# The Hub


def of_hub(url):
    """The variables of a service of this Hub, which it asks about every token anew."""
    return {
        "NGSHARE_STANDALONE": "0",
        "NGSHARE_IDENTITY_SECONDS": "0",
        "JUPYTERHUB_API_URL": url,
        "JUPYTERHUB_API_TOKEN": "service-token",
        "JUPYTERHUB_SERVICE_PREFIX": "/",
    }


@pytest.fixture
def hub():
    with fake_hub.running(token_is_name=True) as running:
        yield running


def garbage():
    """An endless answer that means nothing, as of a proxy gone mad."""
    yield b"<html>"
    while True:
        yield bytes(1000)


TROUBLE = {
    "an error": {"status": 500},
    "too busy": {"status": 503},
    "slow": {"pause": 1.5},
    "garbage": {"body": garbage},
    "half an answer": {"missing": 100},
}
HEALTH = {"status": 200, "pause": 0, "body": None, "missing": 0}


def test_hub_is_in_trouble_of_every_kind_and_restarted(hub, supervise):
    address = urlsplit(hub.url)
    with relay_to(address.hostname, address.port) as (relay, port):
        service = supervise(**of_hub(f"http://127.0.0.1:{port}{address.path}"))
        with rush_of([service.url]) as rush:
            for trouble in TROUBLE.values():
                vars(hub).update(trouble)
                time.sleep(DURATION) if "pause" in trouble else rush.wait_until_seen("503", DURATION)
                vars(hub).update(HEALTH)
                rush.wait_for(len(rush.students))
            with relay.failing("gone"):
                rush.wait_until_seen("503", DURATION)


def test_whoever_loses_their_token_is_told_and_the_others_go_on(hub, supervise):
    service = supervise(**of_hub(hub.url))
    with rush_of([service.url]) as rush:
        dora = {"username": "dora", "role": "student"}
        rush.insist("alice", "POST", cast.v2("courses", cast.COURSE, "members"), json=dora).raise_for_status()
        rush.submit("dora", 0)
        hub.models["dora"] = None  # revoked
        lost = rush.insist("dora", "POST", rush.submissions, data=cast.bundle(rush.files("dora", 1)))
        assert (lost.status_code, lost.json()["code"]) == (401, "not_logged_in")
        rush.wait_for(len(rush.students))
