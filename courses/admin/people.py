"""The admin's pages of people and of the audit log, for administrators."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from courses.admin.base import MAX_HISTORY, BaseAdmin
from courses.admin.filters import AuditActionFilter, AuditRoleFilter, CourseFilter
from courses.admin.lists import count_of
from courses.admin.person_actions import PERSON_ACTIONS
from courses.admin.search import filter_rows, in_columns
from courses.errors import DomainError
from courses.models import AuditEntry, Course, Membership, User
from courses.permissions import actor_of

MAX_COURSES = 100  # of one person on one page
NEWEST_ENTRIES = 20_000  # of the audit log, in which parts of names are looked for


@admin.register(User)
class PersonAdmin(BaseAdmin[User]):
    """Everybody who was ever here."""

    list_display = ("username", "course_count", "is_active", "is_hub_admin", "created")
    list_filter = ("is_active", "is_hub_admin")
    search_fields = ("username", "memberships__first_name", "memberships__last_name", "memberships__email")
    search_help_text = "Search by user name, name or email"
    readonly_fields = ("username", "member_of", "is_active", "is_hub_admin", "created", "last_login")
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(course_count=count_of(Membership, "user"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        return filter_rows(queryset, search_term, _is_named), False

    @admin.display(description="courses", ordering="course_count")
    def course_count(self, user: User) -> int:
        return user.course_count  # type: ignore[attr-defined]  # annotated

    @admin.display(description="member of")
    def member_of(self, user: User) -> SafeString | str:
        memberships = user.memberships.select_related("course").order_by("course__name")[:MAX_COURSES]
        links = [
            (
                reverse("admin:courses_course_change", args=[membership.course_id]),
                membership.course.name,
                membership.get_role_display(),
            )
            for membership in memberships
        ]
        return format_html_join("\n", '<div><a href="{}">{}</a>, {}</div>', links) or "no course"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.person_action_view)
        return [path("<int:pk>/act/<slug:act>/", view, name="person_act"), *super().get_urls()]

    def person_action_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponseBase:
        if act not in PERSON_ACTIONS:
            raise Http404
        user, action = self.get_visible_object(request, pk), PERSON_ACTIONS[act]
        form = action.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, action.run(user, form.cleaned_data, actor_of(request)))
                return HttpResponseRedirect(reverse("admin:courses_user_changelist"))
            except DomainError as error:
                form.add_error(None, error.message)
        title = f"{action.title}: {user}"
        return self.confirm(request, title=title, sentences=action.sentences, form=form, button=action.title)

    def history_of(self, obj: User) -> QuerySet[AuditEntry]:
        """Return the newest entries about the person and of what they did: each by its index, for there may be many."""
        about = AuditEntry.objects.filter(object_type="user", object_id=obj.pk).order_by("-pk")
        acts = AuditEntry.objects.filter(actor_id=obj.pk).order_by("-pk")
        newest = [Q(pk__in=rows.values("pk")[:MAX_HISTORY]) for rows in (about, acts)]
        return AuditEntry.objects.filter(newest[0] | newest[1])


def _is_named(word: str) -> Q:
    """Find people by user name, or by what a course calls them: in a subquery, where a join would multiply them."""
    named = Membership.objects.filter(in_columns(["first_name", "last_name", "email"], word))
    return Q(username__icontains=word) | Q(pk__in=named.order_by().values("user"))


@admin.register(AuditEntry)
class AuditAdmin(BaseAdmin[AuditEntry]):
    list_display = ("at", "actor", "role", "action", "course", "target", "short_details")
    list_filter = ("at", AuditRoleFilter, AuditActionFilter, CourseFilter)
    course_path = "course_id"  # a plain number: namesakes, and what was deleted, stay apart
    search_fields = ("actor", "course", "target", "request_id")
    search_help_text = (
        "Search by a part of the name of a person or course; in the newest "
        f"{NEWEST_ENTRIES:,} of the list also by a part of an object, id of a request, or name that is no longer in use"
    )
    fields = readonly_fields = (
        "at",
        "actor",
        "actor_id",
        "role",
        "action",
        "course",
        "course_id",
        "target",
        "object_type",
        "object_id",
        "details",
        "request_id",
    )
    show_facets = admin.ShowFacets.NEVER

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        newest = Q(pk__in=queryset.order_by("-pk").values("pk")[:NEWEST_ENTRIES])

        def condition_for(word: str) -> Q:
            # The indexes lead from whom and what has such a name to the entries.
            people = User.objects.filter(_is_named(word)).order_by()
            courses = Course.objects.filter(name__icontains=word).order_by()
            named = (
                Q(actor=word)
                | Q(course=word)
                | Q(actor__in=people.values("username"))
                | Q(course__in=courses.values("name"))
                | Q(object_type="user", object_id__in=people.values("pk"))
            )
            return named | (newest & in_columns(self.search_fields, word))

        return filter_rows(queryset, search_term, condition_for), False

    @admin.display(description="details")
    def short_details(self, entry: AuditEntry) -> str:
        return Truncator(entry.summary).chars(80)
