"""courses/{course}/status/: who has submitted."""

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.api.serializers import TimestampField
from courses.permissions import Permission
from exchange import progress
from exchange.models import Assignment
from exchange.progress import AssignmentProgress, MemberProgress


class ColumnSerializer(serializers.Serializer[Assignment]):
    name = serializers.CharField()
    status = serializers.CharField()
    due = TimestampField(allow_null=True)


class WorkListSerializer(serializers.ListSerializer[MemberProgress]):
    def get_attribute(self, instance: MemberProgress) -> list[AssignmentProgress]:
        return list(instance.work.values())


class WorkSerializer(serializers.Serializer[AssignmentProgress]):
    assignment = serializers.CharField(source="assignment.name")
    attempts = serializers.IntegerField()
    last = TimestampField()
    late = serializers.BooleanField()
    collected = serializers.BooleanField()
    feedback = serializers.BooleanField()

    class Meta:
        list_serializer_class = WorkListSerializer


class LineSerializer(serializers.Serializer[MemberProgress]):
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    section = serializers.CharField()
    on_roster = serializers.BooleanField()
    work = WorkSerializer(many=True)


class StatusSerializer(serializers.Serializer[Mapping[str, object]]):
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
