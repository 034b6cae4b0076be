"""docs/kubernetes.md on a real cluster: from an empty namespace, with Zero to JupyterHub and KubeSpawner, to feedback
that a student fetched, each user in a pod of their own.

Collected only with KUBECONFIG, NGSHARE_TEST_HUB_CHART and NGSHARE_TEST_USERS_IMAGE; cluster.py says how.
"""

import secrets

import pytest
import yaml

from tests.deploy import cluster as clusters
from tests.deploy import walk
from tests.deploy.charts import FOLDER, merged

pytestmark = pytest.mark.deploy

OURS = yaml.safe_load((FOLDER.parent / "ngshare-values.yaml").read_text())
HUBS = yaml.safe_load((FOLDER.parent / "z2jh-values.yaml").read_text())
TOKEN = secrets.token_hex(32)
# What starts the users' servers in place of their browsers, and nothing that the chart does not need anyway.
ROBOT = {
    "services": {"robot": {"apiToken": TOKEN}},
    "loadRoles": {"robot": {"name": "robot", "services": ["robot"], "scopes": ["admin:users", "admin:servers"]}},
    "config": {"JupyterHub": {"authenticator_class": "dummy"}, "Authenticator": {"allow_all": True}},
    "db": {"type": "sqlite-memory"},
}
LEAN = {
    "prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}},
    "scheduling": {"userScheduler": {"enabled": False}, "userPlaceholder": {"enabled": False}},
}
# Run in the Hub's pod, which has Python and no curl.
ASK_HUB = """\
import sys, urllib.request
address, token = sys.argv[1:]
headers = {"Authorization": f"token {token}"}
urllib.request.urlopen(urllib.request.Request(address, data=b"", headers=headers, method="POST"))
"""


def image(name):
    repository, tag = clusters.split(name)
    return repository, tag or "latest"


@pytest.fixture
def cluster():
    with clusters.namespace() as cluster:
        yield cluster


def start_server(cluster, username):
    """Start a user's server, as the button in their browser does; return its pod."""
    for path in ("", "/server"):
        address = f"http://127.0.0.1:8081/hub/api/users/{username}{path}"
        cluster.execute("deploy/hub", "python3", "-c", ASK_HUB, address, TOKEN)
    selected = ("pod", "--selector", f"hub.jupyter.org/username={username}")
    for condition in ("create", "condition=Ready"):
        cluster.run("kubectl", "wait", *selected, f"--for={condition}", f"--timeout={clusters.PATIENCE}")
    return cluster.run("kubectl", "get", *selected, "--output", "name").strip()


def test_from_an_empty_namespace_to_feedback(cluster):
    name, tag = image(clusters.USERS_IMAGE)
    users = {"singleuser": {"image": {"name": name, "tag": tag}, "storage": {"type": "none"}}}
    values = merged(merged(HUBS, users), merged(LEAN, {"hub": ROBOT}))
    cluster.install(values, name="hub", chart=clusters.HUB_CHART)
    repository, tag = image(clusters.IMAGE)
    cluster.install({**OURS, "image": {"repository": repository, "tag": tag}})
    assert "The Hub knows this service as ngshare." in cluster.run("helm", "test", "ngshare", "--logs")

    pods = {username: start_server(cluster, username) for username in ("alice", "bob")}
    for username, script, sign in walk.STEPS:
        said = cluster.execute(pods[username], "sh", "-ec", f"cd && {{ {script}}} 2>&1")
        assert sign in said, said
    assert "bob" in cluster.ngshare("course_status", "Trial course")
