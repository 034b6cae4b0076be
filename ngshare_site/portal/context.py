"""What the header of every page needs."""

from django.conf import settings
from django.http import HttpRequest

from courses import request_id
from courses.permissions import actor_of


def base(request: HttpRequest) -> dict[str, object]:
    """Context processor: whether to link to the admin and to notices, and the request's id for pages of an error."""
    is_staff = hasattr(request, "user") and actor_of(request).is_staff
    return {"is_staff": is_staff, "has_mail": bool(settings.NGSHARE_MAIL), "request_id": request_id.current.get()}
