"""The shapes of courses, members and rosters in the native API, as docs/api.md describes them."""

from typing import Any

from rest_framework import serializers

from courses.models import Course, Membership, Role


class CourseSerializer(serializers.ModelSerializer[Course]):
    role = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Course
        fields = ("name", "role", "created")


class NewCourseSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=255)
    instructors = serializers.ListField(child=serializers.CharField(max_length=255), default=list, max_length=1000)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    username = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ("username", "role", "first_name", "last_name", "email", "section")


class PersonSerializer(serializers.Serializer[Any]):
    """What a client says of one member; what it leaves out stays as it is."""

    username = serializers.CharField(max_length=255, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    first_name = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    last_name = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    email = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)
    section = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, required=False)


class ChangeSerializer(PersonSerializer):
    username = serializers.CharField(max_length=255, trim_whitespace=False, required=False)


class BulkSerializer(serializers.Serializer[Any]):
    members = serializers.ListField(child=serializers.DictField(), max_length=20_000)
    remove_others = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)


class RowSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    result = serializers.CharField()
    message = serializers.CharField()


class ReportSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    removed = serializers.IntegerField()
    refused = serializers.IntegerField()
    rows = RowSerializer(many=True)


class MeCourseSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    role = serializers.CharField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    is_administrator = serializers.BooleanField()
    courses = MeCourseSerializer(many=True)
    limits = serializers.DictField(child=serializers.IntegerField())
    server = serializers.DictField(child=serializers.CharField())
