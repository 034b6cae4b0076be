"""assignments/, courses/{course}/assignments/ and their releases."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from courses.errors import NotFound
from courses.permissions import Permission
from exchange import queries, services
from exchange.api.v2 import serializers
from exchange.api.v2.base import AssignmentPartViewSet, read_bundle, read_files
from exchange.api.v2.parsers import BundleParser
from exchange.models import Assignment, Release
from exchange.storage.file_sets import Upload

STATUSES = ("released", "withdrawn", "all")
BUNDLE = {"application/x-tar": OpenApiTypes.BINARY}


class AllAssignmentsViewSet(mixins.ListModelMixin, AssignmentPartViewSet):
    """The assignments of all the courses that someone belongs to."""

    serializer_class = serializers.AssignmentSerializer

    def get_queryset(self) -> QuerySet[Assignment]:
        asked = self.request.query_params
        status = asked.get("status", "released")
        if status not in STATUSES:
            raise ValidationError({"status": [f"One of {', '.join(STATUSES)}."]})
        rows = queries.assignments(self.actor, status=status)
        if course := asked.get("course"):
            rows = rows.filter(course__name=course)
        if name := asked.get("assignment"):
            rows = rows.filter(name=name)
        return rows

    @extend_schema(
        parameters=[
            OpenApiParameter("course", str),
            OpenApiParameter("assignment", str),
            OpenApiParameter("status", str, enum=STATUSES),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class AssignmentViewSet(AllAssignmentsViewSet):
    """The assignments of one course."""

    # To whom an unreleased assignment is hidden, withdraw and restore answer 404; the services check the rest.
    action_permissions = {"partial_update": Permission.RELEASE}

    lookup_url_kwarg = "assignment"

    def get_queryset(self) -> QuerySet[Assignment]:
        return super().get_queryset().filter(course=self.course)

    def retrieve(self, request: Request, course: str, assignment: str) -> Response:
        return self._shown()

    @extend_schema(request=serializers.DueSerializer)
    def partial_update(self, request: Request, course: str, assignment: str) -> Response:
        """Change the due date."""
        asked = serializers.DueSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.set_due_date(self.assignment, asked.validated_data["due"], by=self.actor)
        return self._shown()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, course: str, assignment: str) -> Response:
        """Hide the assignment; everything is kept."""
        services.withdraw(self.assignment, by=self.actor)
        return self._shown()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, course: str, assignment: str) -> Response:
        """Show the assignment again."""
        services.restore(self.assignment, by=self.actor)
        return self._shown()

    def _shown(self) -> Response:
        rows = queries.assignments(self.actor, status="all")
        return Response(self.get_serializer(rows.get(pk=self.assignment.pk)).data)


class ReleaseViewSet(AssignmentPartViewSet):
    action_permissions = {"list": Permission.SEE_SUBMISSIONS, "create": Permission.RELEASE}
    serializer_class = serializers.ReleaseSerializer
    lookup_url_kwarg = "number"
    lookup_value_regex = r"\d{1,9}|latest"

    def get_parsers(self) -> list[Any]:
        return [BundleParser()]

    def get_queryset(self) -> QuerySet[Release]:
        return queries.releases(self.assignment)

    def list(self, request: Request, course: str, assignment: str) -> Response:
        """Every release, to staff."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=BUNDLE,
        parameters=[OpenApiParameter("force", bool)],
        responses={201: serializers.ReleaseWithFilesSerializer},
    )
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Publish a bundle as the next release; the assignment comes to be if it is not there."""
        services.check_assignment_name(assignment)
        manifest, bundle = read_bundle(request)
        due: Any = services.UNCHANGED
        if "due" in manifest:
            asked = serializers.DueSerializer(data=manifest)
            asked.is_valid(raise_exception=True)
            due = asked.validated_data["due"]
        upload = Upload([read_files(manifest)], bundle.blobs())
        made = services.release(self.course, assignment, upload, by=self.actor, force=self.flag("force"), due=due)
        return Response(serializers.ReleaseWithFilesSerializer(made).data, status=201)

    @extend_schema(responses=serializers.ReleaseWithFilesSerializer)
    def retrieve(self, request: Request, course: str, assignment: str, number: str) -> Response:
        """One release with its files; to students the latest alone."""
        latest = self.get_queryset().last()
        asked = latest if number == "latest" else self.get_queryset().filter(number=number).first()
        if asked is None or (asked != latest and not self.actor.may(Permission.SEE_SUBMISSIONS, self.course)):
            raise NotFound(f"There is no release {number} of {assignment}.")
        return Response(serializers.ReleaseWithFilesSerializer(asked).data)
