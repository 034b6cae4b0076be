"""courses/{course}/status/: who has submitted."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.api.serializers import TimestampField
from courses.permissions import Permission
from exchange import progress
from exchange.progress import AssignmentProgress


class ColumnSerializer(serializers.Serializer[Any]):
    """An Assignment."""

    name = serializers.CharField()
    status = serializers.CharField()
    due = TimestampField(allow_null=True)


class WorkListSerializer(serializers.ListSerializer[Any]):
    def to_representation(self, data: Any) -> list[Any]:
        by_assignment: dict[int, AssignmentProgress] = data
        return super().to_representation(list(by_assignment.values()))


class WorkSerializer(serializers.Serializer[Any]):
    """An AssignmentProgress."""

    assignment = serializers.CharField(source="assignment.name")
    attempts = serializers.IntegerField()
    last = TimestampField()
    late = serializers.BooleanField()
    collected = serializers.BooleanField()
    feedback = serializers.BooleanField()

    class Meta:
        list_serializer_class = WorkListSerializer


class LineSerializer(serializers.Serializer[Any]):
    """A MemberProgress."""

    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    section = serializers.CharField()
    on_roster = serializers.BooleanField()
    work = WorkSerializer(many=True)


class StatusSerializer(serializers.Serializer[Any]):
    course = serializers.CharField()
    assignments = ColumnSerializer(many=True)
    members = LineSerializer(many=True)


class StatusViewSet(CourseViewSet):
    action_permissions = {"retrieve": Permission.SEE_SUBMISSIONS}
    serializer_class = StatusSerializer

    @extend_schema(responses=StatusSerializer)
    def retrieve(self, request: Request, course: str) -> Response:
        """Return every student, and whoever else submitted, with their progress by assignment. To staff."""
        assignments = list(self.course.assignments.order_by("name"))
        members = progress.course_progress(self.course, assignments)
        status = {"course": self.course.name, "assignments": assignments, "members": members}
        return Response(self.get_serializer(status).data)
