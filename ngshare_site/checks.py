"""Checks of `check --deploy` that Django does not have.

The command says them in English, and the administrators' overview in the language of its reader.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.utils.translation import gettext_noop


def https_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Explain Django's security.W012 and W016, which come at the same time."""
    if settings.SESSION_COOKIE_SECURE:
        return []
    return [
        Warning(
            gettext_noop(
                "No address tells whether browsers reach this service by https. "
                "Cookies are for https alone only where the proxy in front sends X-Forwarded-Proto."
            ),
            hint="Set JUPYTERHUB_PUBLIC_URL to the service's address in browsers, or NGSHARE_SECURE_COOKIES=1.",
            id="ngshare.W001",
        )
    ]


def users_are_asked_for(**kwargs: Any) -> list[CheckMessage]:
    if not settings.NGSHARE_STANDALONE:
        return []
    text = gettext_noop("NGSHARE_STANDALONE is set: everybody can act as any user.")
    return [Warning(text, id="ngshare.W002")]
