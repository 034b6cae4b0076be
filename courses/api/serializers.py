"""The shapes of courses, members and rosters in the native API, as docs/api.md describes them.

The brackets name what a serializer answers; None, that it only reads a body.
"""

from collections.abc import Mapping
from datetime import datetime

from rest_framework import serializers

from courses.api.fields import BoundedListField
from courses.importers.csv_file import LineOutcome
from courses.models import Course, Membership, Role
from courses.roster import MemberChange, Result, RosterReport
from courses.timestamps import format_timestamp


class TimestampField(serializers.DateTimeField):
    """An instant, written in the one form that the API has."""

    def to_representation(self, value: datetime) -> str:
        return format_timestamp(value)


# Courses and members


class CourseSerializer(serializers.ModelSerializer[Course]):
    role = serializers.CharField(read_only=True, allow_null=True)
    created = TimestampField(read_only=True)
    timezone = serializers.CharField(source="zone.key", read_only=True, help_text="the site's, if it has none itself")

    class Meta:
        model = Course
        fields = ("name", "role", "created", "timezone", "late_days", "min_days")


class RulesSerializer(serializers.Serializer[None]):
    """Rules about deadlines; what is left out stays as it is."""

    timezone = serializers.CharField(max_length=64, allow_blank=True, required=False)
    late_days = serializers.IntegerField(min_value=0, max_value=1000, allow_null=True, required=False)
    min_days = serializers.IntegerField(min_value=0, max_value=1000, allow_null=True, required=False)


class NewCourseSerializer(serializers.Serializer[None]):
    name = serializers.CharField(max_length=255)
    instructors = BoundedListField(child=serializers.CharField(max_length=255), default=list, max_length=1000)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    username = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ("username", "role", "first_name", "last_name", "email", "section")


class EntrySerializer(serializers.Serializer[None]):
    """What a client says of one member; what it leaves out stays as it is."""

    username = serializers.CharField(max_length=255, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    first_name = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    last_name = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    email = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    section = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)


class ChangeSerializer(EntrySerializer):
    """The same where the address names the member."""

    username = serializers.CharField(max_length=255, trim_whitespace=False, required=False)


# Rosters


class BulkSerializer(serializers.Serializer[None]):
    members = BoundedListField(child=serializers.DictField(), max_length=20_000)
    remove_others = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)


class ReportCountsSerializer(serializers.Serializer[Mapping[str, object]]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    removed = serializers.IntegerField()
    refused = serializers.IntegerField()


class RowSerializer(serializers.Serializer[MemberChange]):
    username = serializers.CharField()
    result = serializers.CharField()
    message = serializers.CharField()


class ReportSerializer(ReportCountsSerializer):
    rows = RowSerializer(many=True)


class OutcomeSerializer(serializers.Serializer[LineOutcome]):
    line = serializers.IntegerField(allow_null=True)
    username = serializers.CharField(source="row.username")
    result = serializers.CharField(source="row.result")
    message = serializers.CharField(source="row.message")
    before = serializers.DictField(source="row.before", allow_null=True)
    after = serializers.DictField(source="row.after", allow_null=True)


class ImportSerializer(ReportCountsSerializer):
    columns = serializers.ListField(child=serializers.CharField())
    ignored_columns = serializers.ListField(child=serializers.CharField())
    rows = OutcomeSerializer(many=True)


def count_results(report: RosterReport) -> dict[str, int]:
    """Return how many members met each result, as ReportCountsSerializer names them."""
    return {str(result): report.count(result) for result in Result}


# Me


class MeCourseSerializer(serializers.Serializer[Mapping[str, object]]):
    name = serializers.CharField()
    role = serializers.CharField(allow_null=True)


class LimitsSerializer(serializers.Serializer[Mapping[str, object]]):
    max_file_size = serializers.IntegerField(help_text="bytes")
    max_submission_size = serializers.IntegerField(help_text="bytes")
    max_files = serializers.IntegerField()


class ServerSerializer(serializers.Serializer[Mapping[str, object]]):
    version = serializers.CharField()
    time = TimestampField()


class MeSerializer(serializers.Serializer[Mapping[str, object]]):
    username = serializers.CharField()
    is_administrator = serializers.BooleanField()
    courses = MeCourseSerializer(many=True)
    limits = LimitsSerializer()
    server = ServerSerializer()


class ErrorSerializer(serializers.Serializer[Mapping[str, object]]):
    """What every error answers."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()
    request_id = serializers.CharField(help_text="also in the header X-Request-ID, and in the service's log")
