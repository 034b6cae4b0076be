"""The admin's page of courses, with the members of a small one on it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses import retirement, services
from courses.admin.deletion import TrashAdmin
from courses.admin.filters import TrashFilter
from courses.admin.forms import (
    NAME_AND_ROLE,
    CourseForm,
    CourseModelForm,
    LimitsForm,
    MemberForm,
    MemberFormSet,
    MembershipModelForm,
    change_member,
    form_for,
)
from courses.admin.lists import count_of
from courses.admin.roster_files import RosterFilesAdmin
from courses.limits import Limits
from courses.models import STAFF_ROLES, AuditEntry, Course, Membership, Role
from courses.permissions import Actor, Permission, actor_of
from courses.sizes import readable_size

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Membership, Course]
else:
    TabularInline = admin.TabularInline

REMOVED_MEANWHILE = gettext_lazy(
    "Somebody on this page was removed from the roster meanwhile; your changes to them were not saved."
)
SENT_AGAIN = timedelta(minutes=10)  # in which the same form for a new course is taken for a double click
MAX_INLINE_MEMBERS = 100  # up to which a course's own page lists them all


class MemberInline(TabularInline):
    model = Membership
    form = MemberForm
    formset = MemberFormSet  # type: ignore[assignment]
    fields = ("username", *NAME_AND_ROLE)
    extra = 0
    ordering = ("role", "user__username")
    classes = ("members",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "course")

    def get_formset(
        self, request: HttpRequest, obj: Course | None = None, **kwargs: object
    ) -> "type[BaseInlineFormSet[Membership, Course, MembershipModelForm]]":
        return super().get_formset(request, obj, **{**kwargs, "form": form_for(request, MemberForm)})

    def may(self, request: HttpRequest, permission: Permission, course: Course | None) -> bool:
        """Return whether the person may in this course, or, as Django asks before it looks for the rows, in any."""
        actor = actor_of(request)
        return actor.may(permission, course) if course else actor.may_anywhere(permission)

    def has_view_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return self.may(request, Permission.SEE_ROSTER, obj)

    def has_change_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return self.may(request, Permission.CHANGE_ROSTER, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return self.may(request, Permission.CHANGE_ROSTER, obj)

    def has_add_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return self.may(request, Permission.CHANGE_ROSTER, obj)


@admin.register(Course)
class CourseAdmin(RosterFilesAdmin, TrashAdmin[Course]):
    course_path = "pk"
    hidden_since = "removed_at"
    list_display = ("name", "staff_count", "student_count", "created", "removed_at")
    list_filter = (TrashFilter,)
    search_fields = ("name",)
    search_help_text = gettext_lazy("Search by name")
    actions = ("keep", "move_to_trash", "restore", "delete_permanently")

    def delete_row(self, row: Course, *, by: Actor) -> dict[str, int]:
        return services.delete_course_permanently(row, by=by)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        staff = count_of(Membership, "course", Q(role__in=STAFF_ROLES))
        students = count_of(Membership, "course", Q(role=Role.STUDENT))
        return super().get_queryset(request).annotate(staff=staff, students=students)

    @admin.display(description=gettext_lazy("staff"), ordering="staff")
    def staff_count(self, course: Course) -> int:
        return course.staff  # type: ignore[attr-defined]  # annotated

    @admin.display(description=gettext_lazy("students"), ordering="students")
    def student_count(self, course: Course) -> str:
        return format_html(
            '<a href="{}?course={}">{}</a>',
            reverse("admin:courses_membership_changelist"),
            course.pk,
            course.students,  # type: ignore[attr-defined]  # annotated
        )

    # The form: a new course has a name and instructors, an existing one has members

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_administrator

    def has_change_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return self.may(request, Permission.CHANGE_ROSTER, obj)

    def add_view(  # type: ignore[override]
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        """Create a course. The same form that comes once more leads to the course that it created."""
        if request.method == "POST" and self.has_add_permission(request) and (course := self._just_created(request)):
            messages.success(request, _("The course %(course)s was created.") % {"course": course})
            return HttpResponseRedirect(reverse("admin:courses_course_change", args=[course.pk]))
        return super().add_view(request, form_url, extra_context)

    def _just_created(self, request: HttpRequest) -> Course | None:
        form = CourseForm(request.POST)
        form.full_clean()
        names = form.cleaned_data.get("instructors")
        course = Course.objects.present().filter(name=request.POST.get("name", "").strip()).first()
        if course is None or names is None:
            return None
        entries = AuditEntry.objects.filter(
            action="create course", course_id=course.pk, actor=actor_of(request).username
        )
        entry = entries.filter(at__gte=timezone.now() - SENT_AGAIN).first()
        return course if entry and entry.details.get("instructors") == sorted(set(names)) else None

    def get_form(
        self, request: HttpRequest, obj: Course | None = None, change: bool = False, **kwargs: object
    ) -> type[CourseModelForm]:
        return super().get_form(request, obj, change, **{"form": LimitsForm if obj else CourseForm, **kwargs})

    def get_fields(self, request: HttpRequest, obj: Course | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "instructors")
        times = [*(["retiring_since"] if self.retiring_since(obj) else []), *(["removed_at"] if obj.removed_at else [])]
        fields = ["name", "instructor_names", "student_count", "created", *times]
        return (*fields, "use", *(services.LIMIT_FIELDS if actor_of(request).is_administrator else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Course | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return tuple(name for name in self.get_fields(request, obj) if name not in services.LIMIT_FIELDS)

    @admin.display(description=gettext_lazy("stored"))
    def use(self, course: Course) -> str:
        limits = Limits.of(course)
        sizes = {
            "stored": readable_size(course.stored_bytes),
            "max": readable_size(limits.course_bytes),
            "max_person": readable_size(limits.person_bytes),
        }
        if not (rate := limits.submissions_per_hour):
            return _("%(stored)s of %(max)s; one person may store %(max_person)s") % sizes
        text = ngettext(
            "%(stored)s of %(max)s; one person may store %(max_person)s and submit %(count)d time per hour",
            "%(stored)s of %(max)s; one person may store %(max_person)s and submit %(count)d times per hour",
            rate,
        )
        return text % {**sizes, "count": rate}

    @admin.display(description=gettext_lazy("to be retired since"))
    def retiring_since(self, course: Course) -> datetime | None:
        return retirement.announced([course.pk]).get(course.pk)

    @admin.display(description=gettext_lazy("instructors"))
    def instructor_names(self, course: Course) -> str:
        names = course.memberships.filter(role=Role.INSTRUCTOR).values_list("user__username", flat=True)
        return ", ".join(names[:MAX_INLINE_MEMBERS]) or _("none yet")

    def lists_members(self, course: Course | None) -> bool:
        """Return whether the course's page lists its members: those of a large course have only their own list."""
        return course is not None and course.staff + course.students <= MAX_INLINE_MEMBERS  # type: ignore[attr-defined]

    def get_inlines(self, request: HttpRequest, obj: Course | None) -> tuple[type[MemberInline], ...]:
        return (MemberInline,) if self.lists_members(obj) else ()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Course | None = None,
    ) -> HttpResponse:
        context["may_change_roster"] = obj is not None and self.has_change_permission(request, obj)
        context["lists_members"] = self.lists_members(obj)
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Writing

    def save_model(self, request: HttpRequest, obj: Course, form: CourseModelForm, change: bool) -> None:
        if not change:
            names = form.cleaned_data["instructors"]
            obj.pk = services.create_course(form.cleaned_data["name"], names, by=actor_of(request)).pk
        elif isinstance(form, LimitsForm) and (limits := form.changed_limits):
            services.set_limits(obj, limits, by=actor_of(request))

    def save_formset(self, request: HttpRequest, form: CourseModelForm, formset: MemberFormSet, change: bool) -> None:
        for row in formset.deleted_forms:
            if row.instance.pk:
                services.remove_member(row.instance, by=actor_of(request))
        for row in formset.initial_forms:
            if row not in formset.deleted_forms:
                change_member(request, row)
        for row in formset.extra_forms:
            if row.has_changed() and row not in formset.deleted_forms and row.existing is None:
                services.add_member(form.instance, row.new_entry, by=actor_of(request))
        if formset.removed_meanwhile:
            messages.warning(request, REMOVED_MEANWHILE)

    # Actions

    @admin.action(description=gettext_lazy("Move to the trash"), permissions=["administer"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Course]) -> HttpResponseBase | None:
        chosen = list(queryset.filter(removed_at=None))
        if chosen and "confirmed" not in request.POST:
            sentences = [_("Only administrators will see these courses. Everything in them is kept.")]
            return self.confirm(
                request, title=_("Move to the trash"), sentences=sentences, rows=chosen, action="move_to_trash"
            )
        with transaction.atomic():
            for course in chosen:
                services.trash_course(course, by=actor_of(request))
        count = len(chosen)
        done = ngettext("%d course was moved to the trash.", "%d courses were moved to the trash.", count) % count
        self.tell_count(request, count, done, already=_("What you chose is in the trash already."))
        return None

    @admin.action(description=gettext_lazy("Keep (do not retire)"), permissions=["change"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        for course in queryset:
            retirement.keep_course(course, by=actor_of(request))
        messages.success(request, ngettext("%d course is kept.", "%d courses are kept.", len(queryset)) % len(queryset))

    @admin.action(description=gettext_lazy("Restore"), permissions=["administer"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        chosen = list(queryset.exclude(removed_at=None))
        with transaction.atomic():  # all or none, where one name is taken by now
            for course in chosen:
                services.restore_course(course, by=actor_of(request))
        count = len(chosen)
        done = ngettext("%d course was restored.", "%d courses were restored.", count) % count
        self.tell_count(request, count, done, already=_("What you chose is not in the trash."))

    def history_of(self, obj: Course) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(course_id=obj.pk)
