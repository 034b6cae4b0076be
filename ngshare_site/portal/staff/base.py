"""What all pages for the staff of a course share."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.generic import TemplateView

from courses.permissions import Actor, Permission, actor_of
from exchange.models import Assignment
from ngshare_site.portal.assignment import get_assignment, sees_everybody


@method_decorator([never_cache, csrf_exempt], name="dispatch")  # the token is checked once it is known who asks
class StaffView(LoginRequiredMixin, View):
    """A page of an assignment for those who see everybody's submissions; for others there is nothing here (404).

    Those of them who may not do what it is for are told so (403). Nothing of a form is read before.
    """

    permission = Permission.SEE_SUBMISSIONS
    http_method_names = ["get", "head"]
    assignment: Assignment

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def home(self) -> str:
        """The address of the assignment's page."""
        return address_of("assignment", self.assignment)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            self.assignment = get_assignment(self.actor, kwargs["course"], kwargs["assignment"])
            if not sees_everybody(self.actor, self.assignment):
                raise Http404
            if not self.actor.may(self.permission, self.assignment.course):
                raise PermissionDenied
        return self._handle(request, *args, **kwargs)

    @method_decorator(csrf_protect)
    def _handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)


class StaffPage(StaffView, TemplateView):
    """The same with a template, which gets the assignment itself rather than its name."""

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        own = {"assignment": self.assignment, "course": self.assignment.course}
        return super().get_context_data(**{**kwargs, **own})


def address_of(name: str, assignment: Assignment, *more: object) -> str:
    """Return the address of a page of an assignment."""
    return reverse(name, args=[assignment.course.name, assignment.name, *more])
