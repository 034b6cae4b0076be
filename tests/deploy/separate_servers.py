"""A Hub whose users have a container each, with ngshare in one more: on a network that leads nowhere else, and no disk
is shared. The Hub itself runs here, at the network's gateway.
"""

import json
import random
import uuid
from contextlib import contextmanager
from pathlib import Path

from deploy.demo import hub as demo
from tests.campus import COURSE, SCOPE, Campus
from tests.deploy import engine
from tests.servers import free_port, running, wait_until

PORT = 12121
# Podman would give ngshare another one at each start, and its neighbours would go on using the old one for ten seconds.
MAC = "02:6e:67:73:68:02"
# Makes the example of nbgrader the source of alice's course.
COPY_EXAMPLE = """\
import pathlib, shutil, nbgrader
example = pathlib.Path(nbgrader.__file__).parent / "docs/source/user_guide/source/ps1"
shutil.copytree(example, "nbg101/source/ps1")
"""


class Network:
    """A network of containers. `subnet`: the first three of its numbers."""

    def __init__(self, name, subnet):
        self.name = name
        self.gateway = f"{subnet}.1"
        self.ngshare = f"{subnet}.2"

    def cut_off(self, container):
        engine.call("network", "disconnect", self.name, container.name)

    def join(self, container):
        options = ["--ip", self.ngshare, *(["--mac-address", MAC] if engine.builder() == "podman" else [])]
        engine.call("network", "connect", *options, self.name, container.name)


@contextmanager
def network():
    """A network that leads to the host and nowhere else."""
    name = f"ngshare-test-{uuid.uuid4().hex[:12]}"
    numbers = random.sample(range(256), 20)
    for number in numbers:  # others may have taken some
        made = Network(name, f"10.217.{number}")
        options = ("--internal", "--subnet", f"10.217.{number}.0/24", "--gateway", made.gateway)
        if not engine.call("network", "create", *options, name, check=False).returncode:
            break
    else:
        raise RuntimeError("no network can be made")
    try:
        yield made
    finally:
        engine.call("network", "rm", "--force" if engine.builder() == "podman" else "--", name, check=False)


@contextmanager
def engine_socket(folder):
    """Where DockerSpawner reaches the engine: what DOCKER_HOST should be; Docker's own daemon listens anyway."""
    if engine.builder() == "docker":
        yield None
        return
    socket = folder / "podman.sock"
    command = ["podman", "system", "service", "--time=0", f"unix://{socket}"]
    log = folder / "podman.log"
    with running(command, env=engine.environment(), log=log) as process:
        wait_until(socket.exists, process, log)
        yield f"unix://{socket}"


@contextmanager
def volume():
    name = f"ngshare-test-{uuid.uuid4().hex[:12]}"
    engine.call("volume", "create", name)
    try:
        yield name
    finally:
        engine.call("volume", "rm", "--force", name, check=False)


@contextmanager
def service(image, net, hub):
    """ngshare, as docs/containers.md starts it."""
    variables = {
        "NGSHARE_ADMINS": "admin",
        "JUPYTERHUB_API_URL": f"http://{net.gateway}:{hub.ports[1]}/hub/api",
        "JUPYTERHUB_API_TOKEN": hub.ngshare_token,
        "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
    }
    with volume() as data:
        options = [f"--ip={net.ngshare}", f"--mac-address={MAC}", f"--volume={data}:/var/lib/ngshare"]
        options += [f"--env={name}={value}" for name, value in variables.items()]
        with engine.running(image, options=options, network=net.name) as container:
            yield container


class SeparateServers(Campus):
    """The Hub with its course, and what happens in the containers of users and of ngshare."""

    def __init__(self, hub, net, ngshare):
        super().__init__(hub)
        self.net = net
        self.ngshare = ngshare

    def container(self, username):
        return engine.Container(f"{self.net.name}-{username}")

    def execute(self, username, *command):
        """Run something in a terminal of the user's server; return what it says."""
        done = self.container(username).execute(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def nbgrader(self, username, *arguments, fails=False):
        done = self.container(username).execute("nbgrader", *arguments)
        output = done.stderr + done.stdout
        assert (done.returncode != 0) is fails, output
        assert "Traceback" not in output, output
        return output

    def prepare_instructor(self):
        config = demo.course_config(COURSE, Path("/home/jovyan/nbg101"))
        self.execute("alice", "python3", "-c", COPY_EXAMPLE)
        self.execute("alice", "mkdir", "-p", ".jupyter")
        write = 'import sys; open(".jupyter/nbgrader_config.py", "w").write(sys.argv[1])'
        self.execute("alice", "python3", "-c", write, config)

    def submissions(self, username):
        """What the service knows that they have submitted, by number."""
        token = self.hub.token_for(username, SCOPE)
        rows = self.api("GET", "submissions/?mine=true&files=true", token).json()["results"]
        return {row["id"]: row for row in rows}

    def receipts(self, username):
        """The receipts that their server keeps, by the number of the submission: what has been acknowledged."""
        find = 'import pathlib, json; print(json.dumps([p.read_text() for p in pathlib.Path().rglob("receipt.json")]))'
        texts = json.loads(self.execute(username, "python3", "-c", find))
        return {receipt["id"]: receipt for receipt in map(json.loads, texts)}

    def verify(self, username, receipt):
        """Return whether the service says that the receipt is its own."""
        token = self.hub.token_for(username, SCOPE)
        return self.api("POST", "receipts/verify/", token, json=receipt).json()["valid"]

    def intact_blobs(self):
        """The hashes of what lies in the service's store under the hash that it has."""
        find = 'cd "$NGSHARE_DATA/blobs" && find . -path ./staging -prune -o -type f -print0 | xargs -0 sha256sum'
        lines = self.ngshare.execute("sh", "-c", find).stdout.split("\n")[:-1]
        return {digest for digest, _, path in (line.partition("  ") for line in lines) if Path(path).name == digest}


@contextmanager
def running_hub(folder, service_image, singleuser_image):
    with network() as net, engine_socket(folder) as address:
        ports = (free_port(), free_port(), free_port(), PORT)
        config = Path(__file__).with_name("docker_spawner_hub.py")
        variables = {"NETWORK": net.name, "GATEWAY": net.gateway, "NGSHARE": net.ngshare, "DEMO_MANAGED": "0"}
        variables |= {"DOCKER_HOST": address} if address else {}
        hub = demo.Hub(folder, ports, variables=variables, address=net.gateway, config=config)
        hub.variables |= {"NGSHARE_API_TOKEN": hub.ngshare_token, "SINGLEUSER_IMAGE": singleuser_image}
        # First, because podman makes the network's gateway with its first container.
        with service(service_image, net, hub) as ngshare, demo.running(hub):
            try:
                wait_until(lambda: demo.answers(f"{hub.ngshare}/healthz"))
                yield SeparateServers(hub, net, ngshare)
            finally:
                remove_all(net)


def remove_all(net):
    """Remove the users' containers and their homes."""
    for username in ("alice", "bob", "carol"):
        engine.call("rm", "--force", f"{net.name}-{username}", check=False)
        engine.call("volume", "rm", "--force", f"{net.name}-{username}", check=False)
