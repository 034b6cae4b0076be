"""Metrics of several processes: one answers for all, also for those that have ended."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests import cast, servers

pytestmark = pytest.mark.live
WORKERS, THREADS = 3, 4


def read(url, **headers):
    reply = requests.get(f"{url}/metrics", headers=headers, timeout=300)
    reply.raise_for_status()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def workers_of(leader):
    children = (Path(f"/proc/{leader}/task/{leader}/children").read_text()).split()
    return [int(pid) for pid in children]


def ask(url, count):
    for _ in range(count):
        requests.get(f"{url}/healthz", timeout=300)


ANSWERED = ("ngshare_requests_total", ("method", "GET"), ("route", "healthz"), ("status", "200"))


def test_one_process_answers_for_all_and_a_killed_one_stays_counted(tmp_path):
    with servers.service(tmp_path / "data", workers=WORKERS) as running:
        servers.wait_until(lambda: answered(running.url) == 1)  # the one that saw it start
        ask(running.url, 30)
        servers.wait_until(lambda: answered(running.url) == 31)  # requests are counted after their answers
        found = [read(running.url) for _ in range(5)]
        assert [one[ANSWERED] for one in found] == [31] * 5
        servers.wait_until(lambda: _threads(running.url) == WORKERS * THREADS)  # the last one may still be starting
        assert found[-1]["ngshare_requests_in_progress",] == 1  # the one that asks
        (victim, *_) = workers_of(running.process.pid)
        os.kill(victim, signal.SIGKILL)
        servers.wait_until(lambda: victim not in workers_of(running.process.pid))
        servers.wait_until(lambda: len(workers_of(running.process.pid)) == WORKERS)
        ask(running.url, 10)
        servers.wait_until(lambda: _threads(running.url) == WORKERS * THREADS)
        servers.wait_until(lambda: answered(running.url) >= 41)
        assert answered(running.url) == 41


def answered(url):
    return read(url).get(ANSWERED, 0)


def _threads(url):
    with suppress(requests.RequestException):
        return read(url)["ngshare_threads",]


def test_server_takes_its_folder_with_it(tmp_path):
    (tmp_path / "temporary").mkdir()
    with servers.service(tmp_path / "data", TMPDIR=str(tmp_path / "temporary")) as running:
        assert len(list((tmp_path / "temporary").glob("ngshare-metrics-*"))) == 1
        ask(running.url, 1)
        os.kill(running.process.pid, signal.SIGTERM)
        assert running.process.wait(timeout=servers.PATIENCE) == 0
        assert list((tmp_path / "temporary").iterdir()) == []


def test_json_log_has_one_object_on_each_line(tmp_path):
    """Those of gunicorn and of errors, too; what is before the start is for whoever starts it."""
    with servers.service(
        tmp_path / "data", NGSHARE_LOG_FORMAT="json", NGSHARE_METRICS_TOKEN="secret-of-ours"
    ) as running:
        for _ in range(3):
            reply = requests.get(
                f"{running.url}{cast.v2('me')}",
                headers={"Authorization": "token bob", "X-Request-ID": "7f3a"},
                timeout=300,
            )
            assert (reply.status_code, reply.headers["X-Request-ID"]) == (200, "7f3a")
        assert requests.get(f"{running.url}/metrics", timeout=300).status_code == 401
        assert read(running.url, Authorization="Bearer secret-of-ours")
        servers.wait_until(lambda: running.log.read_text().count('"v2:me"') == 3)  # it is written after the answer
        os.kill(workers_of(running.process.pid)[0], signal.SIGKILL)
        servers.wait_until(lambda: "gunicorn.error" in running.log.read_text())
        text = running.log.read_text()  # what ends while it begins is told by gunicorn in words of its own
    lines = [json.loads(line) for line in text.partition("ngshare serves at")[2].splitlines()[1:]]
    ours = [line for line in lines if line["logger"] == "ngshare.requests" and line["route"] == "v2:me"]
    assert [(line["user"], line["status"], line["request_id"]) for line in ours] == [("bob", 200, "7f3a")] * 3
    assert "secret-of-ours" not in text
