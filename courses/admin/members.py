"""The admin's roster: the members of all courses that someone may see, to search, filter and change."""

import re

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import ForeignKey, QuerySet, Value
from django.db.models.functions import Concat
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses import bulk, services
from courses.admin.base import CourseScopedAdmin, parse_pk
from courses.admin.filters import CourseFilter, SectionFilter
from courses.admin.forms import (
    NAME_AND_ROLE,
    MemberForm,
    MemberRowForm,
    MembershipModelForm,
    change_member,
    form_for,
)
from courses.admin.roster_files import roster_response
from courses.models import AuditEntry, Course, Membership, Role
from courses.permissions import Permission, actor_of

SHOWN_ROW = re.compile(r"form-\d+-id")  # as Django names the rows of a list that is edited


@admin.register(Membership)
class MembershipAdmin(CourseScopedAdmin[Membership]):
    form = MemberForm
    list_display = ("username", "full_name", "address", "section", "role", "course")
    list_editable = ("section", "role")
    list_display_links = ("username",)
    list_filter = (CourseFilter, "role", SectionFilter)
    list_select_related = ("user", "course")
    search_fields = ("user__username", "first_name", "last_name", "email")
    search_help_text = gettext_lazy("Search by user name, name or email")
    ordering = ("course__name", "user__username")
    autocomplete_fields = ("course",)
    actions: tuple[str, ...] = ("make_graders", "make_students", "remove", "download")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leave out the column of the course where one is chosen."""
        return self.list_display[:-1] if request.GET.get("course") else self.list_display

    @admin.display(description=gettext_lazy("user name"), ordering="user__username")
    def username(self, member: Membership) -> str:
        return member.user.username

    @admin.display(description=gettext_lazy("name"), ordering=Concat("last_name", Value(" "), "first_name"))
    def full_name(self, member: Membership) -> str:
        return member.full_name

    @admin.display(description=gettext_lazy("email"), ordering="email")
    def address(self, member: Membership) -> SafeString:
        """Allow a line break behind the @, for narrow columns."""
        return format_html_join(mark_safe("@<wbr>"), "{}", ((part,) for part in (member.email or "").split("@")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Permission.CHANGE_ROSTER)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        if obj is None:
            return self.may(request, Permission.CHANGE_ROSTER)
        is_own = obj.user == request.user and self.may(request, Permission.CHANGE_ROSTER, obj)
        return is_own or actor_of(request).may_assign(obj.role, obj.course_id)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        if obj is None:
            return self.may(request, Permission.CHANGE_ROSTER)
        return actor_of(request).may_assign(obj.role, obj.course_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Add the object tools of the course where one is chosen; refuse to save rows that are gone."""
        value = request.GET.get("course", "")
        course = self.admin_site.get_model_admin(Course).get_object(request, value) if value.isdigit() else None
        if "_save" in request.POST and not self._all_exist(request):
            text = _("Somebody on this page was removed from the roster meanwhile. Nothing was saved.")
            messages.error(request, text)
            return HttpResponseRedirect(request.get_full_path())
        may_change = course is not None and actor_of(request).may(Permission.CHANGE_ROSTER, course.pk)
        context = {"chosen_course": course, "may_change_roster": may_change, **(extra_context or {})}
        return super().changelist_view(request, context)

    def _all_exist(self, request: HttpRequest) -> bool:
        """Return whether all rows of the page still exist; otherwise Django would save values to the wrong members."""
        shown = [parse_pk(str(value)) for name, value in request.POST.items() if SHOWN_ROW.fullmatch(name)]
        pks = [pk for pk in shown if pk is not None]
        return pks == shown and self.get_queryset(request).filter(pk__in=pks).count() == len(set(pks))

    # Forms

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "course")

    def get_form(
        self, request: HttpRequest, obj: Membership | None = None, change: bool = False, **kwargs: object
    ) -> type[MembershipModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        return form_for(request, form) if issubclass(form, MemberForm) else form

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("course", "username", *NAME_AND_ROLE)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("course", "username") if obj else ()

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Let administrators search for the course; others choose from theirs."""
        return self.autocomplete_fields if actor_of(request).is_administrator else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Choose the course that the address names, or whose roster the person comes from; none that cannot exist."""
        filters = QueryDict(request.GET.get("_changelist_filters", ""))
        initial = {"course": filters.get("course", ""), **super().get_changeform_initial_data(request)}
        if parse_pk(str(initial.get("course", ""))) is None:
            initial.pop("course", None)
        return initial

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        if db_field.name == "course" and not actor_of(request).is_administrator:
            kwargs["queryset"] = actor_of(request).courses_where(Permission.CHANGE_ROSTER)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: object) -> type[MemberRowForm]:
        return form_for(request, MemberRowForm)

    def save_model(self, request: HttpRequest, obj: Membership, form: MemberForm, change: bool) -> None:
        if change:
            change_member(request, form)
            return
        member = form.existing or services.add_member(form.cleaned_data["course"], form.new_entry, by=actor_of(request))
        obj.pk, obj.user = member.pk, member.user

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.remove_member(obj, by=actor_of(request))

    def delete_view(  # type: ignore[override]
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        """Remove a member. Where the form comes once more, they are gone already, and that is what was wanted."""
        pk = parse_pk(object_id)
        if request.method == "POST" and self.has_delete_permission(request) and pk is not None:
            if not Membership.objects.filter(pk=pk).exists():
                messages.success(request, _("They are not on the roster any more."))
                return HttpResponseRedirect(reverse("admin:courses_membership_changelist"))
        return super().delete_view(request, object_id, extra_context)

    def log_deletions(self, request: HttpRequest, queryset: object) -> None:  # type: ignore[override]
        pass

    # Actions

    @admin.action(description=gettext_lazy("Make them graders"), permissions=["roster"])
    def make_graders(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        count = bulk.change_roles(list(queryset), Role.GRADER, by=actor_of(request))
        done = ngettext("%d member is now a grader.", "%d members are now graders.", count) % count
        self.tell_count(request, count, done, already=_("Whom you chose are graders already."))

    @admin.action(description=gettext_lazy("Make them students"), permissions=["roster"])
    def make_students(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        count = bulk.change_roles(list(queryset), Role.STUDENT, by=actor_of(request))
        done = ngettext("%d member is now a student.", "%d members are now students.", count) % count
        self.tell_count(request, count, done, already=_("Whom you chose are students already."))

    @admin.action(description=gettext_lazy("Remove from the roster"), permissions=["roster"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponseBase | None:
        chosen = list(queryset)
        bulk.require_may_remove(chosen, by=actor_of(request))
        if chosen and "confirmed" not in request.POST:
            sentences = [_("They will no longer be members of the course. Their submissions are kept.")]
            return self.confirm(
                request, title=_("Remove from the roster"), sentences=sentences, rows=chosen, action="remove"
            )
        count = bulk.remove_members(chosen, by=actor_of(request))
        done = ngettext("%d member was removed from the roster.", "%d members were removed from the roster.", count)
        self.tell_count(request, count, done % count, already=_("They are not on the roster any more."))
        return None

    @admin.action(description=gettext_lazy("Download as CSV"), permissions=["view"])
    def download(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponseBase:
        with transaction.atomic():
            for course in Course.objects.filter(memberships__in=queryset.order_by().values("pk")).distinct():
                services.record_roster_download(course, by=actor_of(request))
        return roster_response(queryset, "members.csv")

    def history_of(self, obj: Membership) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(course_id=obj.course_id, object_type="user", object_id=obj.user_id)
