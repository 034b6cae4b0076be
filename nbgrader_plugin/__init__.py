"""nbgrader's exchange, kept by an ngshare service: `from nbgrader_plugin import configure` in nbgrader_config.py."""

from .authenticator import NgshareAuthenticator
from .client import VERSION as __version__
from .client import NgshareClient
from .collect import ExchangeCollect
from .config import configure
from .exchange import Exchange
from .fetch_assignment import ExchangeFetchAssignment
from .fetch_feedback import ExchangeFetchFeedback
from .list import ExchangeList
from .release_assignment import ExchangeReleaseAssignment
from .release_feedback import ExchangeReleaseFeedback
from .submit import ExchangeSubmit

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
