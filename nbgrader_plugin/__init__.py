"""nbgrader's exchange, kept by an ngshare service: `from nbgrader_plugin import configure` in nbgrader_config.py.

The names that nbgrader and nbgrader_config.py use are importable from here. Each is loaded at its first use (PEP 562),
so that `configure` costs nothing and modules without nbgrader can be imported where nbgrader is not installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .authenticator import NgshareAuthenticator
    from .client.client import NgshareClient
    from .config import configure
    from .exchange.base import Exchange
    from .exchange.collect import ExchangeCollect
    from .exchange.fetch_assignment import ExchangeFetchAssignment
    from .exchange.fetch_feedback import ExchangeFetchFeedback
    from .exchange.list import ExchangeList
    from .exchange.release_assignment import ExchangeReleaseAssignment
    from .exchange.release_feedback import ExchangeReleaseFeedback
    from .exchange.submit import ExchangeSubmit

__version__ = "1.0.0.dev0"  # the same as ngshare_site.__version__

MODULES = {
    "Exchange": ".exchange.base",
    "ExchangeCollect": ".exchange.collect",
    "ExchangeFetchAssignment": ".exchange.fetch_assignment",
    "ExchangeFetchFeedback": ".exchange.fetch_feedback",
    "ExchangeList": ".exchange.list",
    "ExchangeReleaseAssignment": ".exchange.release_assignment",
    "ExchangeReleaseFeedback": ".exchange.release_feedback",
    "ExchangeSubmit": ".exchange.submit",
    "NgshareAuthenticator": ".authenticator",
    "NgshareClient": ".client.client",
    "configure": ".config",
}

__all__ = [
    "Exchange",
    "ExchangeCollect",
    "ExchangeFetchAssignment",
    "ExchangeFetchFeedback",
    "ExchangeList",
    "ExchangeReleaseAssignment",
    "ExchangeReleaseFeedback",
    "ExchangeSubmit",
    "NgshareAuthenticator",
    "NgshareClient",
    "__version__",
    "configure",
]


def __getattr__(name: str) -> object:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
