"""The audit log as people read it: one sentence for each entry, and its details without any notation.

The templates stand for the actions of all apps. What has none is still readable: its action is said as it was recorded.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from courses.audit_names import SOURCES, detail_name
from courses.models import AuditEntry, role_name
from courses.templatetags.times import local

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_NAMED = 5  # people in one sentence; the others are counted

# {who} is the actor, {what} the object; what else stands in braces is a detail, or a method of `_Words`.
SENTENCES = {
    # People
    "first contact": _("{who} was here for the first time"),
    "log in": _("{who} logged in"),
    "log out": _("{who} logged out"),
    "rename user": _("{who} renamed {was} to {what}"),
    "activate user": _("{who} activated the account {what}"),
    "deactivate user": _("{who} deactivated the account {what}"),
    "change Hub administration": _("The Hub named {what} as an administrator"),
    "merge users": _("{who} merged {gone} into {what}"),
    "anonymise user": _("{who} anonymised {was_or_somebody}, who is now {what}"),
    "choose notices": _("{who} chose which notices {what} gets"),
    "download everything submitted": _("{who} downloaded everything that {what} submitted"),
    # Courses and members
    "create course": _("{who} created the course {what}"),
    "trash course": _("{who} moved the course {what} to the trash"),
    "restore course": _("{who} restored the course {what}"),
    "delete course permanently": _("{who} deleted the course {what} permanently"),
    "announce retirement": _("{who} announced that the course {what} will be retired"),
    "keep course": _("{who} keeps the course {what}"),
    "set limits": _("{who} changed the limits of {what}"),
    "set rules": _("{who} changed the rules of {what} about deadlines"),
    "export course": _("{who} exported the course {what}"),
    "import course": _("{who} imported the course {what}"),
    "add member": _("{who} added {what} as {given}"),
    "change member": _("{who} changed {what}"),
    "remove member": _("{who} removed {what}, who was {was}, from the roster"),
    "remove members": _("{who} removed {people_before} from the roster"),
    "change roles": _("{who} made {people_before} {given}"),
    "change roster": _("{who} changed the roster: {roster_changes}"),
    "download roster": _("{who} downloaded the roster"),
    "download progress": _("{who} downloaded the table of progress"),
    # Assignments and deadlines
    "release": _("{who} released {what} (release {number})"),
    "unrelease": _("{who} unreleased {what}"),
    "restore assignment": _("{who} restored {what}"),
    "delete assignment permanently": _("{who} deleted the assignment {what} permanently"),
    "set due date": _("{who} set the due date of {what}"),
    "set deadlines": _("{who} set the deadlines of {what}"),
    "grant extension": _("{who} granted an extension of {what} to {granted}"),
    "withdraw extension": _("{who} withdrew the extension of {what} of {of}"),
    "download extensions": _("{who} downloaded the extensions of {what}"),
    "set solution": _("{who} added a solution of {what}"),
    "withdraw solution": _("{who} withdrew the solution of {what}"),
    "import assignment": _("{who} imported the assignment {what}"),
    "import release": _("{who} imported release {number} of {what}"),
    # Submissions and feedback
    "submit": _("{who} submitted {what}"),
    "collect": _("{who} collected {submissions} of {what}"),
    "withdraw submission": _("{who} moved {submissions} of {what} to the trash"),
    "restore submission": _("{who} restored {submissions} of {what}"),
    "delete submission permanently": _("{who} deleted a submission of {student} permanently: {what}"),
    "download submissions": _("{who} downloaded {submissions} of {what}"),
    "download pseudonyms": _("{who} downloaded who is who in the anonymised submissions of {what}"),
    "return feedback": _("{who} returned feedback on {submissions} of {what}"),
    "import submission": _("{who} imported a submission of {what} by {student}"),
    "import feedback": _("{who} imported feedback on a submission of {what}"),
    # The service
    "create webhook": _("{who} created the webhook {what}"),
    "change webhook": _("{who} changed the webhook {what}"),
    "delete webhook": _("{who} deleted the webhook {what}"),
    "make webhook secret": _("{who} made a new secret of the webhook {what}"),
    "send notices again": _("{who} sent {notices} again"),
    "rotate receipt key": _("{who} changed the key of receipts to {what}"),
    "trust receipt key": _("{who} trusts the key of receipts {what}"),
    "mark bytes as missing": _("{who} marked a file as missing in the store"),
    "mark bytes as present": _("{who} marked a file as present in the store again"),
    "collect garbage": _("{who} removed what nothing uses any more: {removed}"),
}
OF_ROLES = {"add member", "change member", "remove member", "remove members", "change roles"}


def sentence_of(entry: AuditEntry) -> str:
    """Return who did what to what."""
    words = _Words(entry)
    template = _template(entry)
    sentence = (
        str(template).format_map(words) if template else f"{words['who']}: {entry.action} {entry.target}".rstrip()
    )
    return f"{sentence[0].upper()}{sentence[1:]}" if not entry.actor else sentence


def _template(entry: AuditEntry) -> "_StrPromise | str | None":
    """Return the sentence of an action, in the form that says what the entry's details tell beside."""
    details = entry.details
    match entry.action:
        case "change Hub administration" if not details.get("is_hub_admin"):
            return gettext("The Hub no longer names {what} as an administrator")
        case "change member" if details.get("was") != details.get("given"):
            return gettext("{who} changed {what}: {was} → {given}")
        case "change roster" if details.get("source"):
            return gettext("{who} changed the roster from {source}: {roster_changes}")
        case "set due date" if details:
            return gettext("{who} set the due date of {what}: {deadlines}")
        case "set deadlines" if details:
            return gettext("{who} set the deadlines of {what}: {deadlines}")
        case "submit" if details.get("student") not in (None, "", entry.actor):
            return gettext("{who} submitted {what} for {student}")
    return SENTENCES.get(entry.action)


def details_of(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return the details as (name, text); what is empty is left out."""
    words = _Words(entry)
    return [(detail_name(name), text) for name in entry.details if (text := words.detail(name))]


def as_text(value: object) -> str:
    """Return a value of the details: lists with commas, times in the zone of the page, yes and no."""
    match value:
        case None:
            return ""
        case bool():
            return gettext("yes") if value else gettext("no")
        case dict():
            parts = ((name, as_text(inner)) for name, inner in value.items())
            return "; ".join(f"{detail_name(name)} {text}" for name, text in parts if text)
        case list():
            return ", ".join(map(as_text, value))
        case _:
            return _time(str(value)) or str(value)


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
        return words() if words else self.detail(name) or "?"

    def detail(self, name: str) -> str:
        """Return a detail as text. Only some actions have roles in them: elsewhere `was` is a name."""
        value = self.details.get(name)
        if name == "source" and isinstance(value, str):
            return str(SOURCES.get(value, value))
        if self.entry.action in OF_ROLES and name in ("was", "given"):
            value = {who: role_name(str(role)) for who, role in value.items()} if isinstance(value, dict) else value
            return role_name(value) if isinstance(value, str) else as_text(value)
        return as_text(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.details)

    def __len__(self) -> int:
        return len(self.details)

    def _who(self) -> str:
        return self.entry.actor or pgettext("who did it", "the server")

    def _what(self) -> str:
        return self.entry.target or gettext("something")

    def _was_or_somebody(self) -> str:
        return as_text(self.details.get("was")) or gettext("somebody")

    def _people_before(self) -> str:
        return _named(list(self.details.get("was") or ()))

    def _roster_changes(self) -> str:
        texts = {
            "created": gettext("added {people}"),
            "changed": gettext("changed {people}"),
            "removed": gettext("removed {people}"),
        }
        parts = [text.format(people=_named(names)) for kind, text in texts.items() if (names := self.details.get(kind))]
        return "; ".join(parts) or gettext("nothing")

    def _deadlines(self) -> str:
        none = gettext("none")
        return ", ".join(f"{detail_name(name)} {as_text(value) or none}" for name, value in self.details.items())

    def _granted(self) -> str:
        people: dict[str, Any] = self.details.get("to") or {}
        if len(people) == 1:
            ((name, what),) = people.items()
            return f"{name} ({as_text(what)})" if what else name
        return _named(list(people))

    def _of(self) -> str:
        return _named(self.details.get("of") or [gettext("somebody")])

    def _submissions(self) -> str:
        count = len(self.details.get("submissions") or ())
        return ngettext("%d submission", "%d submissions", count) % count

    def _notices(self) -> str:
        count = self.details.get("count") or 0
        return ngettext("%d notice", "%d notices", count) % count

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
    return gettext("%(names)s and %(count)d others") % {"names": ", ".join(names[:MAX_NAMED]), "count": more}
