"""courses/: making, listing, trashing and restoring courses."""

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api import serializers
from courses.api.base import CourseViewSet
from courses.api.permissions import IsAdministrator
from courses.models import Course, Membership
from courses.permissions import Actor, Permission


class CoursesViewSet(mixins.ListModelMixin, CourseViewSet):
    """The actor's courses; all of them for an administrator."""

    serializer_class = serializers.CourseSerializer
    lookup_url_kwarg = "course"
    action_permissions = {"partial_update": Permission.RELEASE}

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("create", "restore"):  # the course does not exist yet, or is in the trash
            return [IsAuthenticated(), IsAdministrator()]
        return super().get_permissions()

    def get_queryset(self) -> QuerySet[Course]:
        return with_role(self.actor.visible_courses(), self.actor)

    @extend_schema(request=serializers.NewCourseSerializer, responses={201: serializers.CourseSerializer})
    def create(self, request: Request) -> Response:
        serializer = serializers.NewCourseSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        course = services.create_course(**serializer.validated_data, by=self.actor)
        return self._respond(course, status=201)

    def retrieve(self, request: Request, course: str) -> Response:
        return self._respond(self.course)

    @extend_schema(request=serializers.RulesSerializer, responses=serializers.CourseSerializer)
    def partial_update(self, request: Request, course: str) -> Response:
        """Change the rules about deadlines."""
        serializer = serializers.RulesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.set_rules(self.course, serializer.validated_data, by=self.actor)
        return self._respond(self.course)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course: str) -> Response:
        """Move the course to the trash; everything is kept."""
        services.trash_course(self.course, by=self.actor)
        return Response(status=204)

    @extend_schema(request=None, responses=serializers.CourseSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, course: str) -> Response:
        """Restore the course from the trash."""
        return self._respond(services.restore_course(course, by=self.actor))

    def _respond(self, course: Course, status: int = 200) -> Response:
        row = with_role(Course.objects.filter(pk=course.pk), self.actor).get()
        return Response(self.get_serializer(row).data, status=status)


def with_role(courses: QuerySet[Course], actor: Actor) -> QuerySet[Course]:
    """Return the courses with the actor's own role in each; None where they are not a member."""
    own = Membership.objects.filter(course=OuterRef("pk"), user=actor.user)
    return courses.annotate(role=Subquery(own.values("role")))
