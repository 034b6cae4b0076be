"""What changed between two attempts, or between an attempt and the release."""

import time
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView

from courses.errors import DomainError
from courses.permissions import Actor
from exchange import queries
from exchange.models import FileEntry, FileSet, Release, Submission
from exchange.rendering import documents
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.views import address_of, get_submission, title_of

MOST_ATTEMPTS = 100  # that one can choose from
SECONDS = 10  # after which no further file is compared
MOST_FILES = 1000
ROOM = 1_500_000  # characters of a page, after which no further file is shown
LINE = 100  # characters that a line or a cell takes beside its text
STATES: dict[str, Any] = {  # of a file, and of a part of one; lazy
    "added": pgettext_lazy("a file", "added"),
    "removed": pgettext_lazy("a file", "removed"),
    "changed": pgettext_lazy("a file", "changed"),
}


@dataclass
class FileChange:
    path: str
    state: str  # "added", "removed", "changed"
    parts: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""  # why there are none

    @property
    def state_name(self) -> str:
        return STATES[self.state]

    @property
    def length(self) -> int:
        """Return how much of the page it takes."""
        return sum(LINE + sum(LINE + len(line["text"]) for line in part["lines"]) for part in self.parts)


class ChangesView(MemberView, TemplateView):
    """A submission compared with the one before it, or with what `?with=` names: another's number, or `release`."""

    template_name = "ngshare/changes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        submission = get_submission(self.actor, kwargs["pk"], files=False)
        attempts = list(other_attempts(self.actor, submission)[:MOST_ATTEMPTS])
        release = find_release(self.actor, submission)
        chosen = self._choose(submission, attempts, release)
        changes, same = compare(chosen.file_set, submission.file_set, self.actor.username) if chosen else ([], 0)
        return super().get_context_data(
            submission=submission,
            assignment_address=address_of(submission.assignment, self.actor),
            title=title_of(submission, self.actor),
            attempts=attempts,
            release=release,
            chosen=chosen,
            is_release=isinstance(chosen, Release),
            changes=changes,
            same=same,
            **kwargs,
        )

    def _choose(
        self, submission: Submission, attempts: list[Submission], release: Release | None
    ) -> Submission | Release | None:
        """Return what the submission is compared with. Errors: Http404."""
        name = self.request.GET.get("with", "")
        if not name:
            earlier = [each for each in attempts if each.created < submission.created]
            return earlier[0] if earlier else release
        found = release if name == "release" else next((each for each in attempts if str(each.pk) == name), None)
        if found is None:
            raise Http404
        return found


def other_attempts(actor: Actor, submission: Submission) -> QuerySet[Submission]:
    """Return the other attempts of the same student, the newest first."""
    rows = queries.visible_submissions(actor, removed=True)
    rows = rows.filter(assignment=submission.assignment, student=submission.student).exclude(pk=submission.pk)
    return rows.select_related("file_set").order_by("-created")


def find_release(actor: Actor, submission: Submission) -> Release | None:
    """Return the release that the submission answers, or the latest, where the actor may read that alone."""
    rows = queries.visible_releases(actor).filter(assignment=submission.assignment).select_related("file_set")
    answered = rows.filter(submissions=submission)
    return answered.first() or rows.order_by("-number").first()


def compare(before: FileSet, after: FileSet, person: str) -> tuple[list[FileChange], int]:
    """Return what changed, by path, and how many files are the same."""
    old, new = _entries(before), _entries(after)
    changes, same, until, room = [], 0, time.monotonic() + SECONDS, ROOM
    for path in sorted({*old, *new}):
        if path not in old or path not in new:
            changes.append(FileChange(path, "added" if path in new else "removed"))
        elif old[path].blob_id == new[path].blob_id:
            same += 1
        elif room <= 0:
            changes.append(FileChange(path, "changed", message=_("There was no room to show this file, too.")))
        elif time.monotonic() > until:
            changes.append(FileChange(path, "changed", message=_("There was no time to compare this file, too.")))
        else:
            changes.append(_compare_file(old[path], new[path], person))
            room -= changes[-1].length
    return changes, same


def _entries(file_set: FileSet) -> dict[str, FileEntry]:
    rows = file_set.entries.select_related("blob").order_by("position")
    return {entry.path: entry for entry in rows[:MOST_FILES]}


def _compare_file(before: FileEntry, after: FileEntry, person: str) -> FileChange:
    change = FileChange(after.path, "changed")
    try:
        change.parts = documents.compare(before, after, person=person)
    except DomainError as error:
        change.message = error.message
    else:
        for part in change.parts:
            part["state_name"] = STATES.get(part["state"], "")
        change.message = "" if change.parts else _("Only what is not shown differs, as the metadata of the notebook.")
    return change
