"""`serve` refuses what is unsafe or cannot work before it touches the database."""

import gc
import ssl
import weakref

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command

from ngshare_site.management.commands import serve


@pytest.fixture
def served(monkeypatch):
    """What gunicorn would be started with; nothing is migrated."""
    options = []
    monkeypatch.setattr(serve.Server, "run", lambda self: options.append({**self.options, "places": self.places}))
    return options


def test_standalone_binds_to_loopback_alone(settings, served):
    settings.NGSHARE_STANDALONE = True
    with pytest.raises(CommandError, match="binds to loopback"):
        call_command("serve", "--no-migrate", "--bind", "0.0.0.0:12121")
    assert served == []


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1:80", True),
        ("[::1]:80", True),
        ("localhost:80", True),
        ("unix:/run/x", True),
        ("0.0.0.0:80", False),
        ("10.0.0.1:80", False),
        ("[::]:80", False),
        ("example.org:80", False),
    ],
)
def test_loopback(bind, expected):
    assert serve.is_loopback(bind) is expected


def test_neither_hub_nor_standalone_is_refused(settings, served):
    settings.JUPYTERHUB_API_URL = ""
    with pytest.raises(CommandError, match="JUPYTERHUB_API_URL is not set"):
        call_command("serve", "--no-migrate")
    assert served == []


@pytest.mark.parametrize("option", ["--workers", "--threads"])
def test_no_process_or_thread_is_refused(settings, served, option):
    settings.NGSHARE_STANDALONE = True
    with pytest.raises(CommandError, match="1 or more"):
        call_command("serve", "--no-migrate", option, "0")
    assert served == []


@pytest.mark.django_db
def test_serves_where_it_is_told(settings, served, capsys):
    settings.NGSHARE_STANDALONE = True
    call_command("serve", "--no-migrate", "--bind", "127.0.0.1:9999", "--workers", "3", "--threads", "5")
    (options,) = served
    assert (options["bind"], options["workers"], options["places"]) == ("127.0.0.1:9999", 3, 5)
    output = capsys.readouterr()
    assert "http://127.0.0.1:9999/" in output.out and "UNSAFE" in output.err


@pytest.mark.django_db
def test_no_header_of_a_request_changes_where_the_service_lies(settings, served):
    """gunicorn takes SCRIPT_NAME from the nearest proxy, and the Hub's proxy passes on what a browser sends."""
    settings.NGSHARE_STANDALONE = True
    call_command("serve", "--no-migrate")
    del served[0]["places"]
    server = serve.Server(WSGIHandler(), 1, served[0])
    assert server.cfg.forwarder_headers == []


@pytest.mark.parametrize(
    ("url", "bind"),
    [("", "127.0.0.1:12121"), ("http://10.1.2.3:81", "10.1.2.3:81"), ("http://ngshare", "ngshare:80")],
)
def test_default_is_where_the_hub_expects_it(settings, url, bind):
    settings.JUPYTERHUB_SERVICE_URL = url
    assert serve.default_bind() == bind


@pytest.fixture
def certificate(settings, tmp_path):
    settings.NGSHARE_STANDALONE = True
    for name in ("JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_KEYFILE", "JUPYTERHUB_SSL_CLIENT_CA"):
        setattr(settings, name, str(tmp_path / name))
        (tmp_path / name).touch()
    return settings


def test_certificates_of_the_hub_are_required_of_whoever_connects(certificate, served, capsys):
    call_command("serve", "--no-migrate")
    assert served[0]["certfile"] == certificate.JUPYTERHUB_SSL_CERTFILE
    assert served[0]["cert_reqs"] == ssl.CERT_REQUIRED
    assert "ngshare serves at https://127.0.0.1:12121/" in capsys.readouterr().out


def test_a_certificate_alone_asks_nobody_for_theirs(certificate, served):
    certificate.JUPYTERHUB_SSL_CLIENT_CA = ""
    call_command("serve", "--no-migrate")
    assert served[0]["cert_reqs"] == ssl.CERT_NONE and "ca_certs" not in served[0]


@pytest.mark.parametrize("name", ["JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_KEYFILE"])
def test_half_a_certificate_is_refused(certificate, served, name):
    setattr(certificate, name, "")
    with pytest.raises(CommandError, match="set both to serve with TLS"):
        call_command("serve", "--no-migrate")
    assert served == []


def test_a_certificate_that_cannot_be_read_is_named(certificate, served):
    certificate.JUPYTERHUB_SSL_KEYFILE = "/nowhere/key.pem"
    with pytest.raises(CommandError, match="cannot read /nowhere/key.pem"):
        call_command("serve", "--no-migrate")
    assert served == []


def test_garbage_collection_leaves_alone_what_is_loaded():
    thresholds = gc.get_threshold()
    try:
        serve.set_garbage_aside()
        assert gc.get_freeze_count() > 100_000 and gc.isenabled()
        cycle = weakref.ref(make_cycle())
        gc.collect()
        assert cycle() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


class Part:
    """What is part of itself."""

    def __init__(self):
        self.whole = self


def make_cycle():
    return Part()
