"""A browser's session here lasts only as long as its log-in at the Hub.

The Hub marks a browser's log-in with the cookie `jupyterhub-session-id`. Another value, or none, ends the session at
once. Besides, the Hub is asked about the session's token every few minutes, and answers 403 after a log-out.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login, logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from courses.models import User
from ngshare_site.hub import client

log = logging.getLogger(__name__)

HUB_SESSION_COOKIE = "jupyterhub-session-id"
CHECK_SECONDS = 240  # how long the Hub's answer about a session is valid: its log-out ends ours within five minutes


def open_session(request: HttpRequest, user: User, token: str = "") -> None:
    """Log the browser in, under a new session key."""
    login(request, user, backend="courses.backends.RosterBackend")
    request.session["hub"] = {
        "token": token,
        "hub_session": request.COOKIES.get(HUB_SESSION_COOKIE, ""),
        "checked": time.time(),
    }


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
    if state is None:
        return True  # opened by a program on the server and not by a log-in at the Hub
    if not state["token"] or state["hub_session"] != request.COOKIES.get(HUB_SESSION_COOKIE, ""):
        return False
    if time.time() - state["checked"] < CHECK_SECONDS:
        return True
    try:
        identity = client.identify(state["token"], fresh=True)
    except client.BadToken:
        return False
    request.session["hub"] = {**state, "checked": time.time()}
    return isinstance(request.user, User) and identity.name == request.user.username
