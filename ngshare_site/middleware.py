"""Middleware: requests that are refused before any view sees them, and the headers of our answers."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from courses.api.draining import drain
from courses.body_limits import FORM, limit_of
from courses.sizes import readable_size
from ngshare_site.error_pages import api_v2_error, is_api_v2, too_large
from ngshare_site.hub.authentication import has_known_token

# Django has a setting for this from version 6 on. django-csp would need as many lines of settings as this is long.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_PAGE_POLICY = f"script-src 'self' 'unsafe-inline'; {PAGE_POLICY}"  # the documentation has its start in the page
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def refuse_malformed(get_response: GetResponse) -> GetResponse:
    """Refuse a body without Content-Length and an address with NUL.

    Django reads such a body as an empty one, and a submission of no files would be stored. No column of the database
    takes NUL.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            return _refuse(request, 411, "length_required", "Send a Content-Length: chunked bodies are not read.")
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return _refuse(request, 400, "bad_request", "An address may not hold a NUL character.")
        return get_response(request)

    return middleware


def refuse_too_large(get_response: GetResponse) -> GetResponse:
    """Refuse a body that is larger than its address takes by its Content-Length, before anything reads it.

    Larger forms than usual are for those who are logged in.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # The server has checked that it is a number, of up to 4,300 digits.
        length = min(int(request.META.get("CONTENT_LENGTH") or 0), sys.maxsize)
        if not length:
            return get_response(request)
        try:
            view = resolve(request.path_info).func
        except Resolver404:
            return get_response(request)  # answers 404 and reads nothing
        is_api = hasattr(view, "cls")
        limit = limit_of(view)
        if limit is not FORM and not is_api and not request.user.is_authenticated:
            limit = FORM
        size = limit.of(request.META.get("CONTENT_TYPE", ""))
        if size is None or length <= size:
            return get_response(request)
        with translation.override("en") if is_api and not is_api_v2(request) else nullcontext():
            text = _("The request is %(size)s, the limit is %(limit)s.")
            message = text % {"size": readable_size(length), "limit": readable_size(size)}
            message = f"{message} {limit.hint}".strip()
        if request.user.is_authenticated or has_known_token(request):
            drain(request)
        return _refuse(request, 413, "too_large", message) if is_api else too_large(request, message)

    return middleware


def refuse_foreign_pages(get_response: GetResponse) -> GetResponse:
    """In stand-alone mode, where everybody is believed, refuse what a page of another site sends through a browser.

    Browsers say so in Sec-Fetch-Site and Origin; programs send neither. A link from elsewhere may be followed.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.NGSHARE_STANDALONE and _is_from_foreign_page(request):
            message = "In stand-alone mode this service answers no pages of other sites."
            return _refuse(request, 403, "permission_denied", message)
        return get_response(request)

    return middleware


def _is_from_foreign_page(request: HttpRequest) -> bool:
    is_link = request.method in ("GET", "HEAD") and request.headers.get("Sec-Fetch-Mode") == "navigate"
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not is_link:
        return True
    origin = request.headers.get("Origin")
    ours = [f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS]
    return origin is not None and origin not in ours


def secure_cookies(get_response: GetResponse) -> GetResponse:
    """Mark the cookies of an answer to https as for https alone, also where no setting says that the site has it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return middleware


def keep_out_of_caches(get_response: GetResponse) -> GetResponse:
    """Let no browser or proxy keep our answers, unless a view says otherwise. Static files do not come by here."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


class LanguageOfReader(LocaleMiddleware):
    """Answer in the language that was chosen on a page, or else in one that the browser or program asks for.

    It ends with the request: what a worker logs afterwards is as before. API v1 keeps to English by itself.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(None):
            return cast(HttpResponseBase, super().__call__(request))


class ZoneOfPages:
    """Show and read times on pages in the site's zone; what is about one course takes the zone of that course.

    The latter is activated where a page finds its course (`timezone.activate`), and ends here. The APIs stay in UTC.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(None):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        if not hasattr(view, "cls"):
            timezone.activate(settings.NGSHARE_TIME_ZONE)


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Let our pages load nothing from elsewhere and be framed by nobody, unless a view has set its own policy."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            is_api = request.path.startswith(f"{settings.PREFIX}api/")
            response.headers.setdefault("Content-Security-Policy", API_PAGE_POLICY if is_api else PAGE_POLICY)
        return response

    return middleware


def _refuse(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if is_api_v2(request):
        return api_v2_error(status, code, message)
    return JsonResponse({"success": False, "message": message}, status=status)
