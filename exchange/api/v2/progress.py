"""courses/{course}/status/: who has handed in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.permissions import Permission
from courses.timestamps import format_timestamp
from exchange import progress
from exchange.progress import AssignmentProgress, MemberProgress


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.CharField()
    due = serializers.DateTimeField(allow_null=True)


class WorkSerializer(serializers.Serializer[Any]):
    assignment = serializers.CharField()
    attempts = serializers.IntegerField()
    last = serializers.DateTimeField()
    late = serializers.BooleanField()
    collected = serializers.BooleanField()
    feedback = serializers.BooleanField()


class LineSerializer(serializers.Serializer[Any]):
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
        """Every student, and whoever else handed in, by assignment. To staff."""
        assignments = list(self.course.assignments.order_by("name"))
        return Response(
            {
                "course": self.course.name,
                "assignments": [
                    {"name": one.name, "status": one.status, "due": format_timestamp(one.due) if one.due else None}
                    for one in assignments
                ],
                "members": [_line(line) for line in progress.course_progress(self.course, assignments)],
            }
        )


def _line(line: MemberProgress) -> dict[str, Any]:
    return {
        "username": line.username,
        "first_name": line.first_name,
        "last_name": line.last_name,
        "section": line.section,
        "on_roster": line.on_roster,
        "work": [_work(work) for work in line.work.values()],
    }


def _work(work: AssignmentProgress) -> dict[str, Any]:
    return {
        "assignment": work.assignment.name,
        "attempts": work.attempts,
        "last": format_timestamp(work.last) if work.last else None,
        "late": work.late,
        "collected": work.collected,
        "feedback": work.feedback,
    }
