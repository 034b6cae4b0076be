"""What the header of every page needs."""

from django.http import HttpRequest

from courses import request_id
from courses.permissions import actor_of


def base(request: HttpRequest) -> dict[str, object]:
    """Context processor: whether to link to the admin, and the request's id for pages that tell of an error."""
    is_staff = hasattr(request, "user") and actor_of(request).is_staff
    return {"is_staff": is_staff, "request_id": request_id.current.get()}
