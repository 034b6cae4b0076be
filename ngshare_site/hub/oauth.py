"""The browser's way in: OAuth2 against JupyterHub, by the authorization code flow with state and PKCE.

Nothing about a log-in under way is in the memory of a process: state and verifier wait in the browser's own session,
so any process may answer the callback. Source: JupyterHub's documentation of services with OAuth, RFC 6749, RFC 7636.
"""

import logging
import secrets
import time
from dataclasses import dataclass

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from ngshare_site.hub import client
from ngshare_site.hub.client import HubUnreachable

log = logging.getLogger(__name__)

PENDING = "log-ins"  # in the session: {state: [verifier, next, when]}
PENDING_SECONDS = 15 * 60
PENDING_MOST = 8  # tabs that log in at once


class LoginFailed(Exception):
    """The log-in cannot go on; the message is for the person."""


@dataclass(frozen=True)
class Pending:
    verifier: str
    next: str


def hub_address(path: str) -> str:
    """An address of the Hub as browsers know it; without a host of its own if the Hub is where we are."""
    if settings.JUPYTERHUB_PUBLIC_HUB_URL:
        return f"{settings.JUPYTERHUB_PUBLIC_HUB_URL.rstrip('/')}/{path}"
    base = f"/{settings.JUPYTERHUB_BASE_URL.strip('/')}/".replace("//", "/")
    return f"{settings.JUPYTERHUB_HOST.rstrip('/')}{base}hub/{path}"


def callback_address() -> str:
    """Exactly what the Hub has registered as our redirect URI."""
    return settings.JUPYTERHUB_OAUTH_CALLBACK_URL or f"{settings.PREFIX}oauth_callback"


def safe_next(request: HttpRequest, wanted: str | None) -> str:
    """Where to go after the log-in: only ever a page of ours."""
    is_ours = wanted is not None and wanted.startswith(settings.PREFIX) and not wanted.startswith("//")
    if wanted and is_ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return settings.PREFIX


def begin(request: HttpRequest, wanted: str | None) -> str:
    """Remember the attempt in the browser's session; the address to send the browser to."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    now = int(time.time())
    kept = {name: one for name, one in request.session.get(PENDING, {}).items() if one[2] > now - PENDING_SECONDS}
    newest = dict(sorted(kept.items(), key=lambda item: item[1][2])[-PENDING_MOST + 1 :])
    request.session[PENDING] = {**newest, state: [verifier, safe_next(request, wanted), now]}
    address, _ = _session().create_authorization_url(
        hub_address("api/oauth2/authorize"), state=state, code_verifier=verifier
    )
    return str(address)


def _session() -> OAuth2Session:
    return OAuth2Session(
        settings.JUPYTERHUB_CLIENT_ID,
        settings.JUPYTERHUB_API_TOKEN,
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
        redirect_uri=callback_address(),
    )


def resume(request: HttpRequest) -> Pending:
    """The attempt that this callback answers. Errors: LoginFailed."""
    found = request.session.get(PENDING, {})
    kept = found.pop(request.GET.get("state", ""), None)
    request.session[PENDING] = found
    if kept is None or kept[2] < time.time() - PENDING_SECONDS:
        raise LoginFailed("This log-in was begun in another browser, or too long ago. Begin again.")
    if error := request.GET.get("error"):
        said = request.GET.get("error_description") or error
        raise LoginFailed(f"JupyterHub did not let you in: {said[:300]}")
    return Pending(kept[0], safe_next(request, kept[1]))


def token_for(code: str, verifier: str) -> str:
    """The user's token, in exchange for the code. Errors: LoginFailed, HubUnreachable."""
    address = f"{settings.JUPYTERHUB_API_URL}/oauth2/token"
    try:
        answer = _session().fetch_token(address, code=code, code_verifier=verifier, timeout=client.TIMEOUT)
    except OAuthError as error:
        log.warning("the Hub refused to exchange a code for a token: %s", error.error)
        raise LoginFailed("JupyterHub did not confirm who you are. Begin again.") from error
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise LoginFailed("JupyterHub did not confirm who you are. Begin again.")
    return token
