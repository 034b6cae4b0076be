"""What is refused before any view sees it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

PAGES = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action *; frame-ancestors 'none'"
)
Handler = Callable[[HttpRequest], HttpResponseBase]


def refuse_unreadable(get_response: Handler) -> Handler:
    """Refuse a body of unannounced length (Django would read it as an empty one, and an empty hand-in would be
    stored), and NUL in an address (no database column takes it)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            return _refusal(request, 411, "length_required", "Send a Content-Length: chunked bodies are not read.")
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return _refusal(request, 400, "bad_request", "An address with a NUL character names nothing.")
        return get_response(request)

    return middleware


def only_from_here(get_response: Handler) -> Handler:
    """Our pages load nothing from elsewhere and are framed by nobody; an answer may say something stricter."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and "/api/" not in request.path:
            response.headers.setdefault("Content-Security-Policy", PAGES)
        return response

    return middleware


def _refusal(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if "/api/v2/" in request.path:
        return JsonResponse({"code": code, "message": message, "details": {}}, status=status)
    return JsonResponse({"success": False, "message": message}, status=status)
