"""The only map of addresses."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path

from exchange.api.v1.urls import urlpatterns as v1
from exchange.api.v2.urls import urlpatterns as v2
from ngshare_site import health
from ngshare_site.hub import views as hub
from ngshare_site.portal import views as pages

service: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v2/", include((v2, "v2"))),
    path("admin/", admin.site.urls),
    path("", pages.home, name="home"),
    path("login/", hub.login, name="login"),
    path("logout/", hub.logout, name="logout"),
    path("oauth_callback", hub.callback, name="oauth-callback"),
    path("view/submission/<int:pk>/", pages.submission, name="submission"),
    path("view/submission/<int:pk>/receipt.json", pages.receipt, name="receipt"),
    path("view/submission/<int:pk>/files.zip", pages.files, name="files"),
    path("view/submission/<int:pk>/feedback/<path:path>", pages.feedback, name="feedback"),
    path("view/course/<str:course>/<str:assignment>/", pages.assignment, name="assignment"),
    path("view/course/<str:course>/<str:assignment>/hand-ins.csv", pages.hand_ins, name="hand-ins"),
    path("", include(v1)),  # the wire of ngshare 0.6
]
if settings.NGSHARE_STANDALONE:
    # Where ngshare's own stand-alone mode has it.
    service += [path("api/healthz", health.alive), path("api/", include(v1))]
urlpatterns: list[URLPattern | URLResolver] = [path(settings.PREFIX[1:], include(service))]
if settings.PREFIX != "/":
    urlpatterns += [path("healthz", health.alive), path("readyz", health.ready)]


HEADINGS = {403: "Not for you", 404: "Nothing here"}


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 403, "permission_denied", "This is not for you to see or do.")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 404, "not_found", "There is nothing at this address.")


def handler500(request: HttpRequest) -> HttpResponse:
    message = "Something went wrong here; it is in the service's log."
    if "/api/v2/" in request.path:
        return _plain(request, 500, "server_error", message)
    return HttpResponse(message, status=500, content_type="text/plain; charset=utf-8")  # a page may be what went wrong


def _plain(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if "/api/v2/" in request.path:
        return JsonResponse({"code": code, "message": message, "details": {}}, status=status)
    return render(request, "ngshare/message.html", {"heading": HEADINGS[status], "message": message}, status=status)
