"""The admin's pages of people, what may happen to them, and the audit log. For administrators."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from courses.admin import person_actions
from courses.admin.base import Page
from courses.models import AuditEntry, User

LISTED = 100  # courses of someone on one page


class PersonAdmin(Page):
    """Everybody who was ever here; for administrators."""

    list_display = ("username", "course_count", "is_active", "is_hub_admin", "created")
    list_filter = ("is_active", "is_hub_admin")
    search_fields = ("username", "memberships__first_name", "memberships__last_name", "memberships__email")
    search_help_text = "Search by user name, name or email"
    readonly_fields = ("username", "member_of", "is_active", "is_hub_admin", "created", "last_login")
    fields = readonly_fields
    change_form_template = "admin/ngshare/person.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(course_count=Count("memberships", distinct=True))

    @admin.display(description="courses", ordering="course_count")
    def course_count(self, user: Any) -> int:
        return user.course_count

    @admin.display(description="member of")
    def member_of(self, user: User) -> SafeString | str:
        rows = user.memberships.select_related("course").order_by("course__name")[:LISTED]
        links = [
            (reverse("admin:courses_course_change", args=[one.course_id]), one.course.name, one.get_role_display())
            for one in rows
        ]
        return format_html_join("\n", '<div><a href="{}">{}</a>, {}</div>', links) or "no course"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(person_actions.act)
        return [path("<int:pk>/act/<slug:act>/", view, {"page": self}, name="person_act"), *super().get_urls()]

    def history_of(self, obj: User) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(Q(target=obj.username, course="") | Q(actor=obj.username))


class AuditAdmin(Page):
    list_display = ("at", "actor", "role", "action", "course", "target", "details_in_short")
    list_filter = ("at", "role", "action")
    search_fields = ("actor", "course", "target")
    search_help_text = "Search by user name, course or object"
    fields = readonly_fields = ("at", "actor", "role", "action", "course", "target", "details")
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description="details")
    def details_in_short(self, entry: AuditEntry) -> str:
        text = ", ".join(f"{name}: {value}" for name, value in entry.details.items())
        return text if len(text) <= 80 else f"{text[:80]}…"
