"""assignments/, courses/{course}/assignments/ and their releases."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses.body_limits import limit_body
from courses.errors import NotFound
from courses.permissions import Permission
from exchange import queries, services
from exchange.api.v2 import conditions, serializers
from exchange.api.v2.base import BUNDLE, AssignmentPartViewSet, max_bundle, read_bundle, read_files
from exchange.api.v2.deadlines import DRY_RUN, ChangedAssignmentSerializer, DeadlinesSerializer
from exchange.api.v2.filters import AssignmentFilter
from exchange.api.v2.pagination import AssignmentPages, Keys
from exchange.api.v2.parsers import BundleParser
from exchange.models import Assignment, Release
from exchange.storage.file_sets import Upload


class AllAssignmentsViewSet(mixins.ListModelMixin, AssignmentPartViewSet):
    """The assignments of all courses of the actor."""

    queryset = Assignment.objects.none()
    serializer_class = serializers.AssignmentSerializer
    filterset_class: Any = AssignmentFilter
    pagination_class = AssignmentPages

    def get_queryset(self) -> QuerySet[Assignment]:
        return queries.visible_assignments(self.actor)

    def list(self, request: Request, *args: object, **kwargs: object) -> Response:
        # What students' servers ask for all the time: the first page, without a filter.
        if (
            kwargs
            or self.actor.may_everything
            or not request.query_params.keys() <= {AssignmentPages.page_size_query_param}
        ):
            return super().list(request, *args, **kwargs)
        page = self.paginate_queryset(Keys(queries.released_keys(self.actor)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class AssignmentViewSet(AllAssignmentsViewSet):
    """The assignments of one course."""

    # Withdraw and restore answer 404 to whom an unreleased assignment is hidden; the services check the rest.
    action_permissions = {"partial_update": Permission.RELEASE}

    lookup_url_kwarg = "assignment"

    def get_queryset(self) -> QuerySet[Assignment]:
        return super().get_queryset().filter(course=self.course)

    def retrieve(self, request: Request, course: str, assignment: str) -> Response:
        return self._respond()

    @extend_schema(request=DeadlinesSerializer, parameters=[DRY_RUN], responses=ChangedAssignmentSerializer)
    def partial_update(self, request: Request, course: str, assignment: str) -> Response:
        """Change deadlines, and answer whose state that changes; with `dry_run` nothing is changed."""
        serializer = DeadlinesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values, dry_run = serializer.validated_data, self.flag("dry_run")
        changes = services.set_deadlines(self.assignment, values, by=self.actor, dry_run=dry_run)
        (found,) = queries.load_assignments([self.assignment.pk], self.actor)
        found.changes = changes  # type: ignore[attr-defined]
        return Response(ChangedAssignmentSerializer(found).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, course: str, assignment: str) -> Response:
        """Hide the assignment; everything is kept."""
        services.unrelease(self.assignment, by=self.actor)
        return self._respond()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def restore(self, request: Request, course: str, assignment: str) -> Response:
        """Show the assignment again."""
        services.restore(self.assignment, by=self.actor)
        return self._respond()

    def _respond(self) -> Response:
        (assignment,) = queries.load_assignments([self.assignment.pk], self.actor)
        return Response(self.get_serializer(assignment).data)


@limit_body(max_bundle, BundleParser.media_type)
class ReleaseViewSet(mixins.ListModelMixin, AssignmentPartViewSet):
    """The releases of one assignment. Staff list them all; students read the latest."""

    action_permissions = {"list": Permission.SEE_SUBMISSIONS, "create": Permission.RELEASE}
    queryset = Release.objects.none()
    serializer_class = serializers.ReleaseSerializer
    lookup_url_kwarg = "number"
    lookup_value_regex = "[0-9]{1,9}|latest"

    def get_parsers(self) -> list[BaseParser]:
        return [BundleParser()]

    def get_queryset(self) -> QuerySet[Release]:
        return queries.releases(self.assignment)

    @extend_schema(
        request=BUNDLE,
        parameters=[OpenApiParameter("force", bool)],
        responses={201: serializers.ReleaseWithFilesSerializer},
    )
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Publish a bundle as the next release; a new name makes a new assignment."""
        manifest, bundle = read_bundle(request)
        due: datetime | None | services.Unchanged = services.UNCHANGED
        if "due" in manifest:
            serializer = serializers.DueSerializer(data=manifest)
            serializer.is_valid(raise_exception=True)
            due = serializer.validated_data["due"]
        upload = Upload([read_files(manifest)], bundle.blobs())
        release = services.release(self.course, assignment, upload, by=self.actor, force=self.flag("force"), due=due)
        return Response(serializers.ReleaseWithFilesSerializer(release).data, status=201)

    @extend_schema(
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        responses={200: serializers.ReleaseWithFilesSerializer, 304: None},
    )
    def retrieve(self, request: Request, course: str, assignment: str, number: str) -> Response:
        """Return one release with its files; to students the latest alone. 304 for the one with the given ETag."""
        latest = self.get_queryset().last()
        release = latest if number == "latest" else self.get_queryset().filter(number=number).first()
        if release is None or (release != latest and not self.actor.may(Permission.SEE_SUBMISSIONS, self.course)):
            raise NotFound(
                _("There is no release %(number)s of %(assignment)s.") % {"number": number, "assignment": assignment}
            )
        etag = conditions.etag_of(release)
        if conditions.is_known(request, etag):
            return Response(status=304, headers={"ETag": etag})
        return Response(serializers.ReleaseWithFilesSerializer(release).data, headers={"ETag": etag})
