"""What the resources share: who asks, the arguments, from names to rows, and the order of errors of ngshare 0.6."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.api.draining import drain
from courses.body_limits import MAX_FORM, limit_body
from courses.errors import Invalid
from courses.models import Course, Membership, User
from courses.permissions import Actor, Permission, actor_of
from courses.services import find_or_create_user
from courses.sizes import readable_size
from exchange.api.v1.answers import DENIED, Failure, IgnoreAccept, JSONAsHTMLRenderer, handle
from exchange.api.v1.arguments import Arguments, FormParser
from exchange.models import Assignment

TIME = "%Y-%m-%d %H:%M:%S.%f"


class UserParameter(BaseAuthentication):
    """In stand-alone mode alone the argument `user` names the user, as in ngshare 0.6."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        name = Arguments(request).either("user") if settings.NGSHARE_STANDALONE else None
        if name is None:
            return None
        try:
            user = find_or_create_user(name)
        except Invalid as error:
            raise AuthenticationFailed(error.message) from error
        if not user.is_active:
            raise PermissionDenied("Your account was deactivated here by an administrator.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "token"


class BrowserSession(SessionAuthentication):
    """The session of a browser's log-in, for requests of a form's size: the check of its CSRF token reads the form."""

    def enforce_csrf(self, request: Request) -> None:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FORM:
            raise Failure(413, f"A browser may send {readable_size(MAX_FORM)}; send more with a token of JupyterHub.")
        super().enforce_csrf(request)


@limit_body(
    lambda: settings.NGSHARE_API_V1_MAX_BODY,
    hint="Hand in fewer or smaller files, or ask for the newer plugin, which has no such limit.",
)
class Resource(APIView):
    """One kind of address of API v1."""

    # A token first; a browser brings the session of its log-in.
    authentication_classes = (*APIView.authentication_classes, UserParameter, BrowserSession)
    parser_classes = (FormParser,)
    renderer_classes = (JSONAsHTMLRenderer,)
    content_negotiation_class = IgnoreAccept
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

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer in English, whatever language is asked for: the clients of ngshare 0.6 compare texts."""
        with translation.override("en"):
            response = super().dispatch(request, *args, **kwargs)
        response["Content-Language"] = "en"
        return response

    def get_exception_handler(self) -> Callable[..., HttpResponseBase | None]:
        return handle

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        if response.status_code >= 300 and request._request.user.is_authenticated:
            drain(request._request)
        return response

    # From names to rows, in the order of errors of ngshare 0.6: course, permission, then the rest

    def course_for(self, permission: Permission | None) -> Course:
        """Return the course in the address, in which the user has the permission, if any is given. Errors: Failure."""
        course = Course.objects.present().filter(name=self.kwargs["course"]).first()
        if course is None:
            raise Failure(404, "Course not found")
        if permission is not None:
            self.require(permission, course)
        return course

    def require(self, permission: Permission, course: Course) -> None:
        if not self.actor.may(permission, course):
            raise Failure(403, DENIED)

    def require_administrator(self) -> None:
        if not self.actor.is_administrator:
            raise Failure(403, DENIED)

    def assignment_in(self, course: Course) -> Assignment:
        """Return the assignment in the address; an unreleased one exists for nobody. Errors: Failure."""
        rows = self.assignments_of(course).filter(name=self.kwargs["assignment"])
        if assignment := rows.select_related("course").first():
            return cast(Assignment, assignment)
        raise Failure(404, "Assignment not found")

    def assignments_of(self, course: Course) -> QuerySet[Assignment]:
        """Return the released assignments of the course; those whose release time is to come, to staff alone."""
        sees_all = self.actor.may(Permission.SEE_SUBMISSIONS, course)
        rows = Assignment.objects.released() if sees_all else Assignment.objects.shown()
        return rows.filter(course=course)

    def member(self, course: Course, *roles: str, what: str = "Student") -> Membership:
        """Return the member in the address, in any of these roles or any at all. Errors: Failure."""
        rows = course.memberships.select_related("user", "course").filter(user__username=self.kwargs["username"])
        if roles:
            rows = rows.filter(role__in=roles)
        if member := rows.first():
            return member
        raise Failure(404, f"{what} not found")


def time_text(moment: datetime) -> str:
    """
    >>> time_text(datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=UTC))
    '2026-11-24 14:33:56.000120'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def parse_time(text: str) -> datetime:
    """Return an instant as `time_text` writes it, also with " UTC" at its end. Errors: Failure.

    >>> parse_time("2026-11-24 14:33:56.000120 UTC")
    datetime.datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=datetime.timezone.utc)
    """
    try:
        return datetime.strptime(text.strip().removesuffix(" UTC").strip(), TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise Failure(400, "Time format incorrect") from error
