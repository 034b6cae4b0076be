"""courses/{course}/uploads/: a large file in parts, which the submission that names it need not send."""

from typing import IO, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.body_limits import limit_body
from courses.permissions import Permission
from exchange import services
from exchange.api.v2 import serializers
from exchange.api.v2.parsers import PartParser
from exchange.models import BlobUpload
from exchange.services import uploads
from exchange.storage.blobs import WrongSize

UPLOAD_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class UploadViewSet(CourseViewSet):
    """The actor's own uploads; nobody else's can be seen or used."""

    serializer_class = serializers.UploadSerializer
    lookup_value_regex = UPLOAD_ID
    action_permissions = dict.fromkeys(("create", "retrieve", "complete"), Permission.SUBMIT)

    @extend_schema(
        request=serializers.NewUploadSerializer,
        responses={200: serializers.UploadSerializer, 201: serializers.UploadSerializer},
    )
    def create(self, request: Request, course: str) -> Response:
        """Begin to send a file in parts. The same file gives the same upload again, with 200 instead of 201."""
        serializer = serializers.NewUploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        upload, is_new = services.begin_upload(self.course, **serializer.validated_data, by=self.actor)
        return Response(self.get_serializer(upload).data, status=201 if is_new else 200)

    def retrieve(self, request: Request, course: str, pk: str) -> Response:
        """Return which parts have arrived."""
        return Response(self.get_serializer(self._upload(pk)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, course: str, pk: str) -> Response:
        """Put the parts together and verify them. All of them are read: this takes a while, and a repeat is safe."""
        upload = self._upload(pk)
        services.complete_upload(upload, by=self.actor)
        return Response(self.get_serializer(upload).data)

    def _upload(self, pk: str) -> BlobUpload:
        return services.find_upload(self.course, pk, by=self.actor)


@limit_body(lambda: uploads.PART_SIZE, PartParser.media_type)
class PartViewSet(CourseViewSet):
    """The parts of an upload of the actor."""

    queryset = BlobUpload.objects.none()
    serializer_class = serializers.UploadSerializer
    parser_classes = (PartParser,)
    lookup_url_kwarg = "number"
    lookup_value_regex = "[0-9]{1,9}"
    action_permissions = {"update": Permission.SUBMIT}

    @extend_schema(request={PartParser.media_type: OpenApiTypes.BINARY})
    def update(self, request: Request, course: str, upload: str, number: str) -> Response:
        """Store a part, which may be a repeat. One that breaks off stores nothing."""
        target = services.find_upload(self.course, upload, by=self.actor)
        services.check_number(target, int(number))
        sent, expected = int(request.META.get("CONTENT_LENGTH") or 0), target.length_of(int(number))
        if sent != expected:
            raise WrongSize(
                _("Part %(number)s of this upload has %(expected)s bytes; %(sent)s were sent.")
                % {"number": number, "expected": expected, "sent": sent},
                size=expected,
            )
        services.store_part(target, int(number), cast(IO[bytes], request.data), by=self.actor)
        return Response(self.get_serializer(target).data)
