"""courses/{course}/status/: how far every member is."""

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.api.serializers import TimestampField
from courses.errors import NotFound
from courses.permissions import Permission
from courses.timestamps import format_timestamp
from exchange import progress
from exchange.deadlines import Reason
from exchange.models import Assignment
from exchange.progress import AssignmentProgress, MemberProgress
from exchange.progress_tables import SHOWN, SORTS, TableFilter
from exchange.states import State

MEMBERS_PER_PAGE = 200


class FilterSerializer(serializers.Serializer[None]):
    """The query string: the fields of a TableFilter, one assignment alone, and which page."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="part of a name")
    section = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=255)
    show = serializers.ChoiceField(list(SHOWN), required=False)
    sort = serializers.ChoiceField(list(SORTS), required=False)
    assignment = serializers.CharField(required=False, trim_whitespace=False, help_text="this one alone")
    page = serializers.IntegerField(required=False, min_value=1, max_value=2**31, help_text="without it: everybody")


class CountsSerializer(serializers.Serializer[progress.AssignmentCounts]):
    students = serializers.IntegerField()
    submitted = serializers.IntegerField()
    late = serializers.IntegerField()
    not_collected = serializers.IntegerField()
    collected = serializers.IntegerField()
    feedback = serializers.IntegerField()
    staff = serializers.IntegerField()
    left = serializers.IntegerField()
    sentence = serializers.CharField()


class ColumnSerializer(serializers.Serializer[Assignment]):
    name = serializers.CharField()
    status = serializers.CharField()
    due = TimestampField(allow_null=True)
    counts = CountsSerializer()


class WorkListSerializer(serializers.ListSerializer[MemberProgress]):
    """The progress of a member with each assignment. An answer may have ten thousand: no serializer looks at each."""

    def get_attribute(self, instance: MemberProgress) -> list[AssignmentProgress]:
        return list(instance.work.values())

    def to_representation(self, data: list[AssignmentProgress]) -> list[dict[str, object]]:  # type: ignore[override]
        return [
            {
                "assignment": work.assignment.name,
                "state": work.state.value,
                "attempts": work.attempts,
                "last": work.last and format_timestamp(work.last),
                "submission": work.last_id,
                "late": work.late,
                "minutes_late": work.minutes_late,
                "collected": work.collected,
                "feedback": work.feedback,
                "due": work.deadline.due and format_timestamp(work.deadline.due),
                "extension": work.extension,
                "cut_off": work.deadline.cut_off and format_timestamp(work.deadline.cut_off),
                "max_attempts": work.deadline.max_attempts,
                "reason": work.deadline.reason,
                "note": work.deadline.note,
            }
            for work in data
        ]


class WorkSerializer(serializers.Serializer[AssignmentProgress]):
    assignment = serializers.CharField()
    state = serializers.ChoiceField(State.choices, help_text="of the latest submission")
    attempts = serializers.IntegerField()
    last = TimestampField(allow_null=True)
    submission = serializers.IntegerField(allow_null=True, help_text="the id of the latest")
    late = serializers.BooleanField(help_text="whether the latest is late")
    minutes_late = serializers.IntegerField(help_text="begun ones count; 0 in time")
    collected = serializers.BooleanField(help_text="whether the latest was collected")
    feedback = serializers.BooleanField(help_text="whether there is feedback on the latest")
    due = TimestampField(allow_null=True, help_text="the due date in force for the member")
    extension = serializers.CharField(help_text="why it is not the assignment's; empty if it is")
    cut_off = TimestampField(allow_null=True, help_text="in force for the member")
    max_attempts = serializers.IntegerField(allow_null=True, help_text="in force for the member")
    reason = serializers.ChoiceField(
        Reason.choices, allow_blank=True, help_text="why any of them is not the assignment's; empty if all are"
    )
    note = serializers.CharField(help_text="the reason that staff gave for an extension")

    class Meta:
        list_serializer_class = WorkListSerializer


class LineSerializer(serializers.Serializer[MemberProgress]):
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    section = serializers.CharField()
    on_roster = serializers.BooleanField()
    standing = serializers.CharField(help_text="why somebody is no student of the roster; empty for students")
    late_days_used = serializers.IntegerField(allow_null=True, help_text="in the course; null without a budget")
    work = WorkSerializer(many=True)


class StatusSerializer(serializers.Serializer[Mapping[str, object]]):
    course = serializers.CharField()
    late_days = serializers.IntegerField(allow_null=True, help_text="of each student; null without a budget")
    assignments = ColumnSerializer(many=True)
    count = serializers.IntegerField(help_text="members on all pages")
    next_page = serializers.IntegerField(allow_null=True)
    members = LineSerializer(many=True)


class StatusViewSet(CourseViewSet):
    action_permissions = {"retrieve": Permission.SEE_SUBMISSIONS}
    serializer_class = StatusSerializer

    @extend_schema(parameters=[FilterSerializer], responses=StatusSerializer)
    def retrieve(self, request: Request, course: str) -> Response:
        """Return every student, and whoever else submitted, with their progress by assignment. To staff."""
        query = FilterSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        trials, wanted = self.flag("trials"), query.validated_data
        table_filter = TableFilter(
            **{name: wanted[name] for name in ("q", "section", "show", "sort") if wanted.get(name)}, trials=trials
        )
        assignments = self._columns(wanted.get("assignment"))
        counts = table_filter.count(self.course, assignments)
        for assignment in assignments:
            assignment.counts = counts[assignment.pk]  # type: ignore[attr-defined]  # for the serializer
        status: dict[str, object] = {"course": self.course.name, "late_days": self.course.late_days}
        status["assignments"] = assignments
        if "page" in wanted:
            page, members = table_filter.page(self.course, assignments, wanted["page"], MEMBERS_PER_PAGE)
            next_page = page.next_page_number() if page.has_next() else None
            status |= {"members": members, "count": page.paginator.count, "next_page": next_page}
        else:
            members = list(table_filter.read(self.course, assignments))
            status |= {"members": members, "count": len(members), "next_page": None}
        with translation.override("en"):  # programs read its words
            return Response(self.get_serializer(status).data)

    def _columns(self, name: str | None) -> list[Assignment]:
        """Errors: NotFound."""
        rows = self.course.assignments.order_by("name")
        assignments = list(rows if name is None else rows.filter(name=name))
        if name is not None and not assignments:
            raise NotFound(
                _("There is no assignment %(name)s in %(course)s.") % {"name": name, "course": self.course.name}
            )
        return assignments
