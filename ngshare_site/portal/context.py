"""What the header of every page needs."""

from django.conf import settings
from django.http import HttpRequest

from courses import request_id
from courses.permissions import actor_of


def base(request: HttpRequest) -> dict[str, object]:
    """Context processor: whether to link to the admin and to notices, the request's id for pages of an error, and where
    to go on after another language was chosen: the answer to a form may have no address of its own.
    """
    match = request.resolver_match
    is_lasting = request.method in ("GET", "HEAD") and (match is None or match.url_name != "oauth-callback")
    is_staff = hasattr(request, "user") and actor_of(request).is_staff
    return {
        "is_staff": is_staff,
        "has_mail": bool(settings.NGSHARE_MAIL),
        "request_id": request_id.current.get(),
        "page_address": request.get_full_path() if is_lasting else settings.PREFIX,
    }
