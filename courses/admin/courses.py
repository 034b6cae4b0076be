"""The admin's page of courses, with the members of a small one on it."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from courses import services
from courses.admin import roster_files
from courses.admin.base import RowsOfCourses, confirmation
from courses.admin.deletion import delete_for_good
from courses.admin.forms import CourseForm, MemberForm, MemberFormSet
from courses.admin.members import NAMES, asked_by, change_member
from courses.models import STAFF_ROLES, AuditEntry, Course, Membership, Role
from courses.permissions import Permission, actor_of

TAKEN_OFF_MEANWHILE = "Somebody on this page was taken off the roster meanwhile; what you changed of them was not kept."
LISTED = 100  # members up to which a course's own page lists them all


class MemberInline(admin.TabularInline):
    model = Membership
    form = MemberForm
    formset = MemberFormSet
    fields = ("username", *NAMES)
    extra = 0
    ordering = ("role", "user__username")
    classes = ("members",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "course")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{**kwargs, "form": asked_by(request, MemberForm)})

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Permission.SEE_ROSTER, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Permission.CHANGE_ROSTER, obj)

    def has_right(self, request: HttpRequest, right: Permission, course: Any) -> bool:
        """In this course, or, as Django asks before it looks for the rows, in any."""
        seen = actor_of(request)
        return seen.may(right, course.pk) if course else seen.may_anywhere(right)

    has_delete_permission = has_change_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class InBin(admin.SimpleListFilter):
    title = "place"
    parameter_name = "bin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Present"), ("yes", "In the bin")] if actor_of(request).is_administrator else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(removed_at__isnull=self.value() == "no") if self.value() else queryset


class CourseAdmin(RowsOfCourses):
    course_path = "pk"
    list_display = ("name", "staff_count", "student_count", "created", "removed_at")
    list_filter = (InBin,)
    search_fields = ("name",)
    search_help_text = "Search by name"
    actions = ("put_into_bin", "take_out_of_bin", "delete_for_good")
    change_form_template = "admin/ngshare/course.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        counted = (
            super()
            .get_queryset(request)
            .annotate(
                staff=Count("memberships", filter=Q(memberships__role__in=STAFF_ROLES)),
                students=Count("memberships", filter=Q(memberships__role=Role.STUDENT)),
            )
        )
        return counted

    @admin.display(description="staff", ordering="staff")
    def staff_count(self, course: Any) -> int:
        return course.staff

    @admin.display(description="students", ordering="students")
    def student_count(self, course: Any) -> str:
        return format_html(
            '<a href="{}?course={}">{}</a>',
            reverse("admin:courses_membership_changelist"),
            course.pk,
            course.students,
        )

    # The form: a new course has a name and instructors, one that is there has members

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return actor_of(request).is_administrator

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Permission.CHANGE_ROSTER, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {**kwargs, "form": CourseForm}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "instructors")
        return ("name", "instructors_named", "student_count", "created", *(["removed_at"] if obj.removed_at else []))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    @admin.display(description="instructors")
    def instructors_named(self, course: Course) -> str:
        names = course.memberships.filter(role=Role.INSTRUCTOR).values_list("user__username", flat=True)
        return ", ".join(names[:LISTED]) or "none yet"

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [MemberInline] if obj and obj.staff + obj.students <= LISTED else []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        context["may_change_roster"] = obj is not None and self.has_change_permission(request, obj)
        context["is_listed"] = obj is not None and obj.staff + obj.students <= LISTED
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    # Writing, by the verbs

    def save_model(self, request: HttpRequest, obj: Course, form: Any, change: bool) -> None:
        if not change:
            names = form.cleaned_data["instructors"]
            made = services.create_course(form.cleaned_data["name"], names, by=actor_of(request))
            obj.pk = made.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.deleted_forms:
            if row.instance.pk:
                services.remove_member(row.instance, by=actor_of(request))
        for row in formset.initial_forms:
            if row.has_changed() and row not in formset.deleted_forms:
                change_member(request, row)
        for row in formset.extra_forms:
            if row.has_changed() and row not in formset.deleted_forms:
                services.add_member(form.instance, row.new_person, by=actor_of(request))
        if formset.gone:
            messages.warning(request, TAKEN_OFF_MEANWHILE)

    @admin.action(description="Put into the bin", permissions=["administer"])
    def put_into_bin(self, request: HttpRequest, queryset: QuerySet[Course]) -> HttpResponseBase | None:
        chosen = list(queryset.filter(removed_at=None))
        if "confirmed" not in request.POST:
            sentences = ["Nobody but administrators will see these courses. Everything in them is kept."]
            return confirmation(
                request, self, title="Put into the bin", sentences=sentences, rows=chosen, action="put_into_bin"
            )
        with transaction.atomic():
            for course in chosen:
                services.trash_course(course, by=actor_of(request))
        messages.success(request, f"{len(chosen)} courses are in the bin now.")
        return None

    @admin.action(description="Take out of the bin", permissions=["administer"])
    def take_out_of_bin(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        chosen = list(queryset.exclude(removed_at=None))
        with transaction.atomic():  # all or none, where one name is taken by now
            for course in chosen:
                services.restore_course(course, by=actor_of(request))
        messages.success(request, f"{len(chosen)} courses are out of the bin again.")

    @admin.action(description="Delete for good what is in the bin", permissions=["administer"])
    def delete_for_good(self, request: HttpRequest, queryset: QuerySet[Course]) -> HttpResponseBase | None:
        return delete_for_good(self, request, queryset)

    # Pages of our own

    def get_urls(self) -> list[URLPattern]:
        def own(address: str, view: Any, name: str) -> URLPattern:
            return path(f"<int:pk>/{address}", self.admin_site.admin_view(view), {"page": self}, name=name)

        return [
            own("import/", roster_files.import_roster, "import_roster"),
            own("roster.csv", roster_files.export_roster, "export_roster"),
            own("students-for-nbgrader.csv", roster_files.export_for_nbgrader, "export_for_nbgrader"),
            *super().get_urls(),
        ]

    def history_of(self, obj: Course) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(course=obj.name, at__gte=obj.created)
