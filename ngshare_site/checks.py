"""Checks of `check --deploy` that Django does not have."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning


def https_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Explain Django's security.W012 and W016, which come at the same time."""
    if settings.SESSION_COOKIE_SECURE:
        return []
    return [
        Warning(
            "No address tells whether browsers reach this service by https. "
            "Cookies are for https alone only where the proxy in front sends X-Forwarded-Proto.",
            hint="Set JUPYTERHUB_PUBLIC_URL to the service's address in browsers, or NGSHARE_SECURE_COOKIES=1.",
            id="ngshare.W001",
        )
    ]


def users_are_asked_for(**kwargs: Any) -> list[CheckMessage]:
    if not settings.NGSHARE_STANDALONE:
        return []
    return [Warning("NGSHARE_STANDALONE is set: everybody can act as any user.", id="ngshare.W002")]
