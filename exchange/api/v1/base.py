"""What the resources share: who asks, the arguments, from names to rows, and ngshare's order of refusals."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.api.draining import drain
from courses.errors import Invalid
from courses.models import Course, Membership, User
from courses.permissions import Actor, Permission, actor_of
from courses.services import check_name, known_users
from exchange.api.v1.answers import DENIED, Failure, OldJSONRenderer, OneAnswerForAll, handle
from exchange.api.v1.arguments import Arguments, FormParser
from exchange.models import Assignment

TIME = "%Y-%m-%d %H:%M:%S.%f"


class UserParameter(BaseAuthentication):
    """In stand-alone mode the argument `user` says who asks, as in ngshare's own stand-alone mode. Never elsewhere."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        name = Arguments(request).either("user") if settings.NGSHARE_STANDALONE else None
        if name is None:
            return None
        try:
            user = known_users([check_name(name)])[name]
        except Invalid as error:
            raise AuthenticationFailed(error.message) from error
        if not user.is_active:
            raise PermissionDenied("Your account was deactivated here by an administrator.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "token"


class Resource(APIView):
    """One kind of address of the old wire."""

    # A token first, wherever it comes from; a browser brings the session of its log-in.
    authentication_classes = (*APIView.authentication_classes, UserParameter, SessionAuthentication)
    parser_classes = (FormParser,)
    renderer_classes = (OldJSONRenderer,)
    content_negotiation_class = OneAnswerForAll
    http_method_names = ["get", "post", "delete"]
    schema = None
    sends_to_login = True  # whoever is not logged in

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @cached_property
    def arguments(self) -> Arguments:
        return Arguments(self.request)

    def get_exception_handler(self) -> Callable[..., Any]:
        return handle

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
        if answer.status_code >= 300:
            drain(request._request)
        return answer

    # From names to rows, in ngshare's order of refusals: course, right, then the rest

    def course_for(self, right: Permission | None) -> Course:
        """The course in the address, if the user has this right there; None asks for no right. Errors: Failure."""
        course = Course.objects.present().filter(name=self.kwargs["course"]).first()
        if course is None:
            raise Failure(404, "Course not found")
        if right is not None:
            self.require(right, course)
        return course

    def require(self, right: Permission, course: Course) -> None:
        if not self.actor.may(right, course):
            raise Failure(403, DENIED)

    def require_administrator(self) -> None:
        if not self.actor.is_administrator:
            raise Failure(403, DENIED)

    def assignment_in(self, course: Course) -> Assignment:
        """The assignment in the address; a withdrawn one is not there for anybody. Errors: Failure."""
        found = Assignment.objects.released().filter(course=course, name=self.kwargs["assignment"])
        if assignment := found.select_related("course").first():
            return cast(Assignment, assignment)
        raise Failure(404, "Assignment not found")

    def member(self, course: Course, *roles_: str, what: str = "Student") -> Membership:
        """The member of the course in the address, in one of these roles or any. Errors: Failure."""
        found = course.memberships.select_related("user", "course").filter(user__username=self.kwargs["username"])
        if roles_:
            found = found.filter(role__in=roles_)
        if member := found.first():
            return member
        raise Failure(404, f"{what} not found")


def time_text(moment: datetime) -> str:
    """
    >>> time_text(datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=UTC))
    '2026-11-24 14:33:56.000120'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def parse_time(text: str) -> datetime:
    """An instant as `time_text` writes it, also with " UTC" at its end. Errors: Failure.

    >>> parse_time("2026-11-24 14:33:56.000120 UTC")
    datetime.datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=datetime.timezone.utc)
    """
    try:
        return datetime.strptime(text.strip().removesuffix(" UTC").strip(), TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise Failure(400, "Time format incorrect") from error
