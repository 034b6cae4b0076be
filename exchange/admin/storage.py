"""The admin's pages of file sets and blobs, for administrators: where bytes are used, and whether they are intact."""

from datetime import datetime

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.admin.base import BaseAdmin
from courses.admin.lists import count_of
from courses.admin.search import filter_rows
from courses.permissions import actor_of
from courses.sizes import readable_size
from exchange import usage
from exchange.admin import search
from exchange.admin.base import change_address, render_links
from exchange.admin.files import FilesAdmin
from exchange.models import Blob, Feedback, FileEntry, FileSet, Release, Submission
from exchange.storage import verification

MAX_USES = 100  # of one object on one page
MAX_VERIFIED = 2_000_000_000  # bytes read in one request


@admin.register(FileSet)
class FileSetAdmin(FilesAdmin[FileSet]):
    list_display = ("short_digest", "file_count", "readable", "release_count", "submission_count", "feedback_count")
    search_fields = ("digest",)
    search_help_text = format_lazy(
        _(
            "Search by digest, student, assignment, course, a file's hash, or a part of a file's path (in the newest "
            "{count} of the list)"
        ),
        count=search.NEWEST_COUNT,
    )
    ordering = ("-pk",)
    fields = readonly_fields = ("digest", "file_count", "readable", "used_by", "files")
    actions = ("verify",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileSet]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                releases_made=count_of(Release, "file_set"),
                submissions_made=count_of(Submission, "file_set"),
                feedback_returned=count_of(Feedback, "file_set"),
            )
        )

    def condition_for(self, word: str, rows: QuerySet[FileSet]) -> Q:
        return search.of_file_sets(word, rows)

    @admin.display(description=_("digest"))
    def short_digest(self, file_set: FileSet) -> str:
        return f"{file_set.digest[:16]}…"

    @admin.display(description=_("size"), ordering="size")
    def readable(self, file_set: FileSet) -> str:
        return readable_size(file_set.size)

    @admin.display(description=_("releases"))
    def release_count(self, file_set: FileSet) -> int:
        return file_set.releases_made  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("submissions"))
    def submission_count(self, file_set: FileSet) -> int:
        return file_set.submissions_made  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("feedback"))
    def feedback_count(self, file_set: FileSet) -> int:
        return file_set.feedback_returned  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("used by"))
    def used_by(self, file_set: FileSet) -> SafeString | str:
        releases = file_set.releases.select_related("assignment__course")[:MAX_USES]
        submissions = file_set.submissions.select_related("assignment__course", "student")[:MAX_USES]
        feedbacks = file_set.feedbacks.select_related("submission__assignment__course", "submission__student")[
            :MAX_USES
        ]
        solutions = file_set.solutions.select_related("assignment__course")[:MAX_USES]
        uses = [(change_address(use), str(use)) for use in (*releases, *submissions, *feedbacks)]
        return render_links([*uses, *((change_address(use.assignment), str(use)) for use in solutions)])

    @admin.action(description=_("Verify the bytes of every file"), permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[FileSet]) -> None:
        verify_blobs(request, Blob.objects.filter(entries__file_set__in=queryset.values("pk")).distinct())

    def folder_of(self, obj: FileSet) -> str:
        return obj.digest[:16]

    def created_at(self, obj: FileSet) -> datetime:
        return timezone.now()

    def file_set_of(self, obj: FileSet) -> FileSet:
        return obj


class FaultFilter(admin.SimpleListFilter):
    title = _("fault")
    parameter_name = "fault"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("any", gettext("missing or damaged"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Blob]) -> QuerySet[Blob]:
        return queryset.filter(pk__in=usage.missing_blobs().values("pk")) if self.value() else queryset


@admin.register(Blob)
class BlobAdmin(BaseAdmin[Blob]):
    list_display = ("short_hash", "readable", "stored", "fault", "touched", "verified", "file_count")
    list_filter = (FaultFilter, "stored", "touched")
    search_fields = ("sha256", "md5")
    search_help_text = format_lazy(
        _(
            "Search by SHA-256, whole MD5, student, assignment, course, or a part of a file's path (in the newest "
            "{count} of the list)"
        ),
        count=search.NEWEST_COUNT,
    )
    ordering = ("-pk",)
    fields = readonly_fields = (
        *("whole_hash", "whole_md5", "readable", "stored", "fault", "touched", "verified"),
        "used_by",
    )
    actions = ("verify",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Blob]:
        return super().get_queryset(request).annotate(files_made=count_of(FileEntry, "blob"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Blob], search_term: str
    ) -> tuple[QuerySet[Blob], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        return filter_rows(queryset, search_term, lambda word: search.of_blobs(word, queryset)), False

    @admin.display(description=_("SHA-256"), ordering="sha256")
    def short_hash(self, blob: Blob) -> str:
        return f"{blob.sha256[:16]}…"

    @admin.display(description=_("SHA-256"))
    def whole_hash(self, blob: Blob) -> str:
        return blob.sha256

    @admin.display(description="MD5")
    def whole_md5(self, blob: Blob) -> str | None:
        return blob.md5

    @admin.display(description=_("size"), ordering="size")
    def readable(self, blob: Blob) -> str:
        return readable_size(blob.size)

    @admin.display(description=_("files"))  # not to sort by: that would count the uses of every blob
    def file_count(self, blob: Blob) -> int:
        return blob.files_made  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("used by"))
    def used_by(self, blob: Blob) -> SafeString | str:
        entries, text = blob.entries.select_related("file_set")[:MAX_USES], gettext("%(path)s in %(file_set)s")
        return render_links(
            [(change_address(each.file_set), text % {"path": each.path, "file_set": each.file_set}) for each in entries]
        )

    @admin.action(description=_("Verify the bytes"), permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Blob]) -> None:
        verify_blobs(request, queryset)


def verify_blobs(request: HttpRequest, rows: QuerySet[Blob]) -> None:
    """Read the bytes, compare them with their hashes, report what is damaged, and mark it as missing."""
    total = rows.aggregate(size=Sum("size"))["size"] or 0
    if total > MAX_VERIFIED:
        limit = readable_size(MAX_VERIFIED)
        messages.error(
            request,
            gettext("The chosen rows have %(size)s. Choose %(limit)s or less at once.")
            % {"size": readable_size(total), "limit": limit},
        )
        return
    damaged = verification.verify(list(rows), by=actor_of(request))
    for blob in damaged[:MAX_USES]:
        messages.error(
            request,
            gettext(
                "The bytes of %(sha256)s are damaged or missing. Restore them from a backup and verify "
                "them again; the next upload that sends them repairs them, too."
            )
            % {"sha256": blob.sha256},
        )
    if len(damaged) > MAX_USES:
        messages.error(request, gettext("… and %(count)s more.") % {"count": len(damaged) - MAX_USES})
    if not damaged:
        messages.success(request, gettext("No damage found in %(size)s.") % {"size": readable_size(total)})
