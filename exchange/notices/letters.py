"""What mail says: plain text, made of an event when it is sent."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from courses.models import Course
from courses.timestamps import local_text
from exchange.notices.models import Event, Kind


def write(event: Event, course: Course, address: str) -> EmailMessage:
    """Return the mail about an event for a member of the course, in the language that is active."""
    data: dict[str, Any] = json.loads(event.body)["data"]
    names = {"assignment": data["assignment"], "course": data["course"]}
    page = _address("assignment", data["course"], data["assignment"])
    if event.kind == Kind.SUBMITTED:
        subject, text = _("%(assignment)s was submitted") % names, _submitted(data, course.zone)
        page = _address("submission", str(data["receipt"]["id"]))
    elif event.kind == Kind.FEEDBACK_RETURNED:
        subject = _("Feedback on %(assignment)s") % names
        text = _("There is feedback on your submission of %(assignment)s.") % names
        page = _address("submission", str(data["submission"]))
    elif event.kind == Kind.DUE_SOON:
        subject = _("%(assignment)s is due soon") % names
        text = _("%(assignment)s is due %(due)s, and you have submitted nothing yet.")
        text %= {**names, "due": _time(data["due"], course.zone)}
    else:
        is_first = data["release"] == 1
        subject = (_("%(assignment)s was released") if is_first else _("%(assignment)s was released again")) % names
        text = _released(data, is_first=is_first, zone=course.zone)
    choices = _address("notices")
    footer = _("This is a notice of the course %(course)s. Choose which ones you get:\n%(address)s\n")
    footer %= {**names, "address": choices}
    return EmailMessage(
        subject=" ".join(f"[{data['course']}] {subject}".split()),
        body=f"{text}\n\n{page}\n\n-- \n{footer}",
        to=[address],
        headers={"List-Unsubscribe": f"<{choices}>", "Auto-Submitted": "auto-generated", "Message-ID": _id(event)},
    )


def _submitted(data: dict[str, Any], zone: ZoneInfo) -> str:
    receipt = data["receipt"]
    is_own = receipt["submitted_by"] == receipt["student"]
    text = (
        _("Your submission of %(assignment)s was stored %(time)s.")
        if is_own
        else _("Your submission of %(assignment)s was stored %(time)s by %(person)s.")
    )
    names = {"assignment": data["assignment"], "person": receipt["submitted_by"]}
    facts = _("Receipt:  %(code)s\nFiles:    %(count)s, %(size)s bytes\nDigest:   %(digest)s") % {
        "code": receipt["code"],
        "count": receipt["file_count"],
        "size": number_format(receipt["size"], force_grouping=True),
        "digest": receipt["digest"],
    }
    more = _("Its page has the receipt to download, and the files.")
    return "\n\n".join([text % {**names, "time": _time(receipt["timestamp"], zone)}, facts, more])


def _released(data: dict[str, Any], *, is_first: bool, zone: ZoneInfo) -> str:
    text = (
        _("%(assignment)s was released in %(course)s.")
        if is_first
        else _("%(assignment)s was released again in %(course)s.")
    )
    text %= {"assignment": data["assignment"], "course": data["course"]}
    if data["due"]:
        due = _("It is due %(due)s, unless you have an extension.") % {"due": _time(data["due"], zone)}
        return f"{text} {due}"
    return text


def _time(text: str, zone: ZoneInfo) -> str:
    return local_text(datetime.fromisoformat(text), zone)


def _address(name: str, *parts: str) -> str:
    return f"{settings.NGSHARE_PUBLIC_ORIGIN}{reverse(name, args=parts)}"


def _id(event: Event) -> str:
    """Return the same id if it is sent again: mail programs show one of them."""
    return f"<{event.name}@{settings.NGSHARE_MAIL_FROM.rpartition('@')[2].rstrip('>')}>"
