"""courses/{course}/assignments/{assignment}/extensions/ and solution/, and the shapes of deadlines."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.fields import BoundedListField
from courses.api.serializers import TimestampField
from courses.body_limits import limit_body
from courses.errors import NotFound
from courses.permissions import Permission
from exchange import services
from exchange.api.v2.base import BUNDLE, AssignmentPartViewSet, max_bundle, read_bundle, read_files
from exchange.api.v2.parsers import BundleParser
from exchange.api.v2.serializers import AssignmentSerializer, FileSerializer
from exchange.models import Extension, Solution
from exchange.services import Grant, StateChange
from exchange.storage.file_sets import Upload

DRY_RUN = OpenApiParameter("dry_run", bool, description="only answer whose state would change")
MAX_EXTENSIONS = 5000  # in one request


class DeadlinesSerializer(serializers.Serializer[None]):
    """What to change of an assignment; what is left out stays as it is."""

    release_at = serializers.DateTimeField(allow_null=True, required=False)
    due = serializers.DateTimeField(allow_null=True, required=False)
    cut_off = serializers.DateTimeField(allow_null=True, required=False)
    max_attempts = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"due": ["State at least one of the deadlines."]})
        return attrs


class StateSerializer(serializers.Serializer[Mapping[str, object]]):
    late = serializers.BooleanField(allow_null=True, help_text="the latest submission; null without one")
    closed = serializers.BooleanField(help_text="whether nothing more is accepted")


class StateChangeSerializer(serializers.Serializer[StateChange]):
    student = serializers.CharField(source="username")
    before = StateSerializer()
    after = StateSerializer()


class ChangesSerializer(serializers.Serializer[Mapping[str, object]]):
    changes = StateChangeSerializer(many=True, help_text="whose state this changes")


class ChangedAssignmentSerializer(AssignmentSerializer):
    changes = StateChangeSerializer(many=True, help_text="whose state this changes")


# Extensions


class ExtensionSerializer(serializers.ModelSerializer[Extension]):
    student = serializers.CharField(source="user.username", allow_null=True, default=None)
    due = TimestampField(allow_null=True)
    cut_off = TimestampField(allow_null=True)
    granted_by = serializers.CharField(source="granted_by.username", allow_null=True, default=None)
    created = TimestampField()

    class Meta:
        model = Extension
        fields = ("id", "student", "section", "due", "cut_off", "attempts", "reason", "granted_by", "created")


class GrantSerializer(serializers.Serializer[None]):
    student = serializers.CharField(max_length=255, trim_whitespace=False, required=False, allow_null=True)
    section = serializers.CharField(max_length=255, trim_whitespace=False, required=False, allow_null=True)
    due = serializers.DateTimeField(required=False, allow_null=True)
    cut_off = serializers.DateTimeField(required=False, allow_null=True)
    attempts = serializers.IntegerField(required=False, min_value=0, max_value=10_000)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class GrantsSerializer(serializers.Serializer[None]):
    extensions = BoundedListField(child=GrantSerializer(), max_length=MAX_EXTENSIONS)


class ExtensionViewSet(mixins.ListModelMixin, AssignmentPartViewSet):
    """The extensions of one assignment."""

    action_permissions = {
        "list": Permission.SEE_SUBMISSIONS,
        "create": Permission.EXTEND,
        "destroy": Permission.EXTEND,
    }
    queryset = Extension.objects.none()
    serializer_class = ExtensionSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Extension]:
        return self.assignment.extensions.select_related("user", "granted_by")

    @extend_schema(request=GrantsSerializer, parameters=[DRY_RUN], responses={200: ChangesSerializer})
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Grant extensions, each instead of the one that the student or section has; all or none."""
        serializer = GrantsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        grants = [Grant(**values) for values in serializer.validated_data["extensions"]]
        dry_run = self.flag("dry_run")
        return _answer(services.grant_extensions(self.assignment, grants, by=self.actor, dry_run=dry_run))

    @extend_schema(parameters=[DRY_RUN], responses={200: ChangesSerializer})
    def destroy(self, request: Request, course: str, assignment: str, pk: str) -> Response:
        """Withdraw an extension."""
        extension = self.get_queryset().filter(pk=pk).first()
        if extension is None:
            raise NotFound(_("There is no extension %(pk)s of %(assignment)s.") % {"pk": pk, "assignment": assignment})
        dry_run = self.flag("dry_run")
        return _answer(services.withdraw_extensions(self.assignment, [extension], by=self.actor, dry_run=dry_run))


def _answer(changes: list[StateChange]) -> Response:
    return Response(ChangesSerializer({"changes": changes}).data)


# Solution


class SolutionSerializer(serializers.ModelSerializer[Solution]):
    created = TimestampField()
    added_by = serializers.CharField(source="added_by.username", allow_null=True, default=None)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size", help_text="bytes")
    file_count = serializers.IntegerField(source="file_set.file_count")
    files = FileSerializer(many=True, source="file_set")

    class Meta:
        model = Solution
        fields = ("created", "added_by", "digest", "size", "file_count", "files")


@limit_body(max_bundle, BundleParser.media_type)
class SolutionViewSet(AssignmentPartViewSet):
    """The solution of one assignment."""

    action_permissions = {"update": Permission.RELEASE, "destroy": Permission.RELEASE}
    queryset = Solution.objects.none()
    serializer_class = SolutionSerializer

    def get_parsers(self) -> list[BaseParser]:
        return [BundleParser()]

    def retrieve(self, request: Request, course: str, assignment: str) -> Response:
        """Return the solution: to staff always, to a student after their own cut-off, or due date without one."""
        return self._respond(services.find_solution(self.assignment, by=self.actor))

    @extend_schema(request=BUNDLE, responses=SolutionSerializer)
    def update(self, request: Request, course: str, assignment: str) -> Response:
        """Make a bundle the solution; an earlier one is withdrawn, and kept."""
        target = self.assignment
        manifest, bundle = read_bundle(request)
        upload = Upload([read_files(manifest)], bundle.blobs())
        return self._respond(services.set_solution(target, upload, by=self.actor))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, course: str, assignment: str) -> Response:
        """Withdraw the solution."""
        services.withdraw_solution(self.assignment, by=self.actor)
        return Response(status=204)

    def _respond(self, solution: Solution) -> Response:
        return Response(self.get_serializer(solution).data)
