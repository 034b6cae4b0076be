"""What the header of every page needs."""

from django.http import HttpRequest

from courses.permissions import actor_of


def base(request: HttpRequest) -> dict[str, bool]:
    """Context processor: whether to link to the admin."""
    return {"is_staff": hasattr(request, "user") and actor_of(request).is_staff}
