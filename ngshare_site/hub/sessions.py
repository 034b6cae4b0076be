"""A browser's session here lasts only as long as its log-in at the Hub.

The Hub marks a browser's log-in with the cookie `jupyterhub-session-id`. Another value, or none, ends the session at
once. Besides, the Hub is asked about the session's token every few minutes, and answers 403 after a log-out.

A session row, and so a backup, holds neither of the two in the clear: the token is sealed, the cookie hashed.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login, logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from rest_framework.exceptions import APIException

from courses.models import User
from ngshare_site.hub import client
from ngshare_site.hub.authentication import actor_by_identity, check_admission
from ngshare_site.hub.sealing import NotSealedHere, seal, unseal

log = logging.getLogger(__name__)

HUB_SESSION_COOKIE = "jupyterhub-session-id"
CHECK_SECONDS = 240  # how long the Hub's answer about a session is valid: its log-out ends ours within five minutes
PURPOSE = "token of a session"


def open_session(request: HttpRequest, user: User, token: str = "") -> None:
    """Log the browser in, under a new session key."""
    login(request, user, backend="courses.backends.RosterBackend")
    request.session["hub"] = bind_to_hub(token, request.COOKIES.get(HUB_SESSION_COOKIE, ""))


def bind_to_hub(token: str, hub_session: str) -> dict[str, Any]:
    """Return what a session keeps of its log-in at the Hub, which has just been confirmed."""
    return {"token": seal(token, purpose=PURPOSE), "hub_session": _hash(hub_session), "checked": time.time()}


def close_session(request: HttpRequest) -> None:
    """Log the browser out, and have the Hub delete the token of this session, where it lets us."""
    token = "" if settings.NGSHARE_STANDALONE else _token(request.session.get("hub"))
    logout(request)
    if token:
        try:
            client.revoke(token)
        except (client.BadToken, client.HubUnreachable) as error:
            log.debug("the Hub keeps the token of a session that ended: %r", error)


def end_with_hub_session(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: end sessions that the Hub has ended. Where the Hub must be asked and does not answer, answer 503."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session
        if has_session and not settings.NGSHARE_STANDALONE:
            try:
                if not _still_logged_in(request):
                    logout(request)
            except client.HubUnreachable as error:
                log.warning("cannot ask the Hub whether a session is still valid: %s", error)
                response = render(request, "ngshare/hub_unreachable.html", status=503)
                response["Retry-After"] = "5"  # seconds
                return response
        return get_response(request)

    return middleware


def _still_logged_in(request: HttpRequest) -> bool:
    state = request.session.get("hub")
    token = _token(state)
    hub_session = _hash(request.COOKIES.get(HUB_SESSION_COOKIE, ""))
    if not state or not token or not constant_time_compare(state["hub_session"], hub_session):
        return False
    return time.time() - state["checked"] < CHECK_SECONDS or _confirm(request, token)


def _confirm(request: HttpRequest, token: str) -> bool:
    """Ask the Hub whether the log-in still holds, and take over what it says of the user, as a log-in does."""
    try:
        identity = client.fetch_identity(token)
        if not isinstance(request.user, User) or identity.name != request.user.username:
            return False
        check_admission(identity)
        request.user = actor_by_identity(identity).required_user
    except (client.BadToken, APIException):
        return False
    request.session["hub"] = {**request.session["hub"], "checked": time.time()}
    return True


def _token(state: dict[str, Any] | None) -> str:
    """Return the Hub's token of a session; an empty text where there is none, or none that opens."""
    try:
        return unseal(state["token"], purpose=PURPOSE) if state else ""
    except NotSealedHere:
        return ""


def _hash(hub_session: str) -> str:
    return hashlib.sha256(hub_session.encode()).hexdigest()
