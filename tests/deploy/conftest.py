"""What the tests of deployments share: images, and the chart as each Helm renders it.

What needs containers is not collected where there is nothing to run them; what needs a cluster, not without one;
what needs Prometheus' own tool, not without it.
"""

import os
import shutil

import pytest

from tests.deploy import cluster, docker_engine, engine, kube_play
from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import Chart
from tests.deploy.images import each_service_image, service_image, singleuser_image, sources, tag  # noqa: F401

collect_ignore = [] if engine.is_complete() else ["test_image.py"]
collect_ignore += [] if kube_play.is_possible() else ["test_kube_play.py"]
collect_ignore += [] if os.environ.get("KUBECONFIG") else ["test_cluster.py", "test_cluster_hub.py"]
collect_ignore += [] if cluster.HUB_CHART and cluster.USERS_IMAGE else ["test_cluster_hub.py"]
collect_ignore += [] if engine.is_complete() and engine.has_networks_of_this_machine() else ["test_docker_spawner.py"]
collect_ignore += [] if shutil.which("systemd-analyze") else ["test_systemd.py"]
collect_ignore += [] if docker_engine.is_complete() else ["test_compose.py"]
collect_ignore += [] if shutil.which("promtool") else ["test_promtool.py"]


@pytest.fixture(scope="session", params=PACKAGES)
def chart(request, tmp_path_factory):
    """The chart, rendered by Helm 3 and by Helm 4."""
    return Chart(unpack_binaries(*PACKAGES[request.param]) / "helm", tmp_path_factory.mktemp("helm"))
