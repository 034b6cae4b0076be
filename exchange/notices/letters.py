"""What mail says: plain text, made of an event when it is sent."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from courses.models import Course
from courses.timestamps import local_text
from exchange.notices.models import Event, Kind


def write(event: Event, course: Course, address: str) -> EmailMessage:
    """Return the mail about an event for a member of the course."""
    data: dict[str, Any] = json.loads(event.body)["data"]
    assignment = data["assignment"]
    page = _address("assignment", data["course"], assignment)
    if event.kind == Kind.SUBMITTED:
        subject, text = f"{assignment} was submitted", _submitted(data, course.zone)
        page = _address("submission", str(data["receipt"]["id"]))
    elif event.kind == Kind.FEEDBACK_RETURNED:
        subject, text = f"Feedback on {assignment}", f"There is feedback on your submission of {assignment}."
        page = _address("submission", str(data["submission"]))
    elif event.kind == Kind.DUE_SOON:
        due = local_text(datetime.fromisoformat(data["due"]), course.zone)
        subject, text = f"{assignment} is due soon", f"{assignment} is due {due}, and you have submitted nothing yet."
    else:
        again = " again" if data["release"] > 1 else ""
        subject, text = f"{assignment} was released{again}", _released(data, again, course.zone)
    choices = _address("notices")
    footer = f"This is a notice of the course {data['course']}. Choose which ones you get:\n{choices}\n"
    return EmailMessage(
        subject=" ".join(f"[{data['course']}] {subject}".split()),
        body=f"{text}\n\n{page}\n\n-- \n{footer}",
        to=[address],
        headers={"List-Unsubscribe": f"<{choices}>", "Auto-Submitted": "auto-generated", "Message-ID": _id(event)},
    )


def _submitted(data: dict[str, Any], zone: ZoneInfo) -> str:
    receipt = data["receipt"]
    count, size = receipt["file_count"], receipt["size"]
    created = local_text(datetime.fromisoformat(receipt["timestamp"]), zone)
    by = "" if receipt["submitted_by"] == receipt["student"] else f" by {receipt['submitted_by']}"
    return (
        f"Your submission of {data['assignment']} was stored {created}{by}.\n\n"
        f"Receipt:  {receipt['code']}\n"
        f"Files:    {count}, {size:,} bytes\n"
        f"Digest:   {receipt['digest']}\n\n"
        "Its page has the receipt to download, and the files."
    )


def _released(data: dict[str, Any], again: str, zone: ZoneInfo) -> str:
    text = f"{data['assignment']} was released{again} in {data['course']}."
    if data["due"]:
        text += f" It is due {local_text(datetime.fromisoformat(data['due']), zone)}, unless you have an extension."
    return text


def _address(name: str, *parts: str) -> str:
    return f"{settings.NGSHARE_PUBLIC_ORIGIN}{reverse(name, args=parts)}"


def _id(event: Event) -> str:
    """Return the same id if it is sent again: mail programs show one of them."""
    return f"<{event.name}@{settings.NGSHARE_MAIL_FROM.rpartition('@')[2].rstrip('>')}>"
