"""What the tests of deployments share: images, and the chart as each Helm renders it.

What needs containers is not collected where there is nothing to run them; what needs a cluster, not without one;
what needs Prometheus' own tool, not without it.
"""

import os
import shutil

import pytest

from tests.deploy import engine
from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import Chart
from tests.deploy.images import each_service_image, service_image, singleuser_image, sources, tag  # noqa: F401

collect_ignore = [] if engine.is_complete() else ["test_image.py"]
collect_ignore += [] if os.environ.get("KUBECONFIG") else ["test_cluster.py"]
collect_ignore += [] if shutil.which("promtool") else ["test_promtool.py"]


@pytest.fixture(scope="session", params=PACKAGES)
def chart(request, tmp_path_factory):
    """The chart, rendered by Helm 3 and by Helm 4."""
    return Chart(unpack_binaries(*PACKAGES[request.param]) / "helm", tmp_path_factory.mktemp("helm"))
