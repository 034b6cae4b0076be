"""Which values the chart refuses, and in what words."""

import pytest

from tests.deploy.charts import MANY

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"hub": {"url": "hub:8081"}}, "hub.url"),
        ({"hub": {"baseUrl": "jupyter"}}, "hub.baseUrl"),
        ({"hub": {"apiToken": "x"}}, "apiToken"),
        ({"settings": {"NGSHARE_MAX_FILE_SZIE": "1MB"}}, "NGSHARE_MAX_FILE_SZIE"),
        ({"settings": {"NGSHARE_MAX_FILES": 5}}, "settings.NGSHARE_MAX_FILES"),
        ({"replicas": 3}, "replicas"),
        ({"replicaCount": "3"}, "replicaCount"),
        ({"terminationGracePeriodSeconds": 30}, "terminationGracePeriodSeconds"),
        ({"persistence": {"size": "20 GB"}}, "persistence.size"),
        ({"persistence": {"accessModes": ["ReadWriteOncePod"]}}, "persistence.accessModes.0"),
        ({"admins": "alice"}, "admins"),
        ({"admins": ["alice,bob"]}, "admins.0"),
        ({"courses": {"NBG 101": {"teachers": ["alice"]}}}, "teachers"),
        ({"courses": {"NBG 101": {"students": [{"name": "bob"}]}}}, "courses.NBG 101.students.0"),
        ({"cronJobs": {"Backup": {"schedule": "@daily", "args": ["x"]}}}, "Backup"),
        ({"cronJobs": {"backup": {"schedule": "daily", "args": ["x"]}}}, "cronJobs.backup.schedule"),
        ({"cronJobs": {"b" * 50: {"schedule": "@daily", "args": ["x"]}}}, "is too long: Kubernetes allows 52"),
        ({"backup": {"enabled": True}}, "set also backup.existingClaim"),
        ({"backup": {"enabled": True, "existingClaim": "x"}, **MANY}, "backup.enabled is for SQLite"),
        ({"backup": {"keep": 0}}, "backup.keep"),
        ({"storage": {"s3": {"addressingStyle": "paths"}}}, "storage.s3.addressingStyle"),
        ({"cache": {"url": "memcached://x"}}, "cache.url"),
        ({"cache": {"url": "redis://x", "existingSecret": "y"}}, "Set cache.url or cache.existingSecret, not both."),
        ({"service": {"port": 80}}, "service.port"),
        ({"metrics": {"serviceMonitor": {"interval": "often"}}}, "metrics.serviceMonitor.interval"),
        ({"metrics": {"serviceMonitor": {"enabled": True}}}, "needs metrics.existingSecret, the token that it sends."),
        (
            {**MANY, "autoscaling": {"enabled": True, "minReplicas": 9}},
            "autoscaling.minReplicas is larger than autoscaling.maxReplicas.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_value_is_refused_by_its_name(chart, values, sentence):
    assert sentence in chart.refuse(values)


LACKING = {
    "persistence": "persistence.enabled=false",
    "database": "database.existingSecret (PostgreSQL)",
    "storage": "storage.s3.bucket (an object store)",
    "cache": "cache.url or cache.existingSecret (Redis)",
    "secretKey": "secretKey.existingSecret (the key that signs receipts)",
}


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("many", [{"replicaCount": 2}, {"replicaCount": 1, "autoscaling": {"enabled": True}}])
def test_many_replicas_are_refused_without(chart, lacking, many):
    values = {key: value for key, value in {**MANY, **many}.items() if key != lacking}
    sentence = chart.refuse(values)
    assert (
        f"More than one replica (replicaCount, autoscaling.enabled) shares no disk. Set also: {LACKING[lacking]}."
        in (sentence)
    )


def test_refusal_names_everything_that_is_missing(chart):
    assert f"Set also: {', '.join(LACKING.values())}." in chart.refuse({"replicaCount": 2})


@pytest.mark.parametrize("lacking", ["database", "storage", "secretKey"])
def test_no_volume_is_refused_without(chart, lacking):
    values = {key: value for key, value in {**MANY, "replicaCount": 1}.items() if key not in (lacking, "cache")}
    sentence = chart.refuse(values)
    assert f"a pod keeps nothing. Set also: {LACKING[lacking]}." in sentence
