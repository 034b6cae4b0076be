"""Who may read the metrics, and what they say about the database, the disks and regular tasks."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from courses.failures import Part, count_failure
from exchange.maintenance import recorded_run
from exchange.models import Blob, MaintenanceRun
from exchange.storage import blobs
from ngshare_site import __version__, metrics
from tests import cast
from tests.cast import PS1, WORK

pytestmark = pytest.mark.django_db
HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:12121"}


def read(client, **environ):
    """{name and labels: value}"""
    reply = client.get("/metrics", **{**HERE, **environ})
    assert reply.status_code == 200, reply.content
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


# Who may read them


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("127.0.0.1", "127.0.0.1:12121"),
        ("127.8.8.8", "localhost:12121"),
        ("127.0.0.1", "localhost"),
        ("::1", "[::1]:12121"),
    ],
)
def test_program_on_this_machine_reads_them(client, peer, host):
    assert client.get("/metrics", REMOTE_ADDR=peer, HTTP_HOST=host).status_code == 200


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},  # through a Unix socket, anybody may be behind
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_HOST": "127.0.0.1"},
        {"HTTP_X_FORWARDED_PROTO": "http"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_HOST": "hub.example.edu"},
        {"HTTP_HOST": "127.0.0.1.evil.example"},
        {"HTTP_HOST": "localhost.evil.example:12121"},
    ],
)
def test_others_and_what_comes_through_a_proxy_are_refused(client, environ):
    reply = client.get("/metrics", **{**HERE, **environ})
    assert reply.status_code == 403 and b"ngshare_" not in reply.content


def test_token_opens_them_from_everywhere(client, settings):
    settings.NGSHARE_METRICS_TOKEN = "of-prometheus"
    environ = {"REMOTE_ADDR": "10.0.0.7", "HTTP_HOST": "ngshare:8080", "HTTP_X_FORWARDED_FOR": "10.0.0.8"}
    assert read(client, HTTP_AUTHORIZATION="Bearer of-prometheus", **environ)


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Bearer wrong", "of-prometheus", "bearer", "Bearer of-prometheus ", "Bearer ä"]
)
def test_where_there_is_a_token_it_is_needed_here_as_well(client, settings, sent):
    settings.NGSHARE_METRICS_TOKEN = "of-prometheus"
    reply = client.get("/metrics", **HERE, HTTP_AUTHORIZATION=sent)
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"ngshare_" not in reply.content


def test_token_of_a_user_does_not_open_them(course, settings):
    settings.NGSHARE_STANDALONE = True
    assert cast.client("root").get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 403


def test_they_are_only_read(client):
    assert client.post("/metrics", **HERE).status_code == 405


# What they say


def test_counts_of_what_the_database_holds(client, submission):
    cast.return_feedback(submission, "alice")
    found = read(client)
    contents = {*PS1.values(), *WORK.values(), b"<b>well done</b>"}
    assert found["ngshare_info", ("version", __version__)] == 1
    assert {
        name: found[f"ngshare_{name}",] for name in ("courses", "releases", "submissions", "feedback", "blobs")
    } == {
        "courses": 2,
        "releases": 1,
        "submissions": 1,
        "feedback": 1,
        "blobs": len(contents),
    }
    assert found["ngshare_blob_bytes",] == sum(map(len, contents))
    assert found["ngshare_blobs_missing",] == 0 and found["ngshare_database_up",] == 1
    assert found["ngshare_database_bytes",] > 0 and found["ngshare_disk_free_bytes", ("place", "data")] > 0


def test_missing_blobs_are_those_of_files(client, submission):
    Blob.objects.create(sha256="a" * 64, md5="", size=1, stored=False, touched=submission.created)  # is being sent
    Blob.objects.filter(sha256=cast.sha256(WORK["ps1.ipynb"])).update(stored=False)
    assert read(client)["ngshare_blobs_missing",] == 1


def test_counts_are_read_again_after_a_while(client, course, django_assert_num_queries):
    first = read(client)["ngshare_people",]
    cast.enrol(course, "zoe", "student")
    with django_assert_num_queries(0):
        assert read(client)["ngshare_people",] == first
    cache.delete("metrics-state")  # as after COUNTS_SECONDS
    assert read(client)["ngshare_people",] == first + 1


def test_queries_do_not_grow_with_what_there_is(course, django_assert_max_num_queries):
    with django_assert_max_num_queries(13):
        metrics._read_state()


def test_metrics_are_there_without_the_database(client, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", fail)
    found = read(client)
    assert found["ngshare_database_up",] == 0 and ("ngshare_people",) not in found
    assert ("ngshare_threads",) in found


def test_regular_tasks_tell_when_they_last_succeeded(client):
    with recorded_run("verify_blobs") as summary:
        summary.update(damaged=2, message="two are damaged")
    with pytest.raises(ValueError), recorded_run("verify_blobs"):
        raise ValueError
    MaintenanceRun.objects.filter(succeeded=True).update(ended=(then := timezone.now() - timedelta(days=3)))
    found = read(client)
    of_verify = ("task", "verify_blobs")
    assert found["ngshare_maintenance_last_success_timestamp_seconds", of_verify] == pytest.approx(then.timestamp())
    assert found["ngshare_maintenance_last_run_timestamp_seconds", of_verify] > then.timestamp()
    assert found["ngshare_maintenance_last_run_succeeded", of_verify] == 0
    assert found["ngshare_maintenance_last_success_timestamp_seconds", ("task", "backup")] == 0


def test_numbers_of_the_last_run_are_told(client):
    with recorded_run("verify_blobs") as summary:
        summary.update(damaged=2, message="two are damaged", marked=True)
    results = {key[1:]: value for key, value in read(client).items() if key[0] == "ngshare_maintenance_last_run_result"}
    assert results == {(("result", "damaged"), ("task", "verify_blobs")): 2}


def test_failures_are_told_by_part(client):
    before = read(client)
    assert {key for key in before if key[0] == "ngshare_failures_total"} == {
        ("ngshare_failures_total", ("part", part)) for part in ("hub", "store", "database")
    }
    count_failure(Part.STORE)
    assert read(client)["ngshare_failures_total", ("part", "store")] == (
        before["ngshare_failures_total", ("part", "store")] + 1
    )


def test_store_that_fails_is_counted(client, monkeypatch):
    class Broken:
        def exists(self, name):
            raise OSError("the disk is gone")

    before = read(client)["ngshare_failures_total", ("part", "store")]
    monkeypatch.setattr(blobs, "default_storage", Broken())
    with pytest.raises(blobs.StoreUnreachable):
        blobs.probe()
    assert read(client)["ngshare_failures_total", ("part", "store")] == before + 1


def test_hub_that_fails_is_counted(hub, client):
    before = read(client)["ngshare_failures_total", ("part", "hub")]
    hub.status = 500
    assert client.get("/api/v2/me/", headers={"Authorization": "token x"}).status_code == 503
    assert read(client)["ngshare_failures_total", ("part", "hub")] == before + 1


def test_names_of_people_and_courses_are_not_told(client, two_courses):
    client.get(f"/students/{cast.COURSE}")
    text = client.get("/metrics", **HERE).text
    assert not any(name in text for name in (cast.COURSE, "NBG%20101", "alice", "bob", "zoe"))
