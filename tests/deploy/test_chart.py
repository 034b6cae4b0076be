"""The chart as a package, with the Hub, and what it does at its time: notes, regular tasks, `helm test`."""

import http.server
import re
import shutil
import subprocess
import sys
import threading

import kubernetes_validate
import pytest
import yaml
from traitlets.config import Config

from ngshare_site import __version__
from tests.deploy.charts import EVERYTHING, FOLDER, SHAPES, environment, merged, server
from tests.servers import ROOT

pytestmark = pytest.mark.deploy

CHART = yaml.safe_load((FOLDER / "Chart.yaml").read_text())
OLDEST = re.search(r"\d+\.\d+", CHART["kubeVersion"])[0]
NEWEST = kubernetes_validate.latest_version()
shapes = pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)


# The chart as a package


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["default", "everything"])
def test_lint_finds_nothing(chart, values):
    outcome = chart.run("lint", "--strict", FOLDER, values=values)
    assert outcome.returncode == 0, outcome.stdout
    assert set(re.findall(r"^\[(\w+)\] (.*)$", outcome.stdout, re.MULTILINE)) <= {
        ("INFO", "Chart.yaml: icon is recommended")
    }


def test_package_installs_as_the_folder_does(chart, tmp_path):
    outcome = chart.run("package", FOLDER, "--destination", tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    archive = tmp_path / f"ngshare-{CHART['version']}.tgz"
    outcome = chart.run("template", "ngshare", archive, "--namespace", "jhub")
    objects = [content for content in yaml.safe_load_all(outcome.stdout) if content]
    assert objects == list(chart.render().values())


def test_application_is_the_version_of_the_service(chart):
    assert CHART["appVersion"] == __version__
    assert server(chart.render())["image"] == f"ngshare-service:{__version__}"


def test_older_kubernetes_is_refused(chart):
    assert "1.24" in chart.refuse({}, "--kube-version", "1.24")
    chart.render({}, "ngshare", "--kube-version", OLDEST)


@shapes
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_objects_are_what_kubernetes_knows(chart, values, version):
    for content in chart.render(values).values():
        kubernetes_validate.validate(content, version, strict=True)


@shapes
def test_rendering_again_changes_nothing(chart, values):
    first = chart.run("template", "ngshare", FOLDER, values=values).stdout
    assert chart.run("template", "ngshare", FOLDER, values=values).stdout == first


def test_no_secret_is_made_or_written(chart):
    templates = "".join(path.read_text() for path in (FOLDER / "templates").rglob("*.*") if path.name != "NOTES.txt")
    assert not re.search(r"\b(rand\w+|uuidv4|gen\w+|lookup|now)\b", templates)
    for values in SHAPES.values():
        assert not [name for name in chart.render(values) if name.startswith("Secret/")]


def test_notes_say_the_next_step(chart, tmp_path):
    # Helm prints them only where it reaches a cluster: a copy of the chart has them in an object.
    copy = shutil.copytree(FOLDER, tmp_path / "ngshare")
    (copy / "templates" / "notes.yaml").write_text(
        'text: {{ include (print .Template.BasePath "/NOTES.txt") . | quote }}'
    )

    def notes(values):
        outcome = chart.run("template", "ngshare", copy, "-n", "jhub", "-s", "templates/notes.yaml", values=values)
        assert outcome.returncode == 0, outcome.stderr
        return yaml.safe_load(outcome.stdout)["text"]

    text = notes({})
    assert "url: http://ngshare:8080" in text and "hub.services.ngshare.apiToken" in text
    assert "helm test ngshare --namespace jhub" in text
    assert "Nobody is an administrator" in text and "The claim ngshare-data holds every submission." in text
    text = notes({"admins": ["root"], "hub": {"publicUrl": "https://hub.example.edu", "baseUrl": "/j/"}})
    assert "https://hub.example.edu/j/services/ngshare/admin/" in text and "Nobody" not in text
    text = notes({**EVERYTHING, "settings": {"NGSHARE_HUB_ADMINS": "1"}})
    assert "The courses in your values" in text and "claim" not in text


# The Hub


def test_token_comes_from_the_hubs_secret(chart):
    variables = environment(server(chart.render()))
    assert variables["JUPYTERHUB_API_TOKEN"] == ("hub", "hub.services.ngshare.apiToken")
    variables = environment(server(chart.render({"hub": {"serviceName": "exchange"}})))
    assert variables["JUPYTERHUB_API_TOKEN"] == ("hub", "hub.services.exchange.apiToken")


def test_path_does_not_depend_on_the_releases_name(chart):
    objects = chart.render({}, "other")
    assert environment(server(objects, "other-ngshare"))["JUPYTERHUB_SERVICE_PREFIX"] == "/services/ngshare/"
    assert "Service/other-ngshare" in objects


def test_base_url_is_in_every_address(chart):
    variables = environment(server(chart.render({"hub": {"baseUrl": "/jupyter/", "publicUrl": "https://x.edu"}})))
    assert {name: value for name, value in variables.items() if name.startswith("JUPYTERHUB")} == {
        "JUPYTERHUB_API_URL": "http://hub:8081/jupyter/hub/api",
        "JUPYTERHUB_API_TOKEN": ("hub", "hub.services.ngshare.apiToken"),
        "JUPYTERHUB_BASE_URL": "/jupyter/",
        "JUPYTERHUB_SERVICE_NAME": "ngshare",
        "JUPYTERHUB_SERVICE_PREFIX": "/jupyter/services/ngshare/",
        "JUPYTERHUB_PUBLIC_URL": "https://x.edu/jupyter/services/ngshare/",
        "JUPYTERHUB_PUBLIC_HUB_URL": "https://x.edu/jupyter/hub/",
    }


def test_values_of_the_hub_fit_the_chart(chart):
    values = yaml.safe_load((FOLDER.parent / "z2jh-values.yaml").read_text())
    service = chart.render()["Service/ngshare"]
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert values["hub"]["services"] == {
        "ngshare": {"url": f"http://{name}:{port}", "display": True, "oauth_no_confirm": True}
    }
    for role in ("user", "server"):
        assert "access:services!service=ngshare" in values["hub"]["loadRoles"][role]["scopes"]
    prefix = environment(server(chart.render()))["JUPYTERHUB_SERVICE_PREFIX"]
    assert values["singleuser"]["extraEnv"]["NGSHARE_URL"] == f"http://proxy-public{prefix}".rstrip("/")


def test_values_of_the_hub_configure_nbgrader():
    values = yaml.safe_load((FOLDER.parent / "z2jh-values.yaml").read_text())
    config = Config()
    exec(values["singleuser"]["extraFiles"]["nbgrader_config"]["stringData"], {"get_config": lambda: config})
    assert config.ExchangeFactory.submit == "nbgrader_plugin.ExchangeSubmit"


@pytest.mark.parametrize("page", ["docs/kubernetes.md", "deploy/helm/ngshare/README.md"])
def test_values_that_pages_show_are_accepted(chart, page):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        assert "Deployment/ngshare" in chart.render(yaml.safe_load(block))


def test_values_for_a_start_are_complete(chart):
    values = yaml.safe_load((FOLDER.parent / "ngshare-values.yaml").read_text())
    objects = chart.render(values)
    assert environment(server(objects))["NGSHARE_HUB_ADMINS"] == "1"
    assert "Job/ngshare-courses" in objects


# Regular tasks and `helm test`


def test_tasks_can_be_added_and_switched_off(chart):
    values = {"cronJobs": {"sweep-blobs": {"enabled": False}, "status": {"schedule": "@daily", "args": ["check_hub"]}}}
    values = merged({"cronJobs": {"sweep-blobs": {"schedule": "@daily", "args": ["x"]}}}, values)
    objects = chart.render(values)
    assert sorted(name for name in objects if name.startswith("CronJob/")) == [
        "CronJob/ngshare-clear-sessions",
        "CronJob/ngshare-status",
        "CronJob/ngshare-verify-blobs",
    ]
    spec = objects["CronJob/ngshare-status"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    # One that waits in vain, for a server's node that is not there, gives way to the next.
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 6 * 3600


@pytest.fixture
def web():
    """A web server that knows one address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/services/ngshare/healthz" else 503)
            self.end_headers()
            self.wfile.write(b"the database does not answer" if self.path != "/services/ngshare/healthz" else b"fine")

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_helm_test_asks_the_service_and_the_proxy(chart, web):
    pod = chart.render({"hub": {"proxyUrl": web}})["Pod/ngshare-test"]
    assert pod["metadata"]["annotations"] == {
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation",
    }
    assert pod["metadata"]["labels"]["hub.jupyter.org/network-access-proxy-http"] == "true"
    request = pod["spec"]["containers"][1]
    program, service, proxy = request["args"]
    assert service == "http://ngshare:8080/services/ngshare/readyz"

    def ask(*addresses):
        command = [sys.executable, "-c", program, *addresses]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert ask(proxy).returncode == 0
    for address, sentence in (
        (service.replace("http://ngshare:8080", web), "the database does not answer"),
        ("http://127.0.0.1:9/", "refused"),
    ):
        outcome = ask(address, proxy)
        assert outcome.returncode == 1 and sentence in outcome.stdout and f"ok      {proxy} fine" in outcome.stdout
