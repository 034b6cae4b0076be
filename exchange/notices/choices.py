"""What each person chooses to be mailed."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import transaction

from courses import audit
from courses.permissions import Actor
from exchange.notices import mail
from exchange.notices.models import Kind, MailChoice


def offered() -> list[Kind]:
    """Return the kinds of notices that this site mails."""
    return [kind for kind in Kind if kind in settings.NGSHARE_MAIL]


def wanted(*, by: Actor) -> list[Kind]:
    """Return those that the actor is mailed."""
    unwanted = mail.unwanted_by(by.required_user.pk)
    return [kind for kind in offered() if kind not in unwanted]


def choose(kinds: Collection[str], *, language: str | None = None, by: Actor) -> None:
    """Mail the actor these kinds of notices alone, in this language; the site's if it is empty.

    What the site does not offer now stays as it was, and without a `language`, that.
    """
    user = by.required_user
    before, language_before = mail.unwanted_by(user.pk), mail.language_of(user.pk)
    unwanted = [kind for kind in Kind if (kind not in kinds if kind in offered() else kind in before)]
    language = language_before if language is None else language
    if sorted(unwanted) == sorted(before) and language == language_before:
        return
    values = {"unwanted": [*map(str, unwanted)], "language": language}
    with transaction.atomic():
        MailChoice.objects.update_or_create(user=user, defaults=values)
        changed: dict[str, Any] = {"unwanted": values["unwanted"]}
        if language != language_before:
            changed["language"] = language
        audit.record("choose notices", by=by, role="", about=user, target=user.username, **changed)
