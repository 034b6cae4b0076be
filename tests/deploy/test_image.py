"""The images, run as the chart runs them: a read-only root, no capabilities, some user of group 0, and a volume that is
open to everybody. The Hub is the fake one: whoever's name is the token asks."""

import http.client
import json
import re
import sys
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import settings

import ngshare_site
from tests import cast, fake_hub, servers
from tests.deploy import engine
from tests.servers import ROOT

pytestmark = pytest.mark.deploy

UID = 12345
MEGABYTE = 1_000_000
TIMEOUT = 60  # seconds
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# Heat\n\n$\\frac{a}{b}$"},
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": "def area(r): ..."},
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 4,
}


class Service:
    """A container of the service on a volume, as its users reach it."""

    def __init__(self, container, port):
        self.container = container
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, who, method, address, **request):
        headers = {"Authorization": f"token {who}", **request.pop("headers", {})}
        if "data" in request:
            headers.setdefault("Content-Type", "application/x-tar")
        return requests.request(method, self.url + address, headers=headers, timeout=TIMEOUT, **request)

    def start_course(self):
        """alice teaches NBG 101 to bob and has released ps1."""
        course = {"name": cast.COURSE, "instructors": ["alice"]}
        self.ask("root", "POST", cast.v2("courses"), json=course).raise_for_status()
        bob = {"members": [{"username": "bob", "role": "student"}]}
        self.ask("alice", "POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json=bob).raise_for_status()
        self.ask("alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1)).raise_for_status()

    def submissions(self):
        return self.ask("bob", "GET", cast.of_assignment("submissions")).json()["results"]

    def is_accepting(self):
        try:
            # A process that finishes what it has begun still listens, and does not answer.
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def hub():
    with fake_hub.running(token_is_name=True) as running:
        yield running


@pytest.fixture
def volume(service_image):
    """A volume whose root is open to everybody, as many are."""
    name = f"ngshare-test-{uuid.uuid4().hex[:12]}"
    options = ["--rm", "--user=0:0", f"--volume={name}:/var/lib/ngshare", "--entrypoint=sh"]
    # Docker gives an empty volume the mode of the image's folder again; those of disks are not empty either.
    engine.call("run", *options, service_image, "-c", "mkdir lost+found && chmod 0777 .")
    yield name
    engine.call("volume", "rm", name)


@pytest.fixture
def serve(hub, volume):
    """Starts the service on the volume."""

    @contextmanager
    def begin(image):
        port = servers.free_port()
        variables = {
            "JUPYTERHUB_API_URL": hub.url,
            "JUPYTERHUB_API_TOKEN": "service-token",
            "NGSHARE_ADMINS": "root",
        }
        options = [f"--user={UID}:0", f"--volume={volume}:/var/lib/ngshare"]
        options += [f"--env={name}={value}" for name, value in variables.items()]
        with engine.running(image, "serve", "--bind", f"127.0.0.1:{port}", options=options) as container:
            service = Service(container, port)
            servers.wait_until(lambda: service.is_accepting() or not container.is_running)
            assert container.is_running, container.logs()
            yield service

    return begin


class SlowUpload(threading.Thread):
    """A submission that stops in the middle until it is let go."""

    def __init__(self, service, files):
        super().__init__(daemon=True)
        self.body = cast.bundle(files)
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
        self.half_is_sent, self.may_go_on = threading.Event(), threading.Event()
        self.status, self.answer = None, None

    def run(self):
        self.connection.putrequest("POST", cast.of_assignment("submissions"))
        for name, value in {"Authorization": "token bob", "Content-Type": "application/x-tar"}.items():
            self.connection.putheader(name, value)
        self.connection.putheader("Content-Length", str(len(self.body)))
        self.connection.endheaders()
        middle = len(self.body) // 2
        self.connection.send(self.body[:middle])
        self.half_is_sent.set()
        self.may_go_on.wait(TIMEOUT)
        self.connection.send(self.body[middle:])
        response = self.connection.getresponse()
        self.status, self.answer = response.status, json.loads(response.read())


def test_the_service_keeps_its_data_for_itself_on_a_volume_that_is_open_to_all(service_image, serve):
    with serve(service_image) as service:
        service.start_course()
        found = service.container.execute("find", "/var/lib/ngshare", "-printf", "%m %U %p\n").stdout.splitlines()
        modes = {path: (int(mode, 8), int(owner)) for mode, owner, path in (line.split(" ", 2) for line in found)}
        assert modes.pop("/var/lib/ngshare")[0] == 0o777
        ours = {path: of for path, of in modes.items() if path.startswith("/var/lib/ngshare/data")}
        assert "/var/lib/ngshare/data/ngshare_secret_key" in ours
        assert {path: of for path, of in ours.items() if of[0] & 0o077 or of[1] != UID} == {}


def test_a_term_signal_lets_an_upload_finish(service_image, serve):
    files = {**cast.WORK, "large.bin": bytes(10 * MEGABYTE)}
    with serve(service_image) as service:
        service.start_course()
        upload = SlowUpload(service, files)
        upload.start()
        assert upload.half_is_sent.wait(TIMEOUT)
        service.container.send("TERM")
        servers.wait_until(lambda: not service.is_accepting())  # it has understood
        assert service.container.is_running
        upload.may_go_on.set()
        upload.join(TIMEOUT)
        assert upload.status == 201, upload.answer
        assert service.container.wait(servers.PATIENCE) == 0
    with serve(service_image) as service:
        assert len(service.submissions()) == 1


def test_the_health_check_tells_a_living_service_from_a_dead_one(service_image, volume):
    found = engine.inspect(service_image)
    check = {**found, **found["Config"]}["Healthcheck"]["Test"]  # where podman has it, or Docker
    assert check[0] == "CMD"
    options = ["--env=NGSHARE_STANDALONE=1", f"--volume={volume}:/var/lib/ngshare", f"--user={UID}:0"]
    # The default port is the check's, so the port must be free.
    with engine.running(service_image, "serve", "--bind", "127.0.0.1:12121", options=options) as container:
        servers.wait_until(lambda: container.execute(*check[1:]).returncode == 0)
    with engine.running(service_image, "300", options=[*options, "--entrypoint=sleep"]) as container:
        assert container.execute(*check[1:]).returncode != 0


def test_notebooks_are_rendered(service_image, volume):
    port, files = servers.free_port(), {**cast.WORK, "heat.ipynb": json.dumps(NOTEBOOK).encode()}
    variables = ("NGSHARE_STANDALONE=1", "NGSHARE_ADMINS=root")
    options = [f"--volume={volume}:/var/lib/ngshare", f"--user={UID}:0", *(f"--env={each}" for each in variables)]
    # The memory that the chart gives, and the user has no name.
    options += ["--memory=1g"]
    with engine.running(service_image, "serve", "--bind", f"127.0.0.1:{port}", options=options) as container:
        service = Service(container, port)
        servers.wait_until(service.is_accepting)
        service.start_course()
        made = service.ask("bob", "POST", cast.of_assignment("submissions"), data=cast.bundle(files)).json()
        browser = requests.Session()
        form = browser.get(f"{service.url}/login/?next=/", timeout=TIMEOUT)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[1]
        browser.post(form.url, data={"csrfmiddlewaretoken": token, "username": "bob"}, timeout=TIMEOUT)
        address = f"{service.url}/view/submission/{made['id']}/file/heat.ipynb?as=document"
        document = browser.get(address, timeout=TIMEOUT)
    assert document.status_code == 200, document.text
    assert all(part in document.text for part in ("Heat</h1>", "<mfrac>", "area</span>"))


def test_without_a_place_for_data_it_says_so(service_image):
    outcome = engine.call("run", "--rm", "--read-only", "--cap-drop=all", "--tmpfs=/tmp", service_image, check=False)
    assert outcome.returncode != 0
    assert "NGSHARE_DATA: cannot keep data in /var/lib/ngshare/data" in outcome.stdout + outcome.stderr


def test_the_image_says_what_it_is_and_is_small(service_image):
    found = engine.inspect(service_image)
    assert found["Config"]["User"] == "1000:0"
    labels = {name.rpartition(".")[2]: value for name, value in found["Config"]["Labels"].items()}
    assert labels["title"] == "ngshare"
    assert labels["version"] == ngshare_site.__version__
    assert found["Size"] < 250 * MEGABYTE


def test_an_image_is_not_built_as_another_version_than_it_is(service_image, sources):
    tag = service_image.rpartition(":")[2]
    arguments = [f"BASE={engine.bases()[0]}", f"TAG={tag}", "VERSION=9.9.9", f"BUILDFLAGS={engine.offline()}"]
    with pytest.raises(RuntimeError, match=f"This is ngshare {ngshare_site.__version__}, not 9.9.9"):
        engine.make("image", *arguments, cwd=sources)


def test_a_users_server_reaches_the_service(singleuser_image, service_image, serve):
    with serve(service_image) as service:
        service.start_course()
        variables = {
            "NGSHARE_URL": service.url,
            "JUPYTERHUB_API_TOKEN": "bob",
            "JUPYTERHUB_USER": "bob",
        }
        options = [f"--env={name}={value}" for name, value in variables.items()]
        with engine.running(singleuser_image, "sleep", "600", options=[*options, "--env=HOME=/tmp"]) as container:
            listed = container.execute("nbgrader", "list", f"--course={cast.COURSE}")
            assert "ps1" in listed.stdout + listed.stderr
            extensions = container.execute("jupyter", "server", "extension", "list")
            assert "nbgrader_plugin.formgrader_fix" in extensions.stdout + extensions.stderr
            assert container.execute("jupyterhub-singleuser", "--version").returncode == 0
            assert container.execute("python3", "-c", "import django").returncode == 1
            assert container.execute("id", "-u").stdout == "1000\n"


def test_the_image_keeps_every_language_that_the_service_speaks():
    rule = next(line for line in (ROOT / "deploy/image/Dockerfile").read_text().splitlines() if "*/locale/*" in line)
    assert set(re.findall(r"! -name (\w+)", rule)) == {code for code, _ in settings.LANGUAGES}


def test_the_dockerfiles_follow_the_rules_of_hadolint():
    hadolint = Path(sys.executable).with_name("hadolint")
    files = sorted((ROOT / "deploy").rglob("*Dockerfile"))
    assert len(files) >= 2
    outcome = engine._run([str(hadolint), *map(str, files)], cwd=ROOT, check=False)
    assert outcome.stdout == ""
    assert outcome.returncode == 0


def test_a_submission_survives_a_restart_on_each_base(each_service_image, serve):
    with serve(each_service_image) as service:
        service.start_course()
        made = service.ask("bob", "POST", cast.of_assignment("submissions"), data=cast.bundle(cast.WORK))
        assert made.status_code == 201, made.text
        before = service.submissions()
        service.container.send("TERM")
        assert service.container.wait(servers.PATIENCE) == 0
    with serve(each_service_image) as service:
        assert service.submissions() == before
        assert [one["id"] for one in before] == [made.json()["id"]]
