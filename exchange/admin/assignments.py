"""The admin's pages of assignments and their releases."""

from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from courses.admin.base import CourseScopedAdmin
from courses.admin.deletion import TrashAdmin
from courses.admin.filters import CourseFilter
from courses.admin.lists import count_of
from courses.admin.search import filter_rows
from courses.models import AuditEntry
from courses.permissions import Actor, actor_of
from courses.sizes import readable_size
from courses.templatetags.times import local
from exchange import services
from exchange.admin import search
from exchange.admin.base import change_address, render_links
from exchange.admin.extension_files import ExtensionFilesAdmin
from exchange.admin.extensions import DeadlinesAdmin
from exchange.admin.files import FilesAdmin
from exchange.admin.progress import ProgressAdmin
from exchange.models import Assignment, Extension, FileSet, Release, Submission
from exchange.services.solutions import present_solutions


class ReleasedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("released", gettext("Released")), ("unreleased", gettext("Unreleased"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> QuerySet[Assignment]:
        return queryset.filter(withdrawn_at__isnull=self.value() == "released") if self.value() else queryset


@admin.register(Assignment)
class AssignmentAdmin(DeadlinesAdmin, ExtensionFilesAdmin, ProgressAdmin, TrashAdmin[Assignment]):
    list_display = ("name", "course", "state", "due_date", "extension_count", "release_count", "submission_count")
    list_filter = (CourseFilter, ReleasedFilter)
    list_select_related = ("course",)
    search_fields = ("name", "course__name")
    search_help_text = _("Search by assignment or course")
    ordering = ("course__name", "name")
    readonly_fields = ("name", "course", "state", "solution", "releases", "submission_count", "created")
    fields = (
        "name",
        "course",
        "state",
        *services.DEADLINE_FIELDS,
        "solution",
        "releases",
        "submission_count",
        "created",
    )
    actions = ("unrelease", "restore", "delete_permanently")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Assignment], search_term: str
    ) -> tuple[QuerySet[Assignment], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        return filter_rows(queryset, search_term, search.of_assignments), False

    def delete_row(self, row: Assignment, *, by: Actor) -> dict[str, int]:
        return services.delete_assignment_permanently(row, by=by)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                releases_made=count_of(Release, "assignment"),
                submissions_made=count_of(Submission, "assignment"),
                extensions_made=count_of(Extension, "assignment"),
            )
        )

    @admin.display(description=_("state"))
    def state(self, assignment: Assignment) -> str:
        zone = assignment.course.zone
        if assignment.release_at and not assignment.withdrawn_at and not assignment.is_shown:
            return gettext("to be released on %(time)s") % {"time": local(assignment.release_at, zone)}
        if assignment.withdrawn_at:
            return gettext("unreleased since %(time)s") % {"time": local(assignment.withdrawn_at, zone)}
        return gettext("released")

    @admin.display(description=_("due"), ordering="due")
    def due_date(self, assignment: Assignment) -> str:
        return local(assignment.due, assignment.course.zone)

    @admin.display(description=_("extensions"), ordering="extensions_made")
    def extension_count(self, assignment: Assignment) -> int:
        return assignment.extensions_made  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("solution"))
    def solution(self, assignment: Assignment) -> str:
        solution = present_solutions(assignment).select_related("file_set", "added_by").first()
        if solution is None:
            return gettext("none")
        text = ngettext(
            "%(count)d file, %(size)s, added by %(person)s on %(time)s; students may fetch it after their cut-off, "
            "or their due date without one",
            "%(count)d files, %(size)s, added by %(person)s on %(time)s; students may fetch it after their cut-off, "
            "or their due date without one",
            solution.file_set.file_count,
        )
        person, time = solution.added_by or pgettext("by", "the server"), local(solution.created)
        return text % {**_count(solution.file_set), "person": person, "time": time}

    @admin.display(description=_("releases"), ordering="releases_made")
    def release_count(self, assignment: Assignment) -> int:
        return assignment.releases_made  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("submissions"), ordering="submissions_made")
    def submission_count(self, assignment: Assignment) -> SafeString:
        return format_html(
            '<a href="{}?course={}&amp;assignment={}">{}</a>',
            reverse("admin:exchange_submission_changelist"),
            assignment.course_id,
            assignment.pk,
            assignment.submissions_made,  # type: ignore[attr-defined]  # annotated
        )

    @admin.display(description=_("releases"))
    def releases(self, assignment: Assignment) -> SafeString | str:
        releases = assignment.releases.select_related("file_set").order_by("-number")
        return render_links([(change_address(release), _describe(release)) for release in releases])

    @admin.action(description=_("Unrelease (hide from students)"), permissions=["release"])
    def unrelease(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        count = sum(assignment.withdrawn_at is None for assignment in queryset)
        with transaction.atomic():  # all or none, also where one is of a course in which the person only looks
            for assignment in queryset:
                services.unrelease(assignment, by=actor_of(request))
        text = ngettext(
            "%d assignment was unreleased. Everything is kept; restore or release it to show it again.",
            "%d assignments were unreleased. Everything is kept; restore or release it to show it again.",
            count,
        )
        self.tell_count(request, count, text % count, already=gettext("What you chose is unreleased already."))

    @admin.action(description=_("Restore (show to students again)"), permissions=["release"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        count = sum(assignment.withdrawn_at is not None for assignment in queryset)
        with transaction.atomic():
            for assignment in queryset:
                services.restore(assignment, by=actor_of(request))
        text = ngettext("%d assignment was restored.", "%d assignments were restored.", count)
        self.tell_count(request, count, text % count, already=gettext("What you chose is released already."))

    def history_of(self, obj: Assignment) -> QuerySet[AuditEntry]:
        submissions = Q(object_type="submission", object_id__in=obj.submissions.order_by().values("pk"))
        own = Q(object_type="assignment", object_id=obj.pk)
        return AuditEntry.objects.filter(own | submissions, course_id=obj.course_id)


def _describe(release: Release) -> str:
    text = ngettext(
        "release %(number)s of %(time)s: %(count)d file, %(size)s",
        "release %(number)s of %(time)s: %(count)d files, %(size)s",
        release.file_set.file_count,
    )
    return text % {**_count(release.file_set), "number": release.number, "time": local(release.created)}


def _count(file_set: FileSet) -> dict[str, object]:
    return {"count": file_set.file_count, "size": readable_size(file_set.size)}


@admin.register(Release)
class ReleaseAdmin(FilesAdmin[Release], CourseScopedAdmin[Release]):
    course_path = "assignment__course"
    list_display = ("assignment", "number", "created", "released_by", "file_count", "size")
    list_filter = (CourseFilter, "created")
    list_select_related = ("assignment__course", "file_set", "released_by")
    search_fields = ("assignment__name", "assignment__course__name")
    search_help_text = format_lazy(
        _(
            "Search by assignment, course, digest, a file's hash, "
            "or a part of a file's path (in the newest {count} of the list)"
        ),
        count=search.NEWEST_COUNT,
    )
    ordering = ("-pk",)
    fields = readonly_fields = ("assignment", "number", "created", "sender", "digest", "files")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def history_of(self, obj: Release) -> QuerySet[AuditEntry]:
        own = AuditEntry.objects.filter(object_type="assignment", object_id=obj.assignment_id, action="release")
        return own.filter(details__number=obj.number)

    @admin.display(description=_("released by"))
    def sender(self, release: Release) -> str:
        return str(release.released_by or gettext("unknown"))

    @admin.display(description=_("files"))
    def file_count(self, release: Release) -> int:
        return release.file_set.file_count

    @admin.display(description=_("size"), ordering="file_set__size")
    def size(self, release: Release) -> str:
        return readable_size(release.file_set.size)

    @admin.display(description=_("digest"))
    def digest(self, release: Release) -> str:
        return release.file_set.digest

    def condition_for(self, word: str, rows: QuerySet[Release]) -> Q:
        by_person = Q(released_by__username__icontains=word)
        return by_person | search.of_assignment(word, "assignment") | search.in_files(word, rows)

    def reading_route(self, obj: Release) -> tuple[str, int] | None:
        return None if obj.assignment.course.removed_at else ("release-file", obj.pk)

    def folder_of(self, obj: Release) -> str:
        return f"{obj.assignment.name} release {obj.number}"
