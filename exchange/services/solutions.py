"""Service functions of solutions: a file set that each student may fetch after their own cut-off."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import NotFound, PermissionDenied
from courses.permissions import Actor, Permission
from courses.timestamps import local_text
from exchange import deadlines, quotas
from exchange.models import Assignment, Solution
from exchange.quotas import Quota
from exchange.storage import file_sets
from exchange.storage.file_sets import Upload


def set_solution(assignment: Assignment, upload: Upload, *, by: Actor) -> Solution:
    """Make a file set the solution of the assignment; an earlier one is withdrawn, and kept.

    Errors: PermissionDenied, NotFound when the assignment was deleted meanwhile, QuotaExceeded, those of
    file_sets.store_upload.
    """
    course = assignment.course
    by.require(Permission.RELEASE, course)
    (entries,) = upload.manifests
    with file_sets.store_upload(upload, by=by, admit=Quota(course).admit) as stored, transaction.atomic():
        role, now = by.require_still(Permission.RELEASE, course), timezone.now()
        if not Assignment.objects.select_for_update(no_key=True).filter(pk=assignment.pk):
            raise NotFound(_("%(assignment)s was deleted meanwhile.") % {"assignment": assignment.name})
        present_solutions(assignment).update(withdrawn_at=now)
        file_set, new_bytes = file_sets.create_file_set(entries, stored)
        solution = Solution.objects.create(
            assignment=assignment, file_set=file_set, new_bytes=new_bytes, added_by=by.user, created=now
        )
        details = {"digest": file_set.digest}
        audit.record(
            "set solution", by=by, role=role, about=assignment, course=course, target=assignment.name, **details
        )
        quotas.count(course, new_bytes)
    return solution


def withdraw_solution(assignment: Assignment, *, by: Actor) -> None:
    """Hide the solution; it is kept. Errors: PermissionDenied, NotFound when there is none."""
    course = assignment.course
    role = by.require(Permission.RELEASE, course)
    with transaction.atomic():
        if not present_solutions(assignment).update(withdrawn_at=timezone.now()):
            raise no_solution(assignment)
        audit.record("withdraw solution", by=by, role=role, about=assignment, course=course, target=assignment.name)


def find_solution(assignment: Assignment, *, by: Actor) -> Solution:
    """Return the solution: to staff always, to anybody else after their cut-off, or their due date without one.

    While the assignment is not shown to students, there is none for them. Errors: PermissionDenied, NotFound.
    """
    course = assignment.course
    by.require(Permission.SEE_COURSE, course)
    solution = present_solutions(assignment).select_related("file_set", "added_by").first()
    if solution is None:
        raise no_solution(assignment)
    if not by.may(Permission.SEE_SUBMISSIONS, course):
        if not assignment.is_shown:  # which who submitted it finds all the same
            raise no_solution(assignment)
        deadline = deadlines.in_force(assignment, by.user)
        if not deadline.shows_solution(timezone.now()):
            moment = deadline.cut_off or deadline.due
            if moment is None:
                message = _("You can fetch the solution of %(assignment)s once there is a due date, and it is over.")
                raise PermissionDenied(message % {"assignment": assignment.name})
            raise PermissionDenied(
                _("You can fetch the solution of %(assignment)s after %(time)s.")
                % {"assignment": assignment.name, "time": local_text(moment, course.zone)}
            )
    return solution


def present_solutions(assignment: Assignment) -> QuerySet[Solution]:
    return assignment.solutions.filter(withdrawn_at=None)


def no_solution(assignment: Assignment) -> NotFound:
    return NotFound(_("%(assignment)s has no solution.") % {"assignment": assignment.name})
