"""The chart on a real cluster: install, `helm test`, a regular task, upgrade, rollback, uninstall with the claim kept.

Collected only with KUBECONFIG; cluster.py says how. The namespace enforces the standard *restricted*.
"""

import secrets
from pathlib import Path

import pytest

from tests.deploy import cluster as clusters

pytestmark = pytest.mark.deploy

REPOSITORY, TAG = clusters.split(clusters.IMAGE)
KEY = "/var/lib/ngshare/data/ngshare_secret_key"
VALUES = {
    "image": {"repository": REPOSITORY, "tag": TAG},
    "hub": {"proxyUrl": ""},
    "settings": {"NGSHARE_HUB_ADMINS": "1"},
    "persistence": {"size": "1Gi"},
}
COURSES = {"courses": {"Trial course": {"instructors": ["alice"], "students": ["bob"]}}}


@pytest.fixture
def cluster():
    with clusters.namespace(**{"pod-security.kubernetes.io/enforce": "restricted"}) as cluster:
        stand_in = Path(__file__).with_name("stand_in_hub.yaml").read_text()
        stand_in = stand_in.replace("TOKEN", secrets.token_hex(16)).replace("IMAGE", clusters.IMAGE)
        cluster.run("kubectl", "apply", "--filename", "-", text=stand_in)
        yield cluster


def test_life_of_a_release(cluster):
    cluster.install({**VALUES, **COURSES})
    assert "The Hub knows this service as ngshare." in cluster.run("helm", "test", "ngshare", "--logs")
    assert "bob" in cluster.ngshare("course_status", "Trial course")
    key = cluster.execute("deploy/ngshare", "cat", KEY)

    cluster.run("kubectl", "create", "job", "sweep", "--from=cronjob/ngshare-sweep-blobs")
    cluster.wait("job/sweep", "condition=complete")
    assert "0 blobs" in cluster.run("kubectl", "logs", "job/sweep")

    cluster.install({**VALUES, "server": {"threads": 6}})
    arguments = ("get", "deploy/ngshare", "--output", "jsonpath={.spec.template.spec.containers[0].args}")
    assert "--threads=6" in cluster.run("kubectl", *arguments)
    assert cluster.execute("deploy/ngshare", "cat", KEY) == key

    cluster.run("helm", "rollback", "ngshare", "1", "--wait", "--timeout", clusters.PATIENCE)
    assert "--threads=4" in cluster.run("kubectl", *arguments)
    assert "bob" in cluster.ngshare("course_status", "Trial course")

    cluster.run("helm", "uninstall", "ngshare", "--wait")
    assert "ngshare-data" in cluster.run("kubectl", "get", "persistentvolumeclaim")
    cluster.install(VALUES)
    assert "bob" in cluster.ngshare("course_status", "Trial course")
    assert cluster.execute("deploy/ngshare", "cat", KEY) == key
