"""The pages of logging in and out. In stand-alone mode the log-in is a form that accepts every name."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.exceptions import APIException

from courses import audit
from courses.models import User
from courses.permissions import Actor
from ngshare_site.hub import client, oauth, sessions
from ngshare_site.hub.authentication import actor_by_identity, actor_by_name, check_admission

log = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Send the browser to the Hub. In stand-alone mode ask for a name."""
    wanted = request.POST.get("next") or request.GET.get("next")
    if settings.NGSHARE_STANDALONE:
        return _standalone_login(request, wanted)
    if not settings.JUPYTERHUB_API_URL:
        return _login_failed(request, _("This service is not connected to a JupyterHub."), 503)
    return oauth.start_login(request, wanted)


def _standalone_login(request: HttpRequest, wanted: str | None) -> HttpResponse:
    message = ""
    name = request.POST.get("username", "").strip()
    if request.method == "POST" and not name:
        message = _("Enter your user name.")
    elif request.method == "POST":
        try:
            user = actor_by_name(name).required_user
            sessions.open_session(request, user)
            _record("log in", user)
            return HttpResponseRedirect(oauth.safe_next(wanted))
        except APIException as error:
            message = str(error.detail)
    return render(request, "ngshare/standalone_login.html", {"next": wanted or "", "message": message})


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Open a session for the user whom the Hub has sent back."""
    response = _finish_login(request)
    oauth.forget_login(request, response)
    return response


def _finish_login(request: HttpRequest) -> HttpResponse:
    try:
        pending = oauth.resume_login(request)
        token = oauth.fetch_token(request.GET.get("code", ""), pending.verifier)
        identity = client.fetch_identity(token)
        check_admission(identity)
        user = actor_by_identity(identity).required_user
    except oauth.LoginFailed as error:
        return _login_failed(request, str(error), 400)
    except client.BadToken:
        return _login_failed(request, _("JupyterHub did not confirm who you are. Start again."), 403)
    except client.HubUnreachable as error:
        log.warning("a log-in failed, the Hub does not answer: %s", error)
        return render(request, "ngshare/hub_unreachable.html", status=503)
    except APIException as error:
        return _login_failed(request, str(error.detail), error.status_code)
    sessions.open_session(request, user, token)
    _record("log in", user)
    return HttpResponseRedirect(pending.next)


@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here. The page offers to end the one at the Hub, too."""
    if isinstance(request.user, User):
        _record("log out", request.user)
    sessions.close_session(request)
    hub_logout = "" if settings.NGSHARE_STANDALONE else oauth.hub_url("logout")
    return render(request, "ngshare/logged_out.html", {"hub_logout": hub_logout})


def _record(action: str, user: User) -> None:
    audit.record(action, by=Actor(user), role="", about=user, target=user.username)


def _login_failed(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "ngshare/login_failed.html", {"message": message}, status=status)
