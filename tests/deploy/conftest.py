"""The chart as each Helm renders it."""

import os

import pytest

from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import Chart

# What needs a cluster is not collected without one.
collect_ignore = [] if os.environ.get("KUBECONFIG") else ["test_cluster.py"]


@pytest.fixture(scope="session", params=PACKAGES)
def chart(request, tmp_path_factory):
    """The chart, rendered by Helm 3 and by Helm 4."""
    return Chart(unpack_binaries(*PACKAGES[request.param]) / "helm", tmp_path_factory.mktemp("helm"))
