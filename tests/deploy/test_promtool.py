"""The sample alerts, as Prometheus itself reads them and as they fire."""

import json
import subprocess

import pytest
import yaml

from tests.servers import ROOT

ALERTS = ROOT / "deploy" / "monitoring" / "alerts.yaml"
# {alert: series that fire it}
FIRING = {
    "NgshareDown": {'up{job="ngshare"}': "0x20"},
    "NgshareDatabaseDown": {"ngshare_database_up": "0x20"},
    "NgshareBytesMissing": {"ngshare_blobs_missing": "2x20"},
    "NgshareServerErrors": {
        'ngshare_requests_total{status="200"}': "0+90x20",
        'ngshare_requests_total{status="503"}': "0+10x20",
    },
    "NgshareFailures": {'ngshare_failures_total{part="hub"}': "0+5x20"},
    "NgshareBusy": {"ngshare_requests_in_progress": "16x20", "ngshare_threads": "16x20"},
    "NgshareSlow": {
        'ngshare_request_seconds_bucket{le="5",route="home"}': "0+1x30",
        'ngshare_request_seconds_bucket{le="10",route="home"}': "0+9x30",
        'ngshare_request_seconds_bucket{le="+Inf",route="home"}': "0+9x30",
    },
    "NgshareDiskFull": {'ngshare_disk_free_bytes{place="data"}': "9x20", 'ngshare_disk_bytes{place="data"}': "100x20"},
    "NgshareTaskFailed": {
        'ngshare_maintenance_last_run_succeeded{task="backup"}': "0x20",
        'ngshare_maintenance_last_run_timestamp_seconds{task="backup"}': "60x20",
    },
}
LATE = {"NgshareNoBackup": "backup", "NgshareNoVerification": "verify_blobs", "NgshareNoSweep": "sweep_blobs"}
HEALTHY = {
    'up{job="ngshare"}': "1",
    "ngshare_database_up": "1",
    "ngshare_blobs_missing": "0",
    "ngshare_requests_in_progress": "1",
    "ngshare_threads": "16",
    'ngshare_failures_total{part="hub"}': "3",
    'ngshare_disk_free_bytes{place="data"}': "50",
    'ngshare_disk_bytes{place="data"}': "100",
}

pytestmark = pytest.mark.deploy


def firing(tmp_path, series, at, *, interval="1m"):
    """Return the alerts that fire at a time; promtool is told that none do, and names those that it finds."""
    names = [rule["alert"] for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]]
    test = {
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in names],
    }
    file = tmp_path / "test.json"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": interval, "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is ("FAILED" not in said) and "got error" not in said, said
    return {name for name in names if f"alertname: {name}," in said or f'alertname="{name}"' in said}


def test_prometheus_reads_the_rules():
    done = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", FIRING)
def test_alert_fires(tmp_path, alert):
    assert alert in firing(tmp_path, FIRING[alert], "20m")


@pytest.mark.parametrize(("alert", "task"), LATE.items())
def test_alert_fires_for_a_task_that_never_succeeded(tmp_path, alert, task):
    series = {f'ngshare_maintenance_last_success_timestamp_seconds{{task="{task}"}}': "0x60"}
    assert firing(tmp_path, {**series, 'up{job="ngshare"}': "1x60"}, "40d", interval="1d") == {alert}


def test_none_fires_while_all_is_well(tmp_path):
    assert firing(tmp_path, {name: f"{value}x40" for name, value in HEALTHY.items()}, "30m") == set()
