"""Service functions of assignments: release, unrelease, restore, due dates, permanent deletion."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import audit, trash
from courses.errors import AlreadyExists, Conflict, Invalid
from courses.models import Course
from courses.permissions import Actor, Permission
from exchange import paths, quotas
from exchange.models import Assignment, Blob, Release
from exchange.notices import outbox
from exchange.notices.models import Kind
from exchange.quotas import Quota
from exchange.services.deadlines import check_deadlines
from exchange.storage import file_sets
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry


class AlreadyReleased(AlreadyExists):
    code = "already_released"


class Unchanged(Enum):
    UNCHANGED = auto()


UNCHANGED = Unchanged.UNCHANGED  # for a due date: leave it as it is, which None does not say


def check_assignment_name(name: str) -> None:
    """Check the name of a new assignment, which nbgrader, an address and a folder must carry. Errors: Invalid.

    nbgrader takes `*` for a pattern.
    """
    if not name or name in (".", "..") or any(char in name for char in "/+*") or len(name) > 255:
        raise Invalid(
            _("%(name)r cannot be an assignment's name: 1 to 255 characters without '/', '+' and '*'.")
            % {"name": name[:80]}
        )
    if unsafe := paths.UNSAFE.search(name):
        character = f"U+{ord(unsafe[0]):04X}"
        raise Invalid(
            _("%(name)r cannot be an assignment's name: it has an unprintable character, %(character)s.")
            % {"name": name[:80], "character": character}
        )
    if name != name.strip():
        raise Invalid(
            _("%(name)r cannot be an assignment's name: it starts or ends with a space.") % {"name": name[:80]}
        )


def release(
    course: Course,
    name: str,
    upload: Upload,
    *,
    by: Actor,
    force: bool = False,
    due: datetime | None | Unchanged = UNCHANGED,
) -> Release:
    """Publish a file set as the next release of an assignment, which is created, or restored, if necessary.

    Earlier releases, submissions and feedback stay. Errors: PermissionDenied, Invalid, AlreadyReleased unless `force`,
    QuotaExceeded, those of file_sets.store_upload.
    """
    by.require(Permission.RELEASE, course)
    # PostgreSQL does not even compare with a NUL.
    existing = None if "\0" in name else Assignment.objects.filter(course=course, name=name).first()
    if existing is None:
        check_assignment_name(name)
    elif existing.withdrawn_at is None and not force:
        raise AlreadyReleased(
            _("%(name)s is released in %(course)s already; release it again with --force.")
            % {"name": name, "course": course.name}
        )
    (entries,) = upload.manifests
    with file_sets.store_upload(upload, by=by, admit=Quota(course).admit) as stored, transaction.atomic():
        role, has_webhook = outbox.require_still(Permission.RELEASE, course, by=by)
        assignment, is_new = Assignment.objects.select_for_update(no_key=True).get_or_create(course=course, name=name)
        if not force and not is_new and assignment.withdrawn_at is None:
            raise AlreadyReleased(
                _("%(name)s was released in %(course)s by somebody else just now.")
                % {"name": name, "course": course.name}
            )
        new_release = add_release(assignment, entries, stored, created=timezone.now(), by=by)
        assignment.withdrawn_at, assignment.latest_release = None, new_release
        if not isinstance(due, Unchanged):
            assignment.due = due
            check_deadlines(assignment)
        assignment.save(update_fields=["withdrawn_at", "latest_release", "due"])
        audit.record(
            "release", by=by, role=role, about=assignment, course=course, target=name, number=new_release.number
        )
        quotas.count(course, new_release.new_bytes)
        if outbox.wants(Kind.RELEASED, has_webhook=has_webhook):
            assignment.course = course  # known already
            outbox.record_release(new_release)
    return new_release


def add_release(
    assignment: Assignment,
    entries: Sequence[ManifestEntry],
    stored: Mapping[str, Blob],
    *,
    created: datetime,
    by: Actor,
) -> Release:
    """Add the row of the next release; the caller makes it the latest of the assignment, which it has locked."""
    newest = assignment.releases.aggregate(newest=Max("number"))["newest"] or 0
    file_set, new_bytes = file_sets.create_file_set(entries, stored)
    return Release.objects.create(
        assignment=assignment,
        number=newest + 1,
        file_set=file_set,
        new_bytes=new_bytes,
        released_by=by.user,
        created=created,
    )


def unrelease(assignment: Assignment, *, by: Actor) -> None:
    """Hide the assignment. Everything is kept; `restore` or a new release shows it again. Errors: PermissionDenied."""
    role = by.require(Permission.RELEASE, assignment.course)
    _set_withdrawn(assignment, timezone.now(), action="unrelease", role=role, by=by)


def restore(assignment: Assignment, *, by: Actor) -> None:
    """Show an unreleased assignment again as it was. Errors: PermissionDenied, Conflict if it never had a release."""
    role = by.require(Permission.RELEASE, assignment.course)
    if not assignment.releases.exists():
        raise Conflict(_("%(assignment)s was never released.") % {"assignment": assignment.name})
    _set_withdrawn(assignment, None, action="restore assignment", role=role, by=by)


def _set_withdrawn(assignment: Assignment, moment: datetime | None, *, action: str, role: str, by: Actor) -> None:
    with transaction.atomic():
        rows = Assignment.objects.filter(pk=assignment.pk, withdrawn_at__isnull=moment is not None)
        if rows.update(withdrawn_at=moment):
            course, target = assignment.course, assignment.name
            audit.record(action, by=by, role=role, about=assignment, course=course, target=target)
    assignment.refresh_from_db(fields=["withdrawn_at"])


def delete_assignment_permanently(assignment: Assignment, *, by: Actor) -> dict[str, int]:
    """Delete an unreleased assignment with its submissions and feedback. Return how many rows of each kind.

    Errors: PermissionDenied, Conflict when it is released.
    """
    role = by.require_administrator()
    with transaction.atomic():
        locked = Assignment.objects.select_for_update(of=("self",)).filter(pk=assignment.pk).first()
        is_in_trash = locked is not None and locked.withdrawn_at is not None
        target = str(assignment)
        quotas.discount_assignment(assignment)
        return trash.delete_row(
            locked or assignment, is_in_trash=is_in_trash, by=by, role=role, course=assignment.course, target=target
        )
