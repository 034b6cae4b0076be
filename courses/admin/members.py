"""The admin's roster: the members of all courses that someone may see, to search, filter and change."""

import re
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from courses import bulk, services
from courses.admin import roster_files
from courses.admin.base import CourseFilter, RowsOfCourses, confirmation, row_number
from courses.admin.forms import MemberForm, MemberRowForm
from courses.models import AuditEntry, Course, Membership, Role
from courses.permissions import Permission, actor_of

NAMES = ("role", "first_name", "last_name", "email", "section")
SECTIONS = 200  # to choose from
SHOWN_ROW = re.compile(r"form-\d+-id")  # as Django names the rows of a list that is edited


def asked_by(request: HttpRequest, form: type[MemberRowForm]) -> type[MemberRowForm]:
    """The form, as the person who is logged in gets it."""
    return type(form.__name__, (form,), {"actor": actor_of(request)})


def change_member(request: HttpRequest, form: MemberRowForm) -> None:
    """Write what a form says of a member who is there: from the row as it stands, for the form has changed its own."""
    if not form.has_changed():
        return
    there = Membership.objects.select_related("user", "course").get(pk=form.instance.pk)
    services.change_member(there, form.person, by=actor_of(request))


class SectionFilter(admin.SimpleListFilter):
    """The sections of the course that is chosen; of all courses together they would say little and be many."""

    title = "section"
    parameter_name = "section"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if (course := row_number(request.GET.get("course", ""))) is None:
            return []
        rows = model_admin.get_queryset(request).filter(course=course).order_by("section")
        return [
            (section, section or "(none)") for section in rows.values_list("section", flat=True).distinct()[:SECTIONS]
        ]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        return queryset if self.value() is None else queryset.filter(section=self.value())


class MembershipAdmin(RowsOfCourses):
    form = MemberForm
    list_display = ("username", "full_name", "address", "section", "role", "course")
    list_editable = ("section", "role")
    list_display_links = ("username",)
    list_filter = (CourseFilter, "role", SectionFilter)
    list_select_related = ("user", "course")
    search_fields = ("user__username", "first_name", "last_name", "email")
    search_help_text = "Search by user name, name or email"
    ordering = ("course__name", "user__username")
    actions = ("make_graders", "make_students", "take_off", "download")
    change_list_template = "admin/ngshare/members.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        """The course is said where not just one is shown."""
        return self.list_display[:-1] if request.GET.get("course") else self.list_display

    @admin.display(description="user name", ordering="user__username")
    def username(self, member: Membership) -> str:
        return member.user.username

    @admin.display(description="name", ordering=Concat("last_name", Value(" "), "first_name"))
    def full_name(self, member: Membership) -> str:
        return member.full_name

    @admin.display(description="email", ordering="email")
    def address(self, member: Membership) -> SafeString:
        """In a narrow column it breaks behind the @."""
        return format_html_join(mark_safe("@<wbr>"), "{}", ((part,) for part in (member.email or "").split("@")))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self.has_right(request, Permission.CHANGE_ROSTER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_right(request, Permission.CHANGE_ROSTER)
        is_own = obj.user == request.user and self.has_right(request, Permission.CHANGE_ROSTER, obj)
        return is_own or actor_of(request).may_assign(obj.role, obj.course_id)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_right(request, Permission.CHANGE_ROSTER)
        return actor_of(request).may_assign(obj.role, obj.course_id)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the tools of the course, where one was chosen."""
        chosen = request.GET.get("course", "")
        course = self.admin_site.get_model_admin(Course).get_object(request, chosen) if chosen.isdigit() else None
        if "_save" in request.POST and not self._are_there(request):
            messages.error(request, "Somebody on this page was taken off the roster meanwhile. Nothing was saved.")
            return HttpResponseRedirect(request.get_full_path())
        told = {"one_course": course, "may_change_roster": course and self._may_change_roster(request, course)}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    def _are_there(self, request: HttpRequest) -> bool:
        """Are all whom the page showed still members? Else Django would set its rows beside the wrong names."""
        shown = [row_number(str(value)) for name, value in request.POST.items() if SHOWN_ROW.fullmatch(name)]
        there = [pk for pk in shown if pk is not None]
        return there == shown and self.get_queryset(request).filter(pk__in=there).count() == len(set(there))

    def _may_change_roster(self, request: HttpRequest, course: Course) -> bool:
        return actor_of(request).may(Permission.CHANGE_ROSTER, course.pk)

    # Forms

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "course")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new member is of the course whose roster one comes from."""
        came_from = QueryDict(request.GET.get("_changelist_filters", ""))
        return {"course": came_from.get("course"), **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change, **kwargs)
        return asked_by(request, made) if issubclass(made, MemberForm) else made

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("course", "username", *NAMES)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("course", "username") if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "course" and not actor_of(request).is_administrator:
            own = actor_of(request).courses_with(Permission.CHANGE_ROSTER)
            kwargs["queryset"] = Course.objects.present().filter(pk__in=own)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return asked_by(request, MemberRowForm)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        if change:
            change_member(request, form)
            return
        made = services.add_member(form.cleaned_data["course"], form.new_person, by=actor_of(request))
        obj.pk, obj.user = made.pk, made.user

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.remove_member(obj, by=actor_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    # Actions

    @admin.action(description="Make them graders", permissions=["roster"])
    def make_graders(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._give(request, queryset, Role.GRADER)

    @admin.action(description="Make them students", permissions=["roster"])
    def make_students(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._give(request, queryset, Role.STUDENT)

    def _give(self, request: HttpRequest, queryset: QuerySet[Membership], role: Role) -> None:
        changed = bulk.change_roles(list(queryset), role, by=actor_of(request))
        messages.success(request, f"{changed} members are {role}s now.")

    @admin.action(description="Take off the roster", permissions=["roster"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponseBase | None:
        chosen = list(queryset)
        bulk.require_may_remove(chosen, by=actor_of(request))
        if "confirmed" not in request.POST:
            sentences = ["They will not belong to the course any more. Work that they handed in stays."]
            return confirmation(
                request, self, title="Take off the roster", sentences=sentences, rows=chosen, action="take_off"
            )
        count = bulk.remove_members(chosen, by=actor_of(request))
        messages.success(request, f"{count} members were taken off the roster.")
        return None

    @admin.action(description="Download as CSV", permissions=["view"])
    def download(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponseBase:
        return roster_files.csv_answer(queryset, "members.csv")

    def history_of(self, obj: Membership) -> QuerySet[AuditEntry]:
        of_course = AuditEntry.objects.filter(course=obj.course.name, at__gte=obj.course.created)
        return of_course.filter(target=obj.user.username)
