"""Settings in nbgrader_config.py: the one call that configures everything, and sections with old names."""

import logging

from traitlets.config import Config

PLUGINS = {
    "exchange": "Exchange",
    "fetch_assignment": "ExchangeFetchAssignment",
    "fetch_feedback": "ExchangeFetchFeedback",
    "release_assignment": "ExchangeReleaseAssignment",
    "release_feedback": "ExchangeReleaseFeedback",
    "list": "ExchangeList",
    "submit": "ExchangeSubmit",
    "collect": "ExchangeCollect",
}


def configure(config: Config, url: str | None = None) -> None:
    """Make nbgrader use the ngshare service at `url`, for files and for who is in which course.

    In nbgrader_config.py:

        from nbgrader_plugin import configure
        configure(get_config(), url="http://…/services/ngshare")

    Without a `url`, NGSHARE_URL in the environment or the Hub's public address is used. Classes are named as text,
    because formgrader shows the configuration as JSON.
    """
    for slot, name in PLUGINS.items():
        setattr(config.ExchangeFactory, slot, f"nbgrader_plugin.{name}")
    config.Authenticator.plugin_class = "nbgrader_plugin.NgshareAuthenticator"
    if url is not None:
        config.NgshareClient.url = url


def accept_old_section(config: Config, old: str, new: str, log: logging.Logger) -> None:
    """Move a section of settings to its present name, as nbgrader's own exchange does, with a warning."""
    if old not in config:
        return
    settings = ", ".join(f"{old}.{name} = {value!r}" for name, value in config[old].items())
    log.warning("Use %s in config, not %s. Outdated config: %s", new, old, settings)
    config[new].merge(config[old])
    del config[old]
