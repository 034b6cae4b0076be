"""`healthz` answers whatever happens; `readyz` says which part is missing."""

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection

from exchange.storage import blobs

pytestmark = pytest.mark.django_db


def fail_with(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def test_ready_with_everything(hub, client):
    reply = client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json() == {"success": True, "database": "ok", "storage": "ok", "hub": "ok"}


def test_not_ready_without_the_database(hub, client, monkeypatch):
    monkeypatch.setattr(connection, "cursor", fail_with(OperationalError("secret detail")))
    reply = client.get("/readyz")
    assert reply.status_code == 503 and b"secret detail" not in reply.content
    assert reply.json() == {
        "success": False,
        "database": "does not answer, or is not migrated",
        "storage": "ok",
        "hub": "ok",
    }


def test_not_ready_without_the_storage(hub, client, monkeypatch):
    monkeypatch.setattr(blobs, "probe", fail_with(blobs.StoreUnreachable("secret detail")))
    reply = client.get("/readyz")
    assert reply.status_code == 503 and b"secret detail" not in reply.content
    assert reply.json() == {"success": False, "database": "ok", "storage": "does not answer", "hub": "ok"}


@pytest.mark.parametrize(
    ("url", "sentence"), [("", "JUPYTERHUB_API_URL is not set"), ("http://127.0.0.1:9/hub/api", "unreachable")]
)
def test_missing_hub_is_reported_and_leaves_the_service_ready(hub, client, settings, url, sentence):
    settings.JUPYTERHUB_API_URL = url
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()["hub"], reply.json()["success"]) == (200, sentence, True)


def test_hub_in_trouble_is_reported_and_leaves_the_service_ready(hub, client):
    hub.status = 500
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()["hub"]) == (200, "answers 500")


def test_many_who_ask_make_one_question_to_the_hub(hub, client):
    assert [client.get("/readyz").status_code for _ in range(5)] == [200] * 5
    hub.status = 500
    assert client.get("/readyz").json()["hub"] == "ok"
    cache.delete("hub-health-is-fresh")  # some seconds later
    assert [client.get("/readyz").json()["hub"] for _ in range(2)] == ["answers 500"] * 2
    hub.status = 200
    assert client.get("/readyz").json()["hub"] == "answers 500"
    assert hub.health_checks == 1


def test_ready_without_the_hub_where_it_is_left_out(hub, client, settings, monkeypatch):
    settings.JUPYTERHUB_API_URL = "http://127.0.0.1:9/hub/api"
    reply = client.get("/readyz?without=hub")
    assert (reply.status_code, reply.json()) == (200, {"success": True, "database": "ok", "storage": "ok"})
    monkeypatch.setattr(blobs, "probe", fail_with(blobs.StoreUnreachable("secret detail")))
    assert client.get("/readyz?without=hub").status_code == 503


def test_standalone_needs_no_hub(client, settings):
    settings.NGSHARE_STANDALONE = True
    assert client.get("/readyz").status_code == 200


def test_alive_without_anything(client, monkeypatch):
    monkeypatch.setattr(connection, "cursor", fail_with(OperationalError()))
    monkeypatch.setattr(blobs, "probe", fail_with(blobs.StoreUnreachable("away")))
    reply = client.get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"success": True})
