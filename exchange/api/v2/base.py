"""What the viewsets of the exchange share: the assignment in the address, and uploaded bundles."""

from functools import cached_property

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes
from rest_framework.request import Request

from courses.api.base import CourseViewSet
from courses.api.parsers import max_json, strict_json
from courses.errors import NotFound
from courses.models import Course
from courses.permissions import Permission
from courses.prepared import Parameter, prepared
from exchange.api.v2.bundles import BLOCK, BadBundle, Bundle, manifest_entries
from exchange.models import Assignment
from exchange.storage.manifests import BadManifest, ManifestEntry

BUNDLE = {"application/x-tar": OpenApiTypes.BINARY}  # for the schema


def max_bundle() -> int:
    """Return how many bytes a bundle of one file set may have: its manifest, its blobs and tar's headers."""
    return settings.NGSHARE_MAX_SUBMISSION_SIZE + max_json() + 2 * BLOCK * (settings.NGSHARE_MAX_FILES + 20)


@prepared
def _assignments(course: Parameter, name: Parameter) -> QuerySet[Assignment]:
    rows = Assignment.objects.select_related("course", "latest_release__file_set").order_by()
    return rows.filter(course__name=course, course__removed_at=None, name=name)


class AssignmentPartViewSet(CourseViewSet):
    """A viewset below the address of an assignment."""

    @cached_property
    def assignment(self) -> Assignment:
        """The assignment named in the address; what students do not see is for staff alone. Errors: NotFound."""
        assignment = self.named_assignment
        if not assignment.is_shown and not self.actor.may(Permission.SEE_SUBMISSIONS, self.course):
            raise self._not_found
        return assignment

    @property
    def named_assignment(self) -> Assignment:
        """The assignment named in the address, with its latest release. Errors: NotFound."""
        self.course  # noqa: B018  # asks for the permission
        if self._found is None:
            raise self._not_found
        return self._found

    def find_course(self, name: str) -> Course | None:
        """Return the course of the assignment in the address, with which it is read. It is there without one, too."""
        return self._found.course if self._found else super().find_course(name)

    @cached_property
    def _found(self) -> Assignment | None:
        if "assignment" not in self.kwargs:
            return None
        found = _assignments.rows(course=self.kwargs["course"], name=self.kwargs["assignment"])
        return found[0] if found else None

    @property
    def _not_found(self) -> NotFound:
        return NotFound(
            _("There is no assignment %(assignment)s in %(course)s.")
            % {"assignment": self.kwargs["assignment"], "course": self.course.name}
        )


def read_bundle(request: Request) -> tuple[dict[str, object], Bundle]:
    """Return the manifest of an uploaded bundle, and the bundle to read blobs from. Errors: BadBundle, BadManifest."""
    bundle = request.data
    if not isinstance(bundle, Bundle):
        raise BadBundle(_("The body is empty; send a bundle."))
    manifest = strict_json(bundle.manifest())
    if not isinstance(manifest, dict):
        raise BadManifest(_("manifest.json must hold an object."))
    return manifest, bundle


def read_files(manifest: dict[str, object]) -> list[ManifestEntry]:
    """Return the files that an uploaded manifest lists. Errors: BadManifest."""
    if "files" not in manifest:
        raise BadManifest(_('The manifest has no "files".'))
    return manifest_entries(manifest["files"])
