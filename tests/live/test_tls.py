"""TLS as a Hub with `internal_ssl` wants it: the service shows its certificate, and asks for those of the others."""

import ssl

import pytest
import requests

from tests import certificates, fake_hub, servers

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
            assert requests.get(courses, headers=headers, timeout=30, **as_hub).status_code == 200
            for stranger in (None, pair(strange)):
                with pytest.raises(requests.ConnectionError):
                    requests.get(courses, headers=headers, timeout=30, verify=authority, cert=stranger)
