"""courses/{course}/members/: the roster, member by member."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from courses import roster, services
from courses.api import serializers
from courses.api.base import CourseViewSet
from courses.api.filters import MemberFilter
from courses.api.permissions import HasCoursePermission, ReadsOneself
from courses.errors import NotFound
from courses.models import Membership
from courses.permissions import Permission
from courses.services import RosterEntry

SHOWN = ("user__username", "role", "first_name", "last_name", "email", "section")


class MemberViewSet(mixins.ListModelMixin, CourseViewSet):
    queryset = Membership.objects.none()  # for the schema, as in all viewsets below a course
    permission_classes = (IsAuthenticated, ReadsOneself | HasCoursePermission)
    action_permissions = {
        "list": Permission.SEE_ROSTER,
        "create": Permission.CHANGE_ROSTER,
        "retrieve": Permission.SEE_ROSTER,
        "update": Permission.SEE_ROSTER,  # staff may change their own names; the service decides
        "partial_update": Permission.SEE_ROSTER,
        "destroy": Permission.CHANGE_ROSTER,
        "bulk": Permission.CHANGE_ROSTER,
    }
    serializer_class = serializers.MemberSerializer
    filterset_class = MemberFilter
    lookup_url_kwarg = "username"

    def get_queryset(self) -> QuerySet[Membership]:
        members = Membership.objects.filter(course=self.course)
        if self.action == "list":  # of thousands: what it shows, and nothing else
            return members.select_related("user").only(*SHOWN)
        return members.select_related("user", "course")

    @extend_schema(request=serializers.EntrySerializer, responses={201: serializers.MemberSerializer})
    def create(self, request: Request, course: str) -> Response:
        member = services.add_member(self.course, read_entry(request.data), by=self.actor)
        return Response(self.get_serializer(member).data, status=201)

    def retrieve(self, request: Request, course: str, username: str) -> Response:
        """Return one member, to staff and to oneself."""
        return Response(self.get_serializer(self.member).data)

    @extend_schema(
        request=serializers.ChangeSerializer,
        responses={200: serializers.MemberSerializer, 201: serializers.MemberSerializer},
    )
    def update(self, request: Request, course: str, username: str) -> Response:
        """Add the member, or change an existing one."""
        member, is_new = services.set_member(self.course, read_change(request.data, username), by=self.actor)
        return Response(self.get_serializer(member).data, status=201 if is_new else 200)

    @extend_schema(request=serializers.ChangeSerializer)
    def partial_update(self, request: Request, course: str, username: str) -> Response:
        member = services.change_member(self.member, read_change(request.data, username), by=self.actor)
        return Response(self.get_serializer(member).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course: str, username: str) -> Response:
        """Remove the member from the roster. Their submissions stay."""
        services.remove_member(self.member, by=self.actor)
        return Response(status=204)

    @extend_schema(request=serializers.BulkSerializer, responses=serializers.ReportSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def bulk(self, request: Request, course: str) -> Response:
        """Bring the roster to what the body says. Staff are never demoted: such a row is refused by itself."""
        serializer = serializers.BulkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        entries = [read_row(row, position) for position, row in enumerate(body["members"])]
        report = roster.apply_roster(
            self.course, entries, by=self.actor, remove_others=body["remove_others"], dry_run=body["dry_run"]
        )
        return Response(serializers.ReportSerializer({**serializers.count_results(report), "rows": report.rows}).data)

    @property
    def member(self) -> Membership:
        """The member that the address names. Errors: NotFound."""
        name = self.kwargs["username"]
        member = self.get_queryset().filter(user__username=name).first()
        if member is None:
            raise NotFound(_("%(user)s is not a member of %(course)s.") % {"user": name, "course": self.course.name})
        return member


def read_entry(body: object) -> RosterEntry:
    """Return the roster entry that a body describes. Errors: ValidationError."""
    serializer = serializers.EntrySerializer(data=body)
    serializer.is_valid(raise_exception=True)
    return RosterEntry(**serializer.validated_data)


def read_row(row: object, position: int) -> RosterEntry:
    """Return the same for one row of many, which errors name. Errors: ValidationError."""
    serializer = serializers.EntrySerializer(data=row)
    if not serializer.is_valid():
        raise ValidationError({f"members[{position}]": serializer.errors})
    return RosterEntry(**serializer.validated_data)


def read_change(body: object, username: str) -> RosterEntry:
    """Return the entry of the member whom the address names. Errors: ValidationError."""
    serializer = serializers.ChangeSerializer(data=body)
    serializer.is_valid(raise_exception=True)
    values = serializer.validated_data
    if values.setdefault("username", username) != username:
        raise ValidationError({"username": [_("The address names somebody else.")]})
    return RosterEntry(**values)
