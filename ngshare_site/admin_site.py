"""Django's admin as ngshare's site: who may log in, and the start page."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied as Forbidden
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.models import Course
from courses.permissions import Permission, actor_of
from ngshare_site.hub import views
from ngshare_site.overview import overview
from ngshare_site.role_names import ROLES

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class CourseAutocompleteView(AutocompleteJsonView):
    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        return {"id": str(obj.pk), "text": cast(Course, obj).title}


class NgshareAdminSite(admin.AdminSite):
    site_header = "ngshare"
    site_title = "ngshare"
    index_title = gettext_lazy("Courses, rosters and submissions")

    @cached_property
    def site_url(self) -> str:  # type: ignore[override]
        return settings.PREFIX

    def has_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_staff

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        actor = actor_of(request)
        courses = Course.objects.filter(pk__in=actor.courses_with(Permission.SEE_ROSTER)).order_by("name")
        own_courses = [(course, ROLES[actor.roles[course.pk]]) for course in courses]
        more = {"own_courses": own_courses, "is_administrator": actor.is_administrator}
        return super().index(request, {**(extra_context or {}), **more})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("overview/", self.admin_view(self.overview), name="overview"), *super().get_urls()]

    def overview(self, request: HttpRequest) -> TemplateResponse:
        """Show administrators the state of the service."""
        if not actor_of(request).is_administrator:
            raise Forbidden
        context = {**self.each_context(request), "title": _("Overview"), **overview(request)}
        return TemplateResponse(request, "admin/ngshare/overview.html", context)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Send people to log in through the Hub; tell those who are logged in that they are not staff."""
        if request.user.is_authenticated and not self.has_permission(request):
            context = {**self.each_context(request), "is_nav_sidebar_enabled": False}
            return TemplateResponse(request, "admin/ngshare/not_staff.html", context, status=403)
        next_page = request.GET.get("next") or request.get_full_path()
        if request.user.is_authenticated:
            return HttpResponseRedirect(f"{settings.PREFIX}admin/")
        return redirect_to_login(next_page, settings.LOGIN_URL)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Answer a form of somebody whose session has ended with a page, not with a redirect to the Hub.

        The Hub may redirect on to where its users log in, and browsers let no form lead to another site (form-action).
        """
        inner = super().admin_view(view, cacheable)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not request.user.is_authenticated:
                message = _("Your session has ended, and nothing was saved. Log in, go back and send the form again.")
                return render(request, "ngshare/login_failed.html", {"message": message}, status=403)
            return inner(request, *args, **kwargs)

        return cast(View, update_wrapper(checked, view))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Log out as the other pages do."""
        return views.logout(request)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:  # type: ignore[override]
        """Answer for the fields that use it, which choose a course; Django's own would follow any foreign key."""
        allowed = {
            (page.opts.app_label, page.opts.model_name, field)
            for page in self._registry.values()
            for field in page.autocomplete_fields
        }
        if tuple(request.GET.get(part) for part in ("app_label", "model_name", "field_name")) not in allowed:
            raise Forbidden
        return CourseAutocompleteView.as_view(admin_site=self)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        raise Http404  # passwords are JupyterHub's

    password_change_done = password_change
