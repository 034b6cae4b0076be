"""courses/{course}/assignments/{assignment}/feedback/."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses.body_limits import limit_body
from courses.errors import TooLarge
from courses.permissions import Permission
from exchange import services
from exchange.api.v2 import serializers
from exchange.api.v2.base import BUNDLE, AssignmentPartViewSet, read_bundle
from exchange.api.v2.bundles import manifest_entries
from exchange.api.v2.parsers import BundleParser
from exchange.services import FeedbackItem
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import BadManifest

MAX_ITEMS = 5000  # in one request; the plugin sends 100


# For many submissions at once: each manifest is bounded, and staff alone send it.
@limit_body(lambda: None, BundleParser.media_type)
class FeedbackViewSet(AssignmentPartViewSet):
    action_permissions = {"create": Permission.RETURN_FEEDBACK}
    serializer_class = serializers.ReturnedSerializer

    def get_parsers(self) -> list[BaseParser]:
        return [BundleParser()]

    @extend_schema(request=BUNDLE, responses={200: serializers.ReturnedSerializer})
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Return feedback on many submissions at once; one that cannot be placed does not stop the others."""
        target = self.assignment
        manifest, bundle = read_bundle(request)
        items = read_items(manifest)
        upload = Upload([item.entries for item in items], bundle.blobs())
        returned, refused = services.return_feedback(target, items, upload, by=self.actor)
        answer = {"returned": returned, "refused": [{"item": item, "error": error} for item, error in refused]}
        return Response(self.get_serializer(answer).data)


def read_items(manifest: dict[str, object]) -> list[FeedbackItem]:
    """Return the items of an uploaded manifest. Errors: BadManifest, TooLarge."""
    items = manifest.get("feedback")
    if not isinstance(items, list):
        raise BadManifest(_('The manifest needs "feedback", a list.'))
    if len(items) > MAX_ITEMS:
        raise TooLarge(
            _("Feedback on %(count)s submissions, the limit for one request is %(limit)s.")
            % {"count": len(items), "limit": MAX_ITEMS},
            limit=MAX_ITEMS,
        )
    return [_read_item(item, f"feedback[{position}]") for position, item in enumerate(items)]


def _read_item(item: Any, name: str) -> FeedbackItem:
    serializer = serializers.PlaceSerializer(data=item)
    if not serializer.is_valid():
        raise BadManifest(_("%(name)s does not name a submission.") % {"name": name}, errors=serializer.errors)
    place = serializer.validated_data
    if "submission" not in place and not {"student", "timestamp"} <= place.keys():
        raise BadManifest(_('%(name)s needs "submission", or "student" and "timestamp".') % {"name": name})
    return FeedbackItem(entries=manifest_entries(item.get("files")), **place)
