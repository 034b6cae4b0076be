"""The results of regular tasks."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError

from exchange import maintenance
from exchange.maintenance import last_runs, recorded_run
from exchange.models import MaintenanceRun
from exchange.storage import garbage

pytestmark = pytest.mark.django_db


def run(task, **summary):
    with recorded_run(task) as noted:
        noted.update(summary)


def fail(task, error):
    with pytest.raises(type(error)), recorded_run(task) as summary:
        summary["read"] = 2
        raise error


def test_run_is_recorded_with_its_summary():
    run("backup", blobs=3)
    found = last_runs()["backup"]
    assert found.succeeded and found.summary == {"blobs": 3} and found.started <= found.ended


@pytest.mark.parametrize("error", [ValueError("disk is full"), SystemExit("disk is full")])
def test_failure_is_recorded_and_raised_again(error):
    fail("backup", error)
    found = last_runs()["backup"]
    assert not found.succeeded and found.summary == {"read": 2, "error": "disk is full"}


def test_error_without_a_text_is_recorded_by_its_kind():
    fail("backup", KeyboardInterrupt())
    assert last_runs()["backup"].summary["error"] == "KeyboardInterrupt"


def test_last_run_of_each_task_is_told():
    run("backup", blobs=1)
    run("backup", blobs=2)
    run("verify_blobs", blobs=3)
    fail("backup", OperationalError("gone"))
    assert {task: run.succeeded for task, run in last_runs().items()} == {"backup": False, "verify_blobs": True}
    successes = last_runs(succeeded=True)
    assert {task: run.summary["blobs"] for task, run in successes.items()} == {"backup": 2, "verify_blobs": 3}


def test_old_runs_go_but_the_last_success_stays(monkeypatch):
    monkeypatch.setattr(maintenance, "KEPT", 2)
    run("verify_blobs")
    run("backup", blobs=1)
    run("backup", blobs=2)
    for _ in range(4):
        fail("backup", ValueError("no"))
    of_backup = MaintenanceRun.objects.filter(task="backup")
    assert [row.succeeded for row in of_backup] == [False, False, True]
    assert last_runs(succeeded=True)["backup"].summary == {"blobs": 2}
    assert MaintenanceRun.objects.filter(task="verify_blobs").count() == 1


def test_garbage_collection_leaves_its_result():
    call_command("sweep_blobs", "--dry-run", stdout=StringIO())
    assert not last_runs()
    call_command("sweep_blobs", stdout=StringIO())
    assert last_runs()["sweep_blobs"].summary == {"blobs": 0, "bytes": 0, "unfinished_uploads": 0}


def test_garbage_collection_that_fails_leaves_its_error(monkeypatch):
    def break_off(before):
        raise OSError("the store is gone")

    monkeypatch.setattr(garbage, "collect_garbage", break_off)
    with pytest.raises(OSError):
        call_command("sweep_blobs", stdout=StringIO())
    assert last_runs()["sweep_blobs"].summary == {"error": "the store is gone"}
