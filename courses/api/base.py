"""What the viewsets of the native API share: the actor, the course in the address, flags in a query."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated, OperandHolder
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from courses.api.draining import drain
from courses.api.filters import FALSE, TRUE
from courses.api.parsers import max_json
from courses.api.permissions import HasCoursePermission
from courses.body_limits import limit_body
from courses.errors import NotFound
from courses.models import Course
from courses.permissions import Actor, Permission, actor_of

NAME = "[^/]+"  # names in addresses: any text without "/"


@limit_body(max_json, "application/json")
class CourseViewSet(GenericViewSet):
    """A viewset whose address may name a course. `action_permissions` says who may call which action."""

    lookup_value_regex = NAME
    permission_classes: Sequence[type[BasePermission] | OperandHolder] = (IsAuthenticated, HasCoursePermission)
    action_permissions: ClassVar[Mapping[str, Permission]] = {}

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @cached_property
    def course(self) -> Course:
        """The course named in the address. Errors: NotFound, PermissionDenied for whoever is not a member."""
        name = self.kwargs["course"]
        course = self.find_course(name)
        if course is None:
            raise NotFound(_("There is no course %(course)s.") % {"course": name})
        self.actor.require(Permission.SEE_COURSE, course)
        return course

    def find_course(self, name: str) -> Course | None:
        """Return the course of this name that is not in the trash."""
        found: Course | None = Course.objects.present().filter(name=name).order_by().first()
        return found

    def flag(self, name: str) -> bool:
        """Return the value of a yes-or-no parameter of the query. Errors: ValidationError."""
        value = self.request.query_params.get(name, "").lower()
        if value not in TRUE + FALSE:
            raise ValidationError({name: [_("Write true or false.")]})
        return value in TRUE

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code >= 400 and request._request.user.is_authenticated:
            drain(request._request)
        return response
