"""Django's admin as ngshare's site: who may come in, and the start page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied as Forbidden
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from courses.models import Course
from courses.permissions import Permission, actor_of


class NgshareAdminSite(admin.AdminSite):
    site_header = "ngshare"
    site_title = "ngshare"
    index_title = "Courses, rosters and hand-ins"
    index_template = "admin/ngshare/index.html"

    @cached_property
    def site_url(self) -> str:  # type: ignore[override]
        return settings.PREFIX

    def has_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).may_anywhere(Permission.SEE_ROSTER)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        actor = actor_of(request)
        staffed = Course.objects.filter(pk__in=actor.courses_with(Permission.SEE_ROSTER)).order_by("name")
        own = [(course, actor.roles[course.pk]) for course in staffed]
        return super().index(request, {**(extra_context or {}), "own_courses": own})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Send people to the log-in through the Hub; tell those who are logged in that this is not for them."""
        if request.user.is_authenticated and not self.has_permission(request):
            context = {**self.each_context(request), "is_nav_sidebar_enabled": False}
            return TemplateResponse(request, "admin/ngshare/not_for_you.html", context, status=403)
        following = request.GET.get("next") or request.get_full_path()
        if request.user.is_authenticated:
            return HttpResponseRedirect(f"{settings.PREFIX}admin/")
        return redirect_to_login(following, settings.LOGIN_URL)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """For the fields that use it; Django's own would look along any column."""
        known = {
            (page.opts.app_label, page.opts.model_name, field)
            for page in self._registry.values()
            for field in page.autocomplete_fields
        }
        if tuple(request.GET.get(part) for part in ("app_label", "model_name", "field_name")) not in known:
            raise Forbidden
        return super().autocomplete_view(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        raise Http404  # JupyterHub keeps passwords

    password_change_done = password_change
