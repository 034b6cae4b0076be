"""The log-in of browsers: OAuth2 against JupyterHub, by the authorization code flow with state and PKCE.

State and verifier are kept in the browser's session and not in the memory of a process, so any process may answer the
callback. Source: JupyterHub's documentation of services with OAuth, RFC 6749, RFC 7636.

Authlib's Django client is not used, only its session: it shows the text of `?error=` before it has compared the state,
logs the verifier at level DEBUG, never limits how many log-ins a session remembers, and has no place for `next`.
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

PENDING_LOGINS = "pending-logins"  # in the session: {state: [verifier, next, when]}
PENDING_SECONDS = 15 * 60
MAX_PENDING = 8  # tabs that log in at once


class LoginFailed(Exception):
    """The log-in cannot go on. The message is for the user."""


@dataclass(frozen=True)
class PendingLogin:
    verifier: str
    next: str


def hub_base_path() -> str:
    """Return the Hub's base URL as a path with a slash at both ends."""
    return f"/{settings.JUPYTERHUB_BASE_URL.strip('/')}/".replace("//", "/")


def hub_url(path: str) -> str:
    """Return an address of the Hub as browsers know it, without a host where the Hub has the same one as we."""
    if settings.JUPYTERHUB_PUBLIC_HUB_URL:
        return f"{settings.JUPYTERHUB_PUBLIC_HUB_URL.rstrip('/')}/{path}"
    return f"{settings.JUPYTERHUB_HOST.rstrip('/')}{hub_base_path()}hub/{path}"


def callback_url() -> str:
    """Return the redirect URI, exactly as the Hub has registered it."""
    return settings.JUPYTERHUB_OAUTH_CALLBACK_URL or f"{settings.PREFIX}oauth_callback"


def safe_next(wanted: str | None) -> str:
    """Return where to go after the log-in, which is always a page of this service."""
    is_ours = wanted is not None and wanted.startswith(settings.PREFIX) and not wanted.startswith("//")
    if wanted and is_ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return settings.PREFIX


def start_login(request: HttpRequest, wanted: str | None) -> str:
    """Remember the log-in in the browser's session, and return the address to send the browser to."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    now = int(time.time())
    pending = request.session.get(PENDING_LOGINS, {})
    recent = [(key, login) for key, login in pending.items() if login[2] > now - PENDING_SECONDS]
    newest = dict(sorted(recent, key=lambda item: item[1][2])[-MAX_PENDING + 1 :])
    request.session[PENDING_LOGINS] = {**newest, state: [verifier, safe_next(wanted), now]}
    address, _ = _oauth_session().create_authorization_url(
        hub_url("api/oauth2/authorize"), state=state, code_verifier=verifier
    )
    return str(address)


def _oauth_session() -> OAuth2Session:
    return OAuth2Session(
        settings.JUPYTERHUB_CLIENT_ID,
        settings.JUPYTERHUB_API_TOKEN,
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
        redirect_uri=callback_url(),
    )


def resume_login(request: HttpRequest) -> PendingLogin:
    """Return the log-in that this callback answers, once. Errors: LoginFailed."""
    pending = request.session.get(PENDING_LOGINS, {})
    login = pending.pop(request.GET.get("state", ""), None)
    request.session[PENDING_LOGINS] = pending
    if login is None or login[2] < time.time() - PENDING_SECONDS:
        raise LoginFailed("This log-in was begun in another browser, or too long ago. Start again.")
    if error := request.GET.get("error"):
        reason = request.GET.get("error_description") or error
        raise LoginFailed(f"JupyterHub did not let you in: {reason[:300]}")
    return PendingLogin(login[0], safe_next(login[1]))


def fetch_token(code: str, verifier: str) -> str:
    """Exchange the code for the user's token. Errors: LoginFailed, HubUnreachable."""
    address = f"{settings.JUPYTERHUB_API_URL}/oauth2/token"
    try:
        answer = _oauth_session().fetch_token(address, code=code, code_verifier=verifier, timeout=client.TIMEOUT)
    except OAuthError as error:
        log.warning("the Hub refused to exchange a code for a token: %s", error.error)
        raise LoginFailed("JupyterHub did not confirm who you are. Start again.") from error
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise LoginFailed("JupyterHub did not confirm who you are. Start again.")
    return token
