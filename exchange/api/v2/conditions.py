"""Conditional requests about a release (RFC 9110, section 13).

A client that has a release asks for a newer one with `If-None-Match`. A submission that was compared with a release
says so with `If-Match`: if students have been given another one meanwhile, it is not accepted.
"""

from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from exchange.models import Assignment, Release, Submission


class ReleaseChanged(APIException):
    status_code = 412
    default_detail = _("The assignment was released again meanwhile. Compare with the latest release.")
    default_code = "release_changed"


def etag_of(release: Release) -> str:
    return f'"{release.number}-{release.file_set.digest}"'


def is_known(request: Request, etag: str) -> bool:
    """Return whether the client has this already."""
    return etag in parse_etags(request.headers.get("If-None-Match", ""))


def require_latest_release(request: Request, assignment: Assignment, key: str | None) -> Release | None:
    """Return the release on which the request insists, if any. Errors: ReleaseChanged, if it is not the latest.

    A repeat of what was submitted before is not held up (RFC 9110, 13.1.1): its response was lost.
    """
    condition = request.headers.get("If-Match")
    if condition is None:
        return None
    latest = assignment.latest_release
    etags = parse_etags(condition)
    if latest and etag_of(latest) in etags:
        return latest
    if latest and "*" in etags:
        return None
    repeated = Submission.objects.filter(assignment=assignment, submitted_by=request.user.pk, idempotency_key=key)
    if key is None or not repeated.exists():
        raise ReleaseChanged
    return None
