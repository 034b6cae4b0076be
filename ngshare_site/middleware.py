"""What is refused before any view sees it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

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


def _refusal(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if "/api/v2/" in request.path:
        return JsonResponse({"code": code, "message": message, "details": {}}, status=status)
    return JsonResponse({"success": False, "message": message}, status=status)
