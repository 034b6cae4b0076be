"""What the viewsets of the exchange share: the assignment in the address, and uploaded bundles."""

from functools import cached_property

from django.conf import settings
from drf_spectacular.utils import OpenApiTypes
from rest_framework.request import Request

from courses.api.base import CourseViewSet
from courses.api.parsers import max_json, strict_json
from courses.errors import NotFound
from courses.permissions import Permission
from exchange.api.v2.bundles import BLOCK, BadBundle, Bundle, manifest_entries
from exchange.models import Assignment
from exchange.storage.manifests import BadManifest, ManifestEntry

BUNDLE = {"application/x-tar": OpenApiTypes.BINARY}  # for the schema


def max_bundle() -> int:
    """Return how many bytes a bundle of one file set may have: its manifest, its blobs and tar's headers."""
    return settings.NGSHARE_MAX_SUBMISSION_SIZE + max_json() + 2 * BLOCK * (settings.NGSHARE_MAX_FILES + 20)


class AssignmentPartViewSet(CourseViewSet):
    """A viewset below the address of an assignment."""

    @cached_property
    def assignment(self) -> Assignment:
        """The assignment named in the address; an unreleased one is for staff alone. Errors: NotFound."""
        name = self.kwargs["assignment"]
        assignment = Assignment.objects.select_related("course").filter(course=self.course, name=name).first()
        is_hidden = assignment is not None and assignment.withdrawn_at is not None
        if assignment is None or (is_hidden and not self.actor.may(Permission.SEE_SUBMISSIONS, self.course)):
            raise NotFound(f"There is no assignment {name} in {self.course.name}.")
        return assignment


def read_bundle(request: Request) -> tuple[dict[str, object], Bundle]:
    """Return the manifest of an uploaded bundle, and the bundle to read blobs from. Errors: BadBundle, BadManifest."""
    bundle = request.data
    if not isinstance(bundle, Bundle):
        raise BadBundle("The body is empty; send a bundle.")
    manifest = strict_json(bundle.manifest())
    if not isinstance(manifest, dict):
        raise BadManifest("manifest.json must hold an object.")
    return manifest, bundle


def read_files(manifest: dict[str, object]) -> list[ManifestEntry]:
    """Return the files that an uploaded manifest lists. Errors: BadManifest."""
    if "files" not in manifest:
        raise BadManifest('The manifest has no "files".')
    return manifest_entries(manifest["files"])
