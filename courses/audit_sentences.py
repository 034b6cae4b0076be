"""The audit log as people read it: one sentence for each entry, and its details without any notation.

The templates stand for the actions of all apps. What has none is still readable: its action is said as it was recorded.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import ngettext

from courses.models import AuditEntry
from courses.templatetags.times import local

MAX_NAMED = 5  # people in one sentence; the others are counted

# {who} is the actor, {what} the object; what else stands in braces is a method of `_Words`.
SENTENCES = {
    # People
    "first contact": "{who} was here for the first time",
    "log in": "{who} logged in",
    "log out": "{who} logged out",
    "rename user": "{who} renamed {was} to {what}",
    "activate user": "{who} activated the account {what}",
    "deactivate user": "{who} deactivated the account {what}",
    "change Hub administration": "The Hub {hub_admin} {what} as an administrator",
    "merge users": "{who} merged {gone} into {what}",
    "anonymise user": "{who} anonymised {was_or_somebody}, who is now {what}",
    "download everything submitted": "{who} downloaded everything that {what} submitted",
    # Courses and members
    "create course": "{who} created the course {what}",
    "trash course": "{who} moved the course {what} to the trash",
    "restore course": "{who} restored the course {what}",
    "delete course permanently": "{who} deleted the course {what} permanently",
    "announce retirement": "{who} announced that the course {what} will be retired",
    "keep course": "{who} keeps the course {what}",
    "set limits": "{who} changed the limits of {what}",
    "set rules": "{who} changed the rules of {what} about deadlines",
    "export course": "{who} exported the course {what}",
    "import course": "{who} imported the course {what}",
    "add member": "{who} added {what} as {given}",
    "change member": "{who} changed {what}{role_change}",
    "remove member": "{who} removed {what}, who was {was}, from the roster",
    "remove members": "{who} removed {people_before} from the roster",
    "change roles": "{who} made {people_before} {given}",
    "change roster": "{who} changed the roster{source}: {roster_changes}",
    "download roster": "{who} downloaded the roster",
    "download progress": "{who} downloaded the table of progress",
    # Assignments and deadlines
    "release": "{who} released {what} (release {number})",
    "unrelease": "{who} unreleased {what}",
    "restore assignment": "{who} restored {what}",
    "delete assignment permanently": "{who} deleted the assignment {what} permanently",
    "set due date": "{who} set the due date of {what}{deadlines}",
    "set deadlines": "{who} set the deadlines of {what}{deadlines}",
    "grant extension": "{who} granted an extension of {what} to {granted}",
    "withdraw extension": "{who} withdrew the extension of {what} of {of}",
    "download extensions": "{who} downloaded the extensions of {what}",
    "set solution": "{who} added a solution of {what}",
    "withdraw solution": "{who} withdrew the solution of {what}",
    "import assignment": "{who} imported the assignment {what}",
    "import release": "{who} imported release {number} of {what}",
    # Submissions and feedback
    "submit": "{who} submitted {what}{on_behalf}",
    "collect": "{who} collected {submissions} of {what}",
    "withdraw submission": "{who} moved {submissions} of {what} to the trash",
    "restore submission": "{who} restored {submissions} of {what}",
    "delete submission permanently": "{who} deleted a submission of {student} permanently: {what}",
    "download submissions": "{who} downloaded {submissions} of {what}",
    "download pseudonyms": "{who} looked up who is behind the pseudonyms of {what}",
    "return feedback": "{who} returned feedback on {submissions} of {what}",
    "import submission": "{who} imported a submission of {what} by {student}",
    "import feedback": "{who} imported feedback on a submission of {what}",
    # The service
    "rotate receipt key": "{who} changed the key of receipts to {what}",
    "trust receipt key": "{who} trusts the key of receipts {what}",
    "mark bytes as missing": "{who} marked a file as missing in the store",
    "mark bytes as present": "{who} marked a file as present in the store again",
    "collect garbage": "{who} removed what nothing uses any more: {removed}",
    # Notices
    "choose notices": "{who} chose which notices to get by mail",
    "create webhook": "{who} created the webhook {what}",
    "change webhook": "{who} changed the webhook {what}",
    "delete webhook": "{who} deleted the webhook {what}",
    "make webhook secret": "{who} made a new secret for the webhook {what}",
    "send notices again": "{who} had notices sent again",
}
NAMES = {"cut_off": "cut-off", "due": "due date", "release_at": "release time", "max_attempts": "attempt limit"}


def sentence_of(entry: AuditEntry) -> str:
    """Return who did what to what."""
    words = _Words(entry)
    template = SENTENCES.get(entry.action)
    sentence = template.format_map(words) if template else f"{words['who']}: {entry.action} {entry.target}".rstrip()
    return f"{sentence[0].upper()}{sentence[1:]}" if not entry.actor else sentence


def details_of(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return the details as (name, text); what is empty is left out."""
    return [(_name(name), text) for name, value in entry.details.items() if (text := as_text(value))]


def as_text(value: object) -> str:
    """Return a value of the details: lists with commas, times in the zone of the page, yes and no."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            parts = ((name, as_text(inner)) for name, inner in value.items())
            return "; ".join(f"{_name(name)} {text}" for name, text in parts if text)
        case list():
            return ", ".join(map(as_text, value))
        case _:
            return _time(str(value)) or str(value)


def _name(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))


def _time(text: str) -> str:
    if len(text) < len("2026-11-24T14:33") or text[10] != "T":
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return local(moment) if moment.tzinfo else ""


class _Words(Mapping[str, str]):
    """What a template may name: the details of an entry, and the methods below."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry, self.details = entry, entry.details

    def __getitem__(self, name: str) -> str:
        words = getattr(self, f"_{name}", None)
        return words() if words else as_text(self.details.get(name)) or "?"

    def __iter__(self) -> Iterator[str]:
        return iter(self.details)

    def __len__(self) -> int:
        return len(self.details)

    def _who(self) -> str:
        return self.entry.actor or "the server"

    def _what(self) -> str:
        return self.entry.target or "something"

    def _was_or_somebody(self) -> str:
        return as_text(self.details.get("was")) or "somebody"

    def _hub_admin(self) -> str:
        return "named" if self.details.get("is_hub_admin") else "no longer names"

    def _role_change(self) -> str:
        was, given = self.details.get("was"), self.details.get("given")
        return f": {was} → {given}" if was != given else ""

    def _people_before(self) -> str:
        return _named(list(self.details.get("was") or ()))

    def _source(self) -> str:
        source = self.details.get("source")
        return f" from {source}" if source else ""

    def _roster_changes(self) -> str:
        verbs = {"created": "added", "changed": "changed", "removed": "removed"}
        parts = [f"{verb} {_named(names)}" for kind, verb in verbs.items() if (names := self.details.get(kind))]
        return "; ".join(parts) or "nothing"

    def _deadlines(self) -> str:
        parts = [f"{_name(name)} {as_text(value) or 'none'}" for name, value in self.details.items()]
        return f": {', '.join(parts)}" if parts else ""

    def _granted(self) -> str:
        people: dict[str, Any] = self.details.get("to") or {}
        if len(people) == 1:
            ((name, what),) = people.items()
            return f"{name} ({as_text(what)})" if what else name
        return _named(list(people))

    def _of(self) -> str:
        return _named(self.details.get("of") or ["somebody"])

    def _on_behalf(self) -> str:
        student = self.details.get("student")
        return f" for {student}" if student and student != self.entry.actor else ""

    def _submissions(self) -> str:
        count = len(self.details.get("submissions") or ())
        return ngettext("%d submission", "%d submissions", count) % count

    def _removed(self) -> str:
        count = self.details.get("blobs") or 0
        return ngettext("%d blob", "%d blobs", count) % count


def _named(names: list[str]) -> str:
    """
    >>> _named(["bob"]), _named(list("abcdefg"))
    ('bob', 'a, b, c, d, e and 2 others')
    """
    more = len(names) - MAX_NAMED
    if more < 2:
        return ", ".join(names)
    return f"{', '.join(names[:MAX_NAMED])} and {more} others"
