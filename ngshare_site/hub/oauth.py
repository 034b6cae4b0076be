"""The log-in of browsers: OAuth2 against JupyterHub, by the authorization code flow with state and PKCE.

State and verifier of a log-in that is under way are kept in a sealed cookie of the browser that began it: in no memory
of a process, so any process may answer the callback, and in no row, because anybody may begin a log-in. Source:
JupyterHub's documentation of services with OAuth, RFC 6749, RFC 7636.

Authlib's Django client is not used, only its session: it shows the text of `?error=` before it has compared the state,
logs the verifier at level DEBUG, never limits how many log-ins a session remembers, and has no place for `next`.
"""

import json
import logging
import posixpath
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import unquote, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ngshare_site.hub import http
from ngshare_site.hub.client import HubUnreachable
from ngshare_site.hub.sealing import NotSealedHere, seal, unseal

log = logging.getLogger(__name__)

PENDING_COOKIE = "ngshare-login-"  # and the beginning of the state: one cookie for each log-in that is under way
PENDING_SECONDS = 15 * 60
MAX_PENDING = 8  # tabs that log in at once
MAX_NEXT = 400  # bytes: all cookies together must fit into a header of a request


class LoginFailed(Exception):
    """The log-in cannot go on. The message is for the user."""


@dataclass(frozen=True)
class PendingLogin:
    state: str
    verifier: str
    next: str
    begun: float  # seconds since the epoch


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
    if not wanted or len(wanted.encode()) > MAX_NEXT or not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return settings.PREFIX
    # Browsers resolve `..` (also as %2e%2e), take a backslash for a slash, and leave out tabs and line breaks.
    path = unquote(urlsplit(wanted).path)
    is_plain = path.isprintable() and "\\" not in path
    is_ours = wanted.startswith(settings.PREFIX) and f"{posixpath.normpath(path)}/".startswith(settings.PREFIX)
    return wanted if is_plain and is_ours else settings.PREFIX


def start_login(request: HttpRequest, wanted: str | None) -> HttpResponseRedirect:
    """Send the browser to the Hub, with the log-in in a cookie."""
    login = PendingLogin(secrets.token_urlsafe(24), secrets.token_urlsafe(48), safe_next(wanted), time.time())
    address, _state = _oauth_session().create_authorization_url(
        hub_url("api/oauth2/authorize"), state=login.state, code_verifier=login.verifier
    )
    response = HttpResponseRedirect(str(address))
    earlier = sorted(_pending_logins(request), key=lambda pending: pending[1].begun)
    for name, _login in earlier[: -MAX_PENDING + 1]:
        response.delete_cookie(name, path=settings.PREFIX, samesite="Lax")
    response.set_cookie(
        _cookie_name(login.state),
        seal(json.dumps(asdict(login), ensure_ascii=False), purpose=PENDING_COOKIE),
        max_age=PENDING_SECONDS,
        path=settings.PREFIX,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # the Hub sends the browser back from another address
    )
    return response


def resume_login(request: HttpRequest) -> PendingLogin:
    """Return the log-in that this callback answers. Errors: LoginFailed."""
    state = request.GET.get("state", "")
    login = _open(request.COOKIES.get(_cookie_name(state), ""))
    if login is None or not constant_time_compare(login.state, state):
        raise LoginFailed(_("This log-in was begun in another browser, or too long ago. Start again."))
    if error := request.GET.get("error"):
        reason = request.GET.get("error_description") or error
        raise LoginFailed(_("JupyterHub did not let you in: %(reason)s") % {"reason": reason[:300]})
    return login


def forget_login(request: HttpRequest, response: HttpResponse) -> None:
    """Take the cookie of the log-in that this callback answers from the browser: a state counts once."""
    name = _cookie_name(request.GET.get("state", ""))
    if name in request.COOKIES:
        response.delete_cookie(name, path=settings.PREFIX, samesite="Lax")


def _pending_logins(request: HttpRequest) -> Iterator[tuple[str, PendingLogin]]:
    for name, value in request.COOKIES.items():
        if name.startswith(PENDING_COOKIE) and (login := _open(value)):
            yield name, login


def _open(sealed: str) -> PendingLogin | None:
    try:
        return PendingLogin(**json.loads(unseal(sealed, purpose=PENDING_COOKIE, seconds=PENDING_SECONDS)))
    except NotSealedHere:
        return None


def _cookie_name(state: str) -> str:
    return f"{PENDING_COOKIE}{state[:8]}"


def _oauth_session() -> OAuth2Session:
    return OAuth2Session(
        settings.JUPYTERHUB_CLIENT_ID,
        settings.JUPYTERHUB_API_TOKEN,
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
        redirect_uri=callback_url(),
    )


def fetch_token(code: str, verifier: str) -> str:
    """Exchange the code for the user's token. Errors: LoginFailed, HubUnreachable."""
    address = f"{settings.JUPYTERHUB_API_URL}/oauth2/token"
    try:
        answer = http.bounded(_oauth_session()).fetch_token(address, code=code, code_verifier=verifier)
    except OAuthError as error:
        log.warning("the Hub refused to exchange a code for a token: %s", error.error)
        raise LoginFailed(_("JupyterHub did not confirm who you are. Start again.")) from error
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise LoginFailed(_("JupyterHub did not confirm who you are. Start again."))
    return token
