"""The admin's pages of people and of the audit log, for administrators."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator, format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.admin.base import MAX_HISTORY, BaseAdmin
from courses.admin.filters import AuditActionFilter, AuditRoleFilter, CourseFilter, WhenFilter
from courses.admin.lists import count_of
from courses.admin.person_actions import PERSON_ACTIONS
from courses.admin.search import filter_rows, in_columns
from courses.audit_sentences import details_of, sentence_of
from courses.errors import DomainError
from courses.models import AuditEntry, Course, Membership, User
from courses.permissions import actor_of
from courses.templatetags.times import local_seconds

MAX_SENTENCE = 300  # characters in the list
MAX_COURSES = 100  # of one person on one page
NEWEST_ENTRIES = 20_000  # of the audit log, in which parts of names are looked for


@admin.register(User)
class PersonAdmin(BaseAdmin[User]):
    """Everybody who was ever here."""

    list_display = ("username", "course_count", "is_active", "is_hub_admin", "created")
    list_filter = ("is_active", "is_hub_admin")
    search_fields = ("username", "memberships__first_name", "memberships__last_name", "memberships__email")
    search_help_text = gettext_lazy("Search by user name, name or email")
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

    @admin.display(description=gettext_lazy("courses"), ordering="course_count")
    def course_count(self, user: User) -> int:
        return user.course_count  # type: ignore[attr-defined]  # annotated

    @admin.display(description=gettext_lazy("member of"))
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
        return format_html_join("\n", '<div><a href="{}">{}</a>, {}</div>', links) or _("no course")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.person_action_view)
        return [path("<int:pk>/act/<slug:act>/", view, name="person_act"), *super().get_urls()]

    def person_action_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponseBase:
        if act not in PERSON_ACTIONS:
            raise Http404
        if request.method == "POST" and self.has_view_permission(request) and _was_merged(pk):  # it came once more
            messages.success(request, _("The account was merged: it is not there any more."))
            return HttpResponseRedirect(reverse("admin:courses_user_changelist"))
        user, action = self.get_visible_object(request, pk), PERSON_ACTIONS[act]
        form = action.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, action.run(user, form.cleaned_data, actor_of(request)))
                return HttpResponseRedirect(reverse("admin:courses_user_changelist"))
            except DomainError as error:
                form.add_error(None, error.message)
        name, sentences = str(action.title), list(map(str, action.sentences))
        return self.confirm(request, title=f"{name}: {user}", sentences=sentences, form=form, button=name)

    def history_of(self, obj: User) -> QuerySet[AuditEntry]:
        """Return the newest entries about the person and of what they did: each by its index, for there may be many."""
        about = AuditEntry.objects.filter(object_type="user", object_id=obj.pk).order_by("-pk")
        acts = AuditEntry.objects.filter(actor_id=obj.pk).order_by("-pk")
        newest = [Q(pk__in=rows.values("pk")[:MAX_HISTORY]) for rows in (about, acts)]
        return AuditEntry.objects.filter(newest[0] | newest[1])


def _was_merged(pk: int) -> bool:
    return AuditEntry.objects.filter(action="merge users", details__gone_id=pk).exists()


def _is_named(word: str) -> Q:
    """Find people by user name, or by what a course calls them: in a subquery, where a join would multiply them."""
    named = Membership.objects.filter(in_columns(["first_name", "last_name", "email"], word))
    return Q(username__icontains=word) | Q(pk__in=named.order_by().values("user"))


class AuditAdmin(BaseAdmin[AuditEntry]):
    counted_as = gettext_lazy("entries")
    list_display = ("when", "sentence", "role", "course")
    list_display_links = ("sentence",)
    list_filter = (("at", WhenFilter), AuditRoleFilter, AuditActionFilter, CourseFilter)
    course_path = "course_id"  # a plain number: namesakes, and what was deleted, stay apart
    search_fields = ("actor", "course", "target", "request_id")
    search_help_text = format_lazy(
        gettext_lazy(
            "Search by a part of the name of a person or course; in the newest {count} of the list also by a part of "
            "an object, id of a request, or name that is no longer in use"
        ),
        count=lazy(number_format, str)(NEWEST_ENTRIES, force_grouping=True),
    )
    fields = readonly_fields = (
        "sentence",
        "when",
        "role",
        "course",
        "what_was_recorded",
    )
    show_facets = admin.ShowFacets.NEVER

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        newest = Q(pk__in=queryset.order_by("-pk").values("pk")[:NEWEST_ENTRIES])

        def found_by(word: str) -> Q:
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
            return named | (newest & in_columns(self.search_fields, word)) | self.condition_for(word)

        return filter_rows(queryset, search_term, found_by), False

    def condition_for(self, word: str) -> Q:
        """Return where else a word is found."""
        return Q(pk__in=[])

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AuditEntry | None = None,
    ) -> HttpResponse:
        context["subtitle"] = None  # the page begins with the sentence
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description=gettext_lazy("when"), ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return local_seconds(entry.at)

    @admin.display(description=gettext_lazy("what happened"))
    def sentence(self, entry: AuditEntry) -> str:
        return Truncator(sentence_of(entry)).chars(MAX_SENTENCE)

    @admin.display(description=gettext_lazy("details"))
    def what_was_recorded(self, entry: AuditEntry) -> SafeString:
        """Fold what the sentence leaves out, such as ids: few need it."""
        recorded = {
            _("actor"): entry.actor and f"{entry.actor} (id {entry.actor_id})",
            _("action"): entry.action,
            _("object"): entry.target,
            _("kind of object"): entry.object_type and f"{entry.object_type} (id {entry.object_id})",
            _("course"): entry.course and f"{entry.course} (id {entry.course_id})",
            _("request"): entry.request_id,
        }
        rows = [*details_of(entry), *((name, str(value)) for name, value in recorded.items() if value)]
        return format_html(
            "<details><summary>{}</summary><dl>{}</dl></details>",
            ngettext("%d detail", "%d details", len(rows)) % len(rows),
            format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows),
        )
