"""TLS as a Hub with `internal_ssl` wants it: the service shows its certificate, and asks for those of the others."""

import os
import ssl
import time
from contextlib import contextmanager

import pytest
import requests

from tests import cast, certificates, fake_hub, servers
from tests.live import slow
from tests.live.test_slow_clients import PATIENCE, PAUSE, PAUSES

pytestmark = pytest.mark.live


def for_those_with(authorities, files):
    """As the Hub listens: it shows its certificate, and answers those alone who show one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authorities)
    context.load_cert_chain(*pair(files))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def pair(files):
    return (files.cert, files.key)


def test_hub_and_service_show_each_other_their_certificates(tmp_path):
    hubs, own = certificates.issue(tmp_path, "hub", "ngshare")
    (strange,) = certificates.issue(tmp_path, "stranger", authority="strange")
    authority = own.ca
    with fake_hub.running(tls=for_those_with(authority, hubs)) as hub:
        hub.user("of-bob", "bob", *fake_hub.SERVER_SCOPES)
        variables = {
            "NGSHARE_STANDALONE": "0",
            "JUPYTERHUB_API_URL": hub.url,
            "JUPYTERHUB_API_TOKEN": "of-the-service",
            "JUPYTERHUB_SSL_CERTFILE": own.cert,
            "JUPYTERHUB_SSL_KEYFILE": own.key,
            "JUPYTERHUB_SSL_CLIENT_CA": authority,
        }
        as_hub = {"verify": authority, "cert": pair(hubs)}
        with servers.service(tmp_path / "data", workers=1, tls=as_hub, **variables) as service:
            headers = {"Authorization": "token of-bob"}
            courses = f"{service.url}/api/v2/courses/"
            assert requests.get(courses, headers=headers, timeout=300, **as_hub).status_code == 200
            for stranger in (None, pair(strange)):
                with pytest.raises(requests.ConnectionError):
                    requests.get(courses, headers=headers, timeout=300, verify=authority, cert=stranger)


@contextmanager
def giving_up_after(seconds, folder):
    """A service with a certificate; what reaches it, and its authority."""
    (own,) = certificates.issue(folder, "ngshare")
    variables = {"JUPYTERHUB_SSL_CERTFILE": own.cert, "JUPYTERHUB_SSL_KEYFILE": own.key}
    variables["NGSHARE_CLIENT_SECONDS"] = str(seconds)
    with servers.service(folder / "data", workers=1, tls={"verify": own.ca}, **variables) as service:
        yield service, ssl.create_default_context(cafile=own.ca), own.ca


@pytest.fixture
def hasty(tmp_path):
    """One that gives up clients after a second."""
    with giving_up_after(1, tmp_path) as found:
        yield found


@pytest.fixture
def patient(tmp_path):
    """One that gives up clients after some seconds: less than a slow one takes here in all."""
    with giving_up_after(PATIENCE, tmp_path) as found:
        yield found


def test_handshake_without_progress_ends(hasty):
    service, _, _ = hasty
    with slow.connect(service.url) as connection:
        connection.sendall(b"\x16\x03\x01")  # how a handshake begins
        assert slow.read_until_closed(connection) == b""
    assert "Traceback" not in service.log.read_text()


def test_upload_with_tls_without_progress_ends(hasty):
    service, context, _ = hasty
    request = slow.head("POST", cast.v2("blobs", "missing"), token="bob", length=9, content_type="application/json")
    with context.wrap_socket(slow.connect(service.url), server_hostname="127.0.0.1") as connection:
        connection.sendall(request + b"{")
        assert b" 200 " not in slow.read_until_closed(connection)


def test_slow_upload_and_slow_download_with_tls_arrive(patient):
    service, context, authority = patient
    root = {"Authorization": "token root"}
    course = {"name": cast.COURSE, "instructors": ["alice"]}
    made = requests.post(service.url + cast.v2("courses"), json=course, headers=root, timeout=300, verify=authority)
    assert made.status_code == 201, made.text
    content = os.urandom(2_000_000)
    body = cast.bundle({"large.bin": content})
    release = slow.head("POST", cast.of_assignment("releases"), token="alice", length=len(body))
    with context.wrap_socket(slow.connect(service.url), server_hostname="127.0.0.1") as connection:
        connection.sendall(release)
        for start in range(0, PAUSES * 1000, 1000):
            connection.sendall(body[start : start + 1000])
            time.sleep(PAUSE)
        connection.sendall(body[PAUSES * 1000 :])
        assert b" 201 " in connection.recv(2**16).splitlines()[0]
        connection.sendall(slow.head("GET", cast.v2("blobs", cast.sha256(content)), token="alice"))
        received = b""
        while not received.endswith(content[-1000:]):
            received += connection.recv(2**16)
            time.sleep(0.02)
    assert received.endswith(content)
