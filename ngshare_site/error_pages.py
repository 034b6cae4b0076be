"""The answers to addresses and requests that no view handles: JSON for API v2, pages for browsers."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses import request_id

HEADINGS = {403: gettext_lazy("Not allowed"), 404: gettext_lazy("Not found"), 413: gettext_lazy("Too large")}


def is_api_v2(request: HttpRequest) -> bool:
    """Return whether the address belongs to API v2; names in other addresses may contain the same text."""
    return request.path.startswith(f"{settings.PREFIX}api/v2/")


def api_v2_error(status: int, code: str, message: str) -> JsonResponse:
    body = {"code": code, "message": message, "details": {}, "request_id": request_id.current.get()}
    return JsonResponse(body, status=status)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403, "permission_denied", _("You may not see or do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404, "not_found", _("There is nothing at this address."))


def too_large(request: HttpRequest, message: str) -> HttpResponse:
    return _error(request, 413, "too_large", message)


def server_error(request: HttpRequest) -> HttpResponse:
    message = _("Something went wrong here. The service's log has the details.")
    if is_api_v2(request):
        return api_v2_error(500, "server_error", message)
    # Plain text: the error may have been in a template.
    text = _("%(message)s (request %(number)s)") % {"message": message, "number": request_id.current.get()}
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")


def _error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if is_api_v2(request):
        return api_v2_error(status, code, message)
    context = {"heading": HEADINGS[status], "message": message, "page_address": settings.PREFIX}  # repeats no address
    return render(request, "ngshare/message.html", context, status=status)
