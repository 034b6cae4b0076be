"""Settings: the one call, what formgrader shows of them, and what the plugin brings along."""

import json
import os
import subprocess
import sys

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange import abc as nbgraders
from traitlets.config import Config

import nbgrader_plugin
from nbgrader_plugin import NgshareAuthenticator, configure
from tests.servers import ROOT

SLOTS = {
    "exchange": "Exchange",
    "fetch_assignment": "ExchangeFetchAssignment",
    "fetch_feedback": "ExchangeFetchFeedback",
    "release_assignment": "ExchangeReleaseAssignment",
    "release_feedback": "ExchangeReleaseFeedback",
    "list": "ExchangeList",
    "submit": "ExchangeSubmit",
    "collect": "ExchangeCollect",
}


@pytest.fixture
def config():
    config = Config()
    configure(config, url="http://127.0.0.1:1/services/ngshare")
    return config


def test_configure_fills_every_slot_with_nbgraders_kind(config):
    factory = ExchangeFactory(config=config)
    for slot, name in SLOTS.items():
        found = getattr(factory, slot)
        assert found is getattr(nbgrader_plugin, name)
        assert issubclass(found, getattr(nbgraders, name))


def test_configure_sets_the_authenticator(config):
    assert isinstance(Authenticator(config=config).plugin, NgshareAuthenticator)


def test_formgrader_can_show_the_configuration_as_json_without_a_token(config, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    shown = json.dumps(config)
    assert "nbgrader_plugin.ExchangeSubmit" in shown and "secret" not in shown


def test_no_trait_holds_the_token(config, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    for name in SLOTS.values():
        plugin = getattr(nbgrader_plugin, name)(coursedir=CourseDirectory(config=config), config=config)
        assert "secret" not in repr(plugin.trait_values())
        assert "secret" not in repr(plugin.client.trait_values())


@pytest.mark.parametrize("name", SLOTS.values())
def test_settings_of_nbgraders_own_exchange_are_accepted(config, name, caplog):
    config.Exchange.root = "/srv/exchange"
    config.Exchange.cache = "/somewhere"
    config.Exchange.assignment_dir = "/elsewhere"
    config.Exchange.path_includes_course = True
    config.Exchange.timezone = "UTC"
    config.ExchangeSubmit.add_random_string = False
    config.ExchangeCollect.check_owner = False
    plugin = getattr(nbgrader_plugin, name)(config=config)
    assert (plugin.root, plugin.cache, plugin.assignment_dir) == ("/srv/exchange", "/somewhere", "/elsewhere")
    assert plugin.path_includes_course is True
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.wide
def test_importing_the_plugin_imports_nothing_of_the_server():
    program = (
        "import sys; from nbgrader_plugin import *; import nbgrader_plugin.formgrader_fix;"
        "import nbgrader_plugin.cli.course_management, nbgrader_plugin.cli.course_directory;"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('django', 'rest_framework', 'ngshare_site', 'courses', 'exchange')])"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout == "[]\n", done.stderr


def test_paths_and_manifests_and_configure_need_no_nbgrader():
    program = (
        "import sys; sys.modules['nbgrader'] = None;"
        "import nbgrader_plugin.client.paths, nbgrader_plugin.client.manifest;"
        "from nbgrader_plugin import configure; print('fine')"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout == "fine\n", done.stderr


def test_every_public_name_is_there_and_no_other():
    for name in nbgrader_plugin.__all__:
        assert getattr(nbgrader_plugin, name)
    assert set(nbgrader_plugin.__all__) == {*nbgrader_plugin.MODULES, "__version__"}
    with pytest.raises(AttributeError):
        nbgrader_plugin.nothing  # noqa: B018
