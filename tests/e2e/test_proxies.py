"""The ways to put a Hub and ngshare together that docs/proxies.md shows, each on a real Hub."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from deploy.demo.hub import Hub, answers, running
from tests import certificates, servers
from tests.campus import COURSE, Campus, free_ports, started
from tests.servers import ROOT, free_port

pytestmark = pytest.mark.e2e

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
# The proxy that JupyterHub recommends: npm install --prefix .cache/proxy configurable-http-proxy
PROXY = ROOT / ".cache" / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy"
NGINX_CONF = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/ngshare.conf;
}}
"""


def log_in(hub_url, username, session):
    """Log in to the Hub, as a browser does, and return the session."""
    page = session.get(f"{hub_url}/hub/login", timeout=60)
    token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
    form = {"username": username, "password": "any", "_xsrf": token}
    home = f"{urlsplit(hub_url).path}/hub/home"
    assert session.post(f"{hub_url}/hub/login?next={home}", data=form, timeout=60).status_code == 200
    return session


@contextmanager
def nginx(folder, hub, files, port=0):
    """nginx with our snippet, which listens at a port that is free for whoever starts it."""
    port = port or free_port()
    text = (ROOT / "deploy" / "nginx" / "ngshare.conf").read_text()
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("http://127.0.0.1:8000", hub.url.removesuffix(hub.base_url.rstrip("/"))),
        ("/etc/ssl/certs/hub.example.edu.pem", files.cert),
        ("/etc/ssl/private/hub.example.edu.key", files.key),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "ngshare.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder))
    url, log = f"https://127.0.0.1:{port}", folder / "nginx.log"
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(log)]
    with servers.running(command, env={}, log=log, cwd=folder) as process:
        servers.wait_until(lambda: servers._is_alive(f"{url}{hub.base_url}hub/api/", verify=files.ca), process, log)
        yield url


@pytest.fixture
def secured(campus, tmp_path):
    """(address of ngshare behind nginx, file of the authority)"""
    (files,) = certificates.issue(tmp_path, "hub")
    with nginx(tmp_path, campus.hub, files) as url:
        yield f"{url}{campus.hub.base_url}services/ngshare", files.ca


def run(campus, username, *arguments, **variables):
    """nbgrader in a user's server, with other variables."""
    campus.hub.start_server(username)
    env = {**campus.hub.environment_of_server(username), **variables}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=campus.hub.home(username), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


if NGINX:  # elsewhere they are not collected

    def test_a_large_release_passes_nginx(campus, secured):
        address, authority = secured
        release = campus.hub.home("alice") / "nbg101" / "release" / "large"
        release.mkdir(parents=True)
        (release / "data.bin").write_bytes(os.urandom(50 * 10**6))
        (release / "p.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        variables = {"NGSHARE_URL": address, "REQUESTS_CA_BUNDLE": authority}
        assert "Released as" in run(campus, "alice", "release_assignment", "large", **variables)
        run(campus, "bob", "fetch_assignment", "large", "--course", COURSE, **variables)
        assert (campus.hub.home("bob") / "large" / "data.bin").read_bytes() == (release / "data.bin").read_bytes()

    def test_a_browser_logs_in_through_nginx_with_secure_cookies(tmp_path):
        (files,) = certificates.issue(tmp_path, "hub")
        port = free_port()
        public = f"https://127.0.0.1:{port}"
        lines = f"c.JupyterHub.public_url = {public!r}\n"
        with started(tmp_path / "hub", variables=more(tmp_path, lines)) as hub, nginx(tmp_path, hub, files, port):
            Campus(hub).create_course()
            browser = requests.Session()
            browser.trust_env, browser.verify = False, files.ca
            page = log_in(public, "alice", browser).get(f"{public}/services/ngshare/", timeout=60)
            assert page.url == f"{public}/services/ngshare/" and COURSE in page.text
            assert {cookie.secure for cookie in browser.cookies if cookie.name == "ngshare-session"} == {True}


def more(folder, lines):
    """A file with lines for the end of the Hub's configuration."""
    file = folder / "more.py"
    file.write_text(lines)
    return {"DEMO_MORE": str(file)}


def test_hub_that_gives_up_on_a_late_proxy_is_started_again(tmp_path):
    proxy, mark = tmp_path / "proxy", tmp_path / "was-late"
    late = f"[ -e {mark} ] || {{ touch {mark}; exec sleep 600; }}"
    proxy.write_text(f'#!/bin/sh\n{late}\nexec {Path(sys.executable).with_name("configurable-http-proxy")} "$@"\n')
    proxy.chmod(0o755)
    lines = f'c.ConfigurableHTTPProxy.command = ["{proxy}", "--log-level", "warning"]\n'
    with started(tmp_path / "hub", variables=more(tmp_path, lines)) as hub:
        assert mark.exists()
        assert requests.get(f"{hub.ngshare}/healthz", timeout=60).json()["success"]


class Slow(BaseHTTPRequestHandler):
    """A service that thinks for longer than the proxy in Python waits by itself."""

    def do_GET(self):
        if self.path.endswith("/slow"):
            time.sleep(25)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


def test_answer_may_take_longer_than_the_proxy_waits_by_itself(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ports = (*free_ports()[:3], server.server_port)
        with running(Hub(tmp_path / "hub", ports, variables={"DEMO_MANAGED": "0"})) as hub:
            servers.wait_until(lambda: answers(f"{hub.ngshare}/"))
            assert requests.get(f"{hub.ngshare}/slow", timeout=120).status_code == 200
        server.shutdown()


def service_of(hub, data, **variables):
    """The service of a Hub that does not start it, as the page says."""
    return servers.service(
        data,
        workers=1,
        NGSHARE_STANDALONE="0",
        NGSHARE_ADMINS="admin",
        JUPYTERHUB_API_TOKEN=hub.ngshare_token,
        JUPYTERHUB_SERVICE_PREFIX="/services/ngshare/",
        JUPYTERHUB_OAUTH_CALLBACK_URL=f"{hub.url}/services/ngshare/oauth_callback",
        **variables,
    )


def test_service_on_another_machine(tmp_path):
    """Two more addresses of this machine play two machines that share the Hub's network alone."""
    ours, hubs = "127.0.0.2", "127.0.0.3"
    lines = f"""
service = next(service for service in c.JupyterHub.services if service["name"] == "ngshare")
service["url"] = f"http://{ours}:{{NGSHARE_PORT}}"
c.JupyterHub.hub_ip = c.JupyterHub.hub_connect_ip = "{hubs}"
"""
    variables = {"DEMO_MANAGED": "0", **more(tmp_path, lines)}
    with started(tmp_path / "hub", variables=variables) as hub:
        api = f"http://{hubs}:{hub.ports[1]}/hub/api"
        with service_of(hub, tmp_path / "data", host=ours, port=hub.ports[3], JUPYTERHUB_API_URL=api):
            Campus(hub).create_course()
            # A busy Hub may not answer at once: the service asks it again after some seconds.
            servers.wait_until(lambda: requests.get(f"{hub.ngshare}/readyz", timeout=30).json()["hub"] == "ok")
            page = log_in(hub.url, "alice", requests.Session()).get(f"{hub.ngshare}/", timeout=60)
            assert page.url == f"{hub.ngshare}/" and COURSE in page.text


@pytest.fixture
def names_below_localhost(monkeypatch):
    """Resolve *.localhost as browsers do."""
    resolve = socket.getaddrinfo

    def found(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if str(name).endswith(".localhost") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)


if PROXY.exists():  # elsewhere it is not collected: the proxy in Python does not choose by host name

    def test_sub_domains(tmp_path, names_below_localhost):
        """The Hub, ngshare and each user have hosts of their own; nbgrader reaches the service directly."""
        lines = f"""
c.ConfigurableHTTPProxy.command = [{str(PROXY)!r}, "--log-level", "warning"]
c.JupyterHub.subdomain_host = f"http://hub.localhost:{{PORT}}"
c.Spawner.environment["NGSHARE_URL"] = f"http://127.0.0.1:{{NGSHARE_PORT}}/services/ngshare"
"""
        hosts = {"host": "hub.localhost", "ngshare_host": "ngshare--service.hub.localhost"}
        with started(tmp_path / "hub", **hosts, variables=more(tmp_path, lines)) as hub:
            campus = Campus(hub)
            campus.create_course()
            campus.prepare_instructor()
            page = log_in(hub.url, "alice", requests.Session()).get(f"{hub.ngshare}/", timeout=60)
            assert page.url == f"{hub.ngshare}/" and COURSE in page.text
            run(campus, "alice", "generate_assignment", "ps1")
            assert "Released as" in run(campus, "alice", "release_assignment", "ps1")


def test_tls_between_proxy_and_service(tmp_path):
    (files,) = certificates.issue(tmp_path, "ngshare")
    lines = """
service = next(service for service in c.JupyterHub.services if service["name"] == "ngshare")
service["url"] = f"https://127.0.0.1:{NGSHARE_PORT}"
"""
    trusted = {
        "SSL_CERT_FILE": files.ca,
        "NODE_EXTRA_CA_CERTS": files.ca,
    }  # the proxy in Python, and that in JavaScript
    variables = {"DEMO_MANAGED": "0", **trusted, **more(tmp_path, lines)}
    with started(tmp_path / "hub", variables=variables) as hub:
        own = {"JUPYTERHUB_SSL_CERTFILE": files.cert, "JUPYTERHUB_SSL_KEYFILE": files.key}
        api = f"http://127.0.0.1:{hub.ports[1]}/hub/api"
        tls = {"verify": files.ca}
        with service_of(hub, tmp_path / "data", port=hub.ports[3], tls=tls, JUPYTERHUB_API_URL=api, **own) as service:
            assert service.url.startswith("https://")
            Campus(hub).create_course()
            page = log_in(hub.url, "alice", requests.Session()).get(f"{hub.ngshare}/", timeout=60)
            assert page.url == f"{hub.ngshare}/" and COURSE in page.text
