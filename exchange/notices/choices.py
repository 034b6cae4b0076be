"""What each person chooses to be mailed."""

from collections.abc import Collection

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


def choose(kinds: Collection[str], *, by: Actor) -> None:
    """Mail the actor these kinds of notices alone. What the site does not offer now stays as it was."""
    user = by.required_user
    before = mail.unwanted_by(user.pk)
    unwanted = [kind for kind in Kind if (kind not in kinds if kind in offered() else kind in before)]
    if sorted(unwanted) == sorted(before):
        return
    with transaction.atomic():
        MailChoice.objects.update_or_create(user=user, defaults={"unwanted": [str(kind) for kind in unwanted]})
        audit.record("choose notices", by=by, role="", about=user, target=user.username, unwanted=[*map(str, unwanted)])
