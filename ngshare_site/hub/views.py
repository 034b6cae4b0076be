"""Logging in and out. In stand-alone mode the log-in is a form that believes every name."""

import logging

from django.conf import settings
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.exceptions import APIException

from ngshare_site.hub import client, oauth, sessions
from ngshare_site.hub.authentication import check_admission, user_for, user_named

log = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Send the browser to the Hub; in stand-alone mode ask for a name."""
    wanted = request.POST.get("next") or request.GET.get("next")
    if settings.NGSHARE_STANDALONE:
        return _believe(request, wanted)
    if not settings.JUPYTERHUB_API_URL:
        return _refused(request, "This service is not connected to a JupyterHub.", 503)
    return HttpResponseRedirect(oauth.begin(request, wanted))


def _believe(request: HttpRequest, wanted: str | None) -> HttpResponse:
    message = ""
    if request.method == "POST":
        try:
            sessions.open_session(request, user_named(request.POST.get("username", "").strip()))
            return HttpResponseRedirect(oauth.safe_next(request, wanted))
        except APIException as error:
            message = str(error.detail)
    return render(request, "ngshare/standalone_login.html", {"next": wanted or "", "message": message})


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """The Hub sends the browser back here."""
    try:
        pending = oauth.resume(request)
        token = oauth.token_for(request.GET.get("code", ""), pending.verifier)
        identity = client.identify(token, fresh=True)
        check_admission(identity)
        user = user_for(identity)
    except oauth.LoginFailed as error:
        return _refused(request, str(error), 400)
    except client.BadToken:
        return _refused(request, "JupyterHub did not confirm who you are. Begin again.", 403)
    except client.HubUnreachable as error:
        log.warning("a log-in failed, the Hub does not answer: %s", error)
        return render(request, "ngshare/hub_away.html", status=503)
    except APIException as error:
        return _refused(request, str(error.detail), error.status_code)
    sessions.open_session(request, user, token)
    return HttpResponseRedirect(pending.next)


@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here; the page offers to end the Hub's, too."""
    end_session(request)
    hub_logout = "" if settings.NGSHARE_STANDALONE else oauth.hub_address("logout")
    return render(request, "ngshare/logged_out.html", {"hub_logout": hub_logout})


def _refused(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "ngshare/login_failed.html", {"message": message}, status=status)
