"""The admin's pages of assignments and their releases."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from courses.admin.base import CourseFilter, RowsOfCourses
from courses.admin.deletion import delete_for_good
from courses.models import AuditEntry
from courses.permissions import Permission, actor_of
from exchange import services
from exchange.admin import progress
from exchange.admin.base import TreePage, change_address, count_of, links
from exchange.models import Assignment, Release, Submission
from exchange.storage.file_sets import readable_size


class Withdrawn(admin.SimpleListFilter):
    """Also for submissions; what is withdrawn is in the bin."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("released", "Released"), ("withdrawn", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(withdrawn_at__isnull=self.value() == "released") if self.value() else queryset


class AssignmentAdmin(RowsOfCourses):
    list_display = ("name", "course", "state", "due", "release_count", "hand_ins")
    list_filter = (CourseFilter, Withdrawn)
    list_select_related = ("course",)
    search_fields = ("name", "course__name")
    search_help_text = "Search by assignment or course"
    ordering = ("course__name", "name")
    fields = ("name", "course", "due", "state", "releases", "hand_ins", "created")
    readonly_fields = ("name", "course", "state", "releases", "hand_ins", "created")
    actions = ("withdraw", "restore", "delete_for_good")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return (
            super()
            .get_queryset(request)
            .annotate(releases_made=count_of(Release, "assignment"), handed_in=count_of(Submission, "assignment"))
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Permission.RELEASE, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        said = {"due": "In UTC. A release with nbgrader sets it to what the gradebook says."}
        return super().get_form(request, obj, change, **{"help_texts": said, **kwargs})

    @admin.display(description="state")
    def state(self, assignment: Assignment) -> str:
        if assignment.withdrawn_at:
            return f"withdrawn since {assignment.withdrawn_at:%Y-%m-%d %H:%M}"
        return "released"

    @admin.display(description="releases", ordering="releases_made")
    def release_count(self, assignment: Any) -> int:
        return assignment.releases_made

    @admin.display(description="hand-ins", ordering="handed_in")
    def hand_ins(self, assignment: Any) -> SafeString:
        where = reverse("admin:exchange_submission_changelist")
        return format_html(
            '<a href="{}?course={}&amp;assignment={}">{}</a>',
            where,
            assignment.course_id,
            assignment.pk,
            assignment.handed_in,
        )

    @admin.display(description="releases")
    def releases(self, assignment: Assignment) -> SafeString | str:
        made = assignment.releases.select_related("file_set").order_by("-number")
        return links(
            [
                (
                    change_address(one),
                    f"release {one.number} of {one.created:%Y-%m-%d %H:%M}: {one.file_set.file_count} files, "
                    f"{readable_size(one.file_set.size)}",
                )
                for one in made
            ]
        )

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        if "due" in form.changed_data:
            services.set_due_date(obj, form.cleaned_data["due"], by=actor_of(request))

    @admin.action(description="Withdraw (hide from students)", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        with transaction.atomic():  # all or none, where one of them is of a course in which the person only looks
            for assignment in queryset:
                services.withdraw(assignment, by=actor_of(request))
        if queryset:
            messages.success(request, "Withdrawn. Everything is kept; restoring or releasing again brings it back.")

    @admin.action(description="Restore (show again)", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        with transaction.atomic():
            for assignment in queryset:
                services.restore(assignment, by=actor_of(request))
        if queryset:
            messages.success(request, "Restored.")

    @admin.action(description="Delete for good what is withdrawn", permissions=["administer"])
    def delete_for_good(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> HttpResponseBase | None:
        return delete_for_good(self, request, queryset)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("status/<int:pk>/", self.admin_site.admin_view(progress.table), {"page": self}, name="status"),
            path("status/<int:pk>/status.csv", self.admin_site.admin_view(progress.as_csv), name="status_csv"),
            *super().get_urls(),
        ]

    def history_of(self, obj: Assignment) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(course=obj.course.name, target=obj.name, at__gte=obj.created)


class ReleaseAdmin(TreePage):
    course_path = "assignment__course"
    list_display = ("assignment", "number", "created", "released_by", "file_count", "size")
    list_filter = (CourseFilter, "created")
    list_select_related = ("assignment__course", "file_set", "released_by")
    search_fields = ("assignment__name", "assignment__course__name")
    search_help_text = "Search by assignment, course, digest, or a file's path or hash"
    ordering = ("-pk",)
    fields = readonly_fields = ("assignment", "number", "created", "sender", "digest", "files")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="released by")
    def sender(self, release: Release) -> str:
        return str(release.released_by or "nobody who is known")

    @admin.display(description="files")
    def file_count(self, release: Release) -> int:
        return release.file_set.file_count

    @admin.display(description="size", ordering="file_set__size")
    def size(self, release: Release) -> str:
        return readable_size(release.file_set.size)

    @admin.display(description="digest")
    def digest(self, release: Release) -> str:
        return release.file_set.digest

    def folder_of(self, obj: Release) -> str:
        return f"{obj.assignment.name} release {obj.number}"
