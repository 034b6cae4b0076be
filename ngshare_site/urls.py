"""The only map of addresses."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path

from exchange.api.v1.urls import urlpatterns as v1
from exchange.api.v2.urls import urlpatterns as v2
from ngshare_site import health

service: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v2/", include((v2, "v2"))),
    path("", include(v1)),  # the wire of ngshare 0.6
]
if settings.NGSHARE_STANDALONE:
    # Where ngshare's own stand-alone mode has it.
    service += [path("api/healthz", health.alive), path("api/", include(v1))]
urlpatterns: list[URLPattern | URLResolver] = [path(settings.PREFIX[1:], include(service))]
if settings.PREFIX != "/":
    urlpatterns += [path("healthz", health.alive), path("readyz", health.ready)]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 404, "not_found", "There is nothing at this address.")


def handler500(request: HttpRequest) -> HttpResponse:
    return _plain(request, 500, "server_error", "Something went wrong here; it is in the service's log.")


def _plain(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if "/api/v2/" in request.path:
        return JsonResponse({"code": code, "message": message, "details": {}}, status=status)
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
