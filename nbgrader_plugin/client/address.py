"""The address of the exchange, and the token that is sent to it.

Both come from the environment that JupyterHub gives a user's server, unless nbgrader_config.py sets the address. The
token comes from the environment alone: formgrader shows the whole configuration to whoever opens it.
"""

import os
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from ..translation import gettext as _
from .errors import NotConfigured

SERVICE = "services/ngshare"  # where JupyterHub puts a service named ngshare, below its base URL
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))  # the rest of a token is percent-encoded


def find_address(configured: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the exchange, without a slash at its end; raise NotConfigured if there is none.

    The first of these that is set: nbgrader_config.py; NGSHARE_URL; the Hub's public address
    (JUPYTERHUB_PUBLIC_HUB_URL, from JupyterHub 5.0 on); in Kubernetes, the proxy of Zero to JupyterHub. A port is never
    guessed: the token would go there.
    """
    url = (configured or environ.get("NGSHARE_URL", "")).strip() or _below_hub(environ)
    if not url:
        raise NotConfigured(
            _(
                "The address of the exchange is not known. Set it in nbgrader_config.py: "
                "from nbgrader_plugin import configure; configure(get_config(), url='http://…/services/ngshare'), "
                "or set NGSHARE_URL in the environment."
            )
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(
            _("The address of the exchange must start with http:// or https://, not '%(url)s'.") % {"url": url}
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise NotConfigured(_("The address of the exchange must have no user name, password, query or fragment."))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _below_hub(environ: Mapping[str, str]) -> str:
    public_hub = environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "").rstrip("/")
    if public_hub.endswith("/hub"):
        return f"{public_hub.removesuffix('hub')}{SERVICE}"
    if environ.get("PROXY_PUBLIC_SERVICE_HOST") and environ.get("JUPYTERHUB_API_URL"):
        return f"http://proxy-public{environ.get('JUPYTERHUB_BASE_URL') or '/'}{SERVICE}"
    return ""


class HubToken(requests.auth.AuthBase):
    """Put JUPYTERHUB_API_TOKEN on a request. (As an object, so that no ~/.netrc takes its place.)"""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        token = environ.get("JUPYTERHUB_API_TOKEN", "").strip()
        if not token:
            raise NotConfigured(
                _(
                    "There is no JUPYTERHUB_API_TOKEN in the environment, so the exchange cannot know who you are. "
                    "It is set in the terminals and notebooks of your JupyterHub server."
                )
            )
        self._header = f"token {quote(token, safe=PRINTABLE)}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HubToken) and other._header == self._header

    def __hash__(self) -> int:
        return hash(self._header)


class NoToken(requests.auth.AuthBase):
    """Put nothing on a request, not even what ~/.netrc has for the host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
