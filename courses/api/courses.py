"""me/, courses/ and courses/{course}/members/."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses import roster, services
from courses.api import serializers
from courses.api.base import CourseViewSet
from courses.api.permissions import IsAdministrator
from courses.errors import NotFound
from courses.models import Course, Membership
from courses.permissions import Actor, Permission, actor_of
from courses.roster import Result, RosterReport
from courses.services import RosterEntry
from courses.timestamps import format_timestamp


class MeView(APIView):
    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Who is asking, what they belong to, and what may be handed in."""
        actor = actor_of(request)
        courses = with_role(actor.visible_courses(), actor).values("name", "role")  # type: ignore[misc]  # an annotation
        return Response(
            {
                "username": actor.username,
                "is_administrator": actor.is_administrator,
                "courses": list(courses),
                "limits": {
                    "max_file_size": settings.NGSHARE_MAX_FILE_SIZE,
                    "max_submission_size": settings.NGSHARE_MAX_SUBMISSION_SIZE,
                    "max_files": settings.NGSHARE_MAX_FILES,
                },
                "server": {
                    "version": settings.SPECTACULAR_SETTINGS["VERSION"],
                    "time": format_timestamp(timezone.now()),
                },
            }
        )


def with_role(courses: QuerySet[Course], actor: Actor) -> QuerySet[Course]:
    own = Membership.objects.filter(course=OuterRef("pk"), user=actor.user)
    return courses.annotate(role=Subquery(own.values("role")))


class CoursesViewSet(CourseViewSet):
    serializer_class = serializers.CourseSerializer
    lookup_url_kwarg = "course"

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("create", "restore"):  # courses that are not there, or in the trash
            return [IsAuthenticated(), IsAdministrator()]
        return super().get_permissions()

    def get_queryset(self) -> QuerySet[Course]:
        return with_role(self.actor.visible_courses(), self.actor)

    def list(self, request: Request) -> Response:
        """Own courses; all of them for an administrator."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=serializers.NewCourseSerializer, responses={201: serializers.CourseSerializer})
    def create(self, request: Request) -> Response:
        asked = serializers.NewCourseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        course = services.create_course(**asked.validated_data, by=self.actor)
        return Response(self._shown(course), status=201)

    def retrieve(self, request: Request, course: str) -> Response:
        return Response(self._shown(self.course))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course: str) -> Response:
        """Put the course into the bin; everything is kept."""
        services.trash_course(self.course, by=self.actor)
        return Response(status=204)

    @extend_schema(request=None, responses=serializers.CourseSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, course: str) -> Response:
        """Take the course out of the bin."""
        return Response(self._shown(services.restore_course(course, by=self.actor)))

    def _shown(self, course: Course) -> dict[str, Any]:
        return self.get_serializer(with_role(Course.objects.filter(pk=course.pk), self.actor).get()).data


FILTERS = [OpenApiParameter(name, str) for name in ("role", "section", "search")]


class MemberViewSet(CourseViewSet):
    action_permissions = {
        "list": Permission.SEE_ROSTER,
        "create": Permission.CHANGE_ROSTER,
        "update": Permission.SEE_ROSTER,  # staff may change their own names; the service decides
        "partial_update": Permission.SEE_ROSTER,
        "destroy": Permission.CHANGE_ROSTER,
        "bulk": Permission.CHANGE_ROSTER,
    }
    serializer_class = serializers.MemberSerializer
    lookup_url_kwarg = "username"

    def get_queryset(self) -> QuerySet[Membership]:
        return Membership.objects.select_related("user", "course")

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, course: str) -> Response:
        """The roster, to staff."""
        rows = self.get_queryset().filter(course=self.course)
        asked = request.query_params
        if "role" in asked:
            rows = rows.filter(role=asked["role"])
        if "section" in asked:
            rows = rows.filter(section=asked["section"])
        for word in asked.get("search", "").split():
            rows = rows.filter(
                Q(user__username__icontains=word)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(email__icontains=word)
            )
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=serializers.PersonSerializer, responses={201: serializers.MemberSerializer})
    def create(self, request: Request, course: str) -> Response:
        member = services.add_member(self.course, person(request.data), by=self.actor)
        return Response(self.get_serializer(member).data, status=201)

    def retrieve(self, request: Request, course: str, username: str) -> Response:
        """To staff, and to oneself."""
        if username != self.actor.username:
            self.actor.require(Permission.SEE_ROSTER, self.course)
        return Response(self.get_serializer(self._member()).data)

    @extend_schema(request=serializers.ChangeSerializer)
    def update(self, request: Request, course: str, username: str) -> Response:
        """Add the member, or change who is there."""
        member, is_new = services.set_member(self.course, person(request.data, username), by=self.actor)
        return Response(self.get_serializer(member).data, status=201 if is_new else 200)

    @extend_schema(request=serializers.ChangeSerializer)
    def partial_update(self, request: Request, course: str, username: str) -> Response:
        member = services.change_member(self._member(), person(request.data, username), by=self.actor)
        return Response(self.get_serializer(member).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course: str, username: str) -> Response:
        """Take someone off the roster. Work already handed in stays."""
        services.remove_member(self._member(), by=self.actor)
        return Response(status=204)

    @extend_schema(request=serializers.BulkSerializer, responses=serializers.ReportSerializer)
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request, course: str) -> Response:
        """Bring the roster to what the body says. Never demotes staff; such a row is refused by itself."""
        asked = serializers.BulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        people = [person(row, place=place) for place, row in enumerate(wanted["members"])]
        report = roster.apply_roster(
            self.course, people, by=self.actor, remove_others=wanted["remove_others"], dry_run=wanted["dry_run"]
        )
        return Response(shown(report))

    def _member(self) -> Membership:
        name = self.kwargs["username"]
        found = self.get_queryset().filter(course=self.course, user__username=name).first()
        if found is None:
            raise NotFound(f"{name} is not a member of {self.course.name}.")
        return found


def person(asked: Any, username: str | None = None, *, place: int | None = None) -> RosterEntry:
    """What a body says of a person; `username` when the address names them. Errors: ValidationError."""
    if username is None:
        found: Any = serializers.PersonSerializer(data=asked)
    else:
        found = serializers.ChangeSerializer(data=asked)
    if not found.is_valid():
        raise ValidationError(found.errors if place is None else {f"members[{place}]": found.errors})
    said = found.validated_data
    if username is not None and said.setdefault("username", username) != username:
        raise ValidationError({"username": ["The address names somebody else."]})
    return RosterEntry(**said)


def shown(report: RosterReport) -> dict[str, Any]:
    return {
        **{str(result): report.count(result) for result in Result},
        "rows": [{"username": row.username, "result": row.result, "message": row.message} for row in report.rows],
    }
