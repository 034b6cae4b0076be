"""DRF's permission classes: they ask the actor of the request before a body is read."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.permissions import Permission, actor_of


class IsAdministrator(BasePermission):
    """Errors: PermissionDenied, with the sentence of the service functions."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor_of(request).require_administrator()
        return True


class HasCoursePermission(BasePermission):
    """Members of the course in the address, with the permission that the view names for the action.

    A view names them in `action_permissions`; an action that is not in there is open to every member. Without a course
    in the address they need the permission in any course, before the body is read. Errors: NotFound when there is no
    such course, PermissionDenied.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        action: str | None = getattr(view, "action", None)
        if action is None:  # the method is not allowed, which DRF answers next
            return True
        required: Permission | None = view.action_permissions.get(action)  # type: ignore[attr-defined]
        if "course" not in view.kwargs:
            if required is not None:
                actor_of(request).require_anywhere(required)
            return True
        course = view.course  # type: ignore[attr-defined]
        if required is not None:
            actor_of(request).require(required, course)
        return True


class ReadsOneself(BasePermission):
    """Members read their own entry of the roster; the view checks that they belong to the course."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        action: str | None = getattr(view, "action", None)
        return action == "retrieve" and view.kwargs["username"] == actor_of(request).username
