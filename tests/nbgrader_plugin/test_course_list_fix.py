"""JupyterLab's Course List in a real Jupyter server."""

import pytest
import requests

from tests import servers
from tests.nbgrader_plugin.desk import goes_on_during, jupyter_server, make_desk, stopped

pytestmark = pytest.mark.live


def test_server_goes_on_while_the_exchange_does_not_answer(tmp_path):
    with servers.service(tmp_path / "ngshare", workers=1) as service:
        desk = make_desk(tmp_path / "alice", "alice", service, seconds=10)
        with jupyter_server(desk) as (url, _log), stopped(service):
            answer = goes_on_during(url, lambda: requests.get(f"{url}/formgraders", timeout=300)).json()
    assert answer == {"success": False, "value": {"message": "The exchange did not answer within 10 seconds."}}


def test_without_a_hub_it_lists_the_formgrader_of_this_computer(desk):
    with (desk.home / ".jupyter/nbgrader_config.py").open("a") as config:
        config.write("c.NgshareClient.url = 'not an address'\nc.CourseDirectory.course_id = 'NBG'\n")
    with jupyter_server(desk) as (url, _log):
        (course,) = requests.get(f"{url}/formgraders", timeout=300).json()["value"]
    assert (course["course_id"], course["kind"]) == ("NBG", "local")
