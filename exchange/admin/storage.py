"""The admin's pages of file sets and blobs, for administrators: where bytes are used, and whether they are whole."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from courses.admin.base import Page
from exchange.admin import search
from exchange.admin.base import TreePage, change_address, count_of, links
from exchange.models import Blob, Feedback, FileEntry, FileSet, Release, Submission
from exchange.storage import blobs, file_sets
from exchange.storage.file_sets import readable_size

LISTED = 100  # places where something is used, on one page
VERIFIED = 2_000_000_000  # bytes that are read in one request


class FileSetAdmin(TreePage):
    list_display = ("short_digest", "file_count", "readable", "releases_made", "handed_in", "given_back")
    search_fields = ("digest",)
    search_help_text = "Search by digest, a file's path or hash, student, assignment or course"
    ordering = ("-pk",)
    fields = readonly_fields = ("digest", "file_count", "readable", "used_by", "files")
    actions = ("verify",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Page.has_view_permission(self, request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileSet]:
        rows = Page.get_queryset(self, request)
        return rows.annotate(
            releases_made_count=count_of(Release, "file_set"),
            handed_in_count=count_of(Submission, "file_set"),
            given_back_count=count_of(Feedback, "file_set"),
        )

    def matching(self, word: str) -> Q:
        return search.of_file_sets(word)

    @admin.display(description="digest")
    def short_digest(self, file_set: FileSet) -> str:
        return f"{file_set.digest[:16]}…"

    @admin.display(description="size", ordering="size")
    def readable(self, file_set: FileSet) -> str:
        return readable_size(file_set.size)

    @admin.display(description="releases")
    def releases_made(self, file_set: Any) -> int:
        return file_set.releases_made_count

    @admin.display(description="hand-ins")
    def handed_in(self, file_set: Any) -> int:
        return file_set.handed_in_count

    @admin.display(description="feedback")
    def given_back(self, file_set: Any) -> int:
        return file_set.given_back_count

    @admin.display(description="used by")
    def used_by(self, file_set: FileSet) -> SafeString | str:
        releases = file_set.releases.select_related("assignment__course")[:LISTED]
        submissions = file_set.submissions.select_related("assignment__course", "student")[:LISTED]
        feedbacks = file_set.feedbacks.select_related("submission__assignment__course", "submission__student")[:LISTED]
        return links([(change_address(one), str(one)) for one in (*releases, *submissions, *feedbacks)])

    @admin.action(description="Verify the bytes of every file", permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[FileSet]) -> None:
        verify(self, request, Blob.objects.filter(entries__file_set__in=queryset.values("pk")).distinct())

    def folder_of(self, obj: FileSet) -> str:
        return obj.digest[:16]

    def moment_of(self, obj: FileSet) -> Any:
        return timezone.now()

    def file_set_of(self, obj: FileSet) -> FileSet:
        return obj


class BlobAdmin(Page):
    list_display = ("short_hash", "readable", "stored", "touched", "files_made")
    list_filter = ("stored", "touched")
    search_fields = ("sha256", "md5")
    search_help_text = "Search by SHA-256, MD5, a file's path, student, assignment or course"
    ordering = ("-pk",)
    fields = readonly_fields = ("sha256", "md5", "readable", "stored", "touched", "used_by")
    actions = ("verify",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Blob]:
        return super().get_queryset(request).annotate(files_count=count_of(FileEntry, "blob"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return search.narrowed(queryset, search_term, search.of_blobs), False

    @admin.display(description="SHA-256", ordering="sha256")
    def short_hash(self, blob: Blob) -> str:
        return f"{blob.sha256[:16]}…"

    @admin.display(description="size", ordering="size")
    def readable(self, blob: Blob) -> str:
        return readable_size(blob.size)

    @admin.display(description="files", ordering="files_count")
    def files_made(self, blob: Any) -> int:
        return blob.files_count

    @admin.display(description="used by")
    def used_by(self, blob: Blob) -> SafeString | str:
        entries = blob.entries.select_related("file_set")[:LISTED]
        return links([(change_address(one.file_set), f"{one.path} in {one.file_set}") for one in entries])

    @admin.action(description="Verify the bytes", permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Blob]) -> None:
        verify(self, request, queryset)


def verify(page: Page, request: HttpRequest, rows: QuerySet[Blob]) -> None:
    """Read the bytes and compare them with their hash; tell what is not whole, and let nobody count on it."""
    total = rows.aggregate(size=Sum("size"))["size"] or 0
    if total > VERIFIED:
        messages.error(
            request,
            f"These are {readable_size(total)}: choose {readable_size(VERIFIED)} or less at once.",
        )
        return
    broken = [blob for blob in rows if not blobs.verify(blob.sha256)]
    for blob in broken:
        file_sets.mark_missing(blob)
    file_sets.mark_present({blob.sha256 for blob in rows} - {blob.sha256 for blob in broken})
    for blob in broken[:LISTED]:
        messages.error(
            request,
            f"The bytes of {blob.sha256} are not whole, or gone. Bring them back from a backup and verify them again; "
            "the next upload that sends them heals it, too.",
        )
    if len(broken) > LISTED:
        messages.error(request, f"… and {len(broken) - LISTED} more.")
    if not broken:
        messages.success(request, f"All is whole: {readable_size(total)} were read.")
