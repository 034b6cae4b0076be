"""What the admin's pages of things with files share: the table of files, each to open or download, all as a zip."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from courses.admin.base import RowsOfCourses
from exchange import file_responses
from exchange.admin import search
from exchange.models import FileEntry, FileSet
from exchange.storage.archives import ArchiveFolder
from exchange.storage.file_sets import readable_size

LISTED = 500  # files of a tree on one page


class TreePage(RowsOfCourses):
    """A thing that has a file set. Nobody changes it."""

    def file_set_of(self, obj: Any) -> FileSet:
        return obj.file_set

    def folder_of(self, obj: Any) -> str:
        """What its zip is called, and the folder in it."""
        raise NotImplementedError

    def moment_of(self, obj: Any) -> datetime:
        return obj.created

    def matching(self, word: str) -> Q:
        """What a word of a search finds: in the columns of `search_fields`, or in the files."""
        return search.in_columns(map(str, self.search_fields), word) | search.in_files(word)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return search.narrowed(queryset, search_term, self.matching), False

    def address(self, obj: Any, act: str, *rest: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{act}", args=[obj.pk, *rest])

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"

        def own(address: str, view: Callable[..., HttpResponseBase], act: str) -> URLPattern:
            return path(f"<int:pk>/{address}", self.admin_site.admin_view(view), name=f"{name}_{act}")

        return [
            own("open/<path:path>", self.open_view, "open"),
            own("download/<path:path>", self.download_view, "download"),
            own("files.zip", self.zip_view, "zip"),
            *super().get_urls(),
        ]

    def open_view(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:
        return file_responses.open_file(self._entry(request, pk, path))

    def download_view(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:
        return file_responses.download_file(self._entry(request, pk, path))

    def zip_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        obj = self.seen(request, pk)
        return file_responses.download_zip([self.tree_of(obj)], self.folder_of(obj))

    def tree_of(self, obj: Any) -> ArchiveFolder:
        return ArchiveFolder(self.file_set_of(obj), self.folder_of(obj), self.moment_of(obj))

    def _entry(self, request: HttpRequest, pk: int, path: str) -> FileEntry:
        file_set = self.file_set_of(self.seen(request, pk))
        entry = file_set.entries.select_related("blob").filter(path=path).first()
        if entry is None:
            raise Http404
        return entry

    def files(self, obj: Any) -> SafeString:
        """A field: the table of files."""
        file_set = self.file_set_of(obj)
        rows = [
            (
                self.address(obj, "open", entry.path),
                entry.path,
                readable_size(entry.blob.size),
                entry.blob.sha256,
                entry.blob.sha256[:12],
                self.address(obj, "download", entry.path),
                entry.path,
            )
            for entry in file_set.entries.select_related("blob")[:LISTED]
        ]
        row = (
            '<tr><th scope="row"><a href="{}" target="_blank" rel="noopener">{}</a></th><td>{}</td>'
            '<td><code title="{}">{}…</code></td><td><a href="{}" aria-label="Download {}">Download</a></td></tr>'
        )
        more = file_set.file_count - len(rows)
        return format_html(
            '<div><table><thead><tr><th scope="col">File</th><th scope="col">Size</th><th scope="col">SHA-256</th>'
            '<th scope="col"></th></tr></thead><tbody>{}</tbody></table>'
            '<p>{}<a href="{}">Download all as a zip</a></p></div>',
            format_html_join("", row, rows),
            f"… and {more} more. " if more > 0 else "",
            self.address(obj, "zip"),
        )


def count_of(model: Any, column: str) -> Any:
    """How many rows of the model point at a row by this column; as a query of its own, for joins would multiply."""
    rows = model.objects.filter(**{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)


def links(rows: list[tuple[str, Any]]) -> SafeString | str:
    """[(address, what)] as links, one on each line."""
    return format_html_join("", '<div><a href="{}">{}</a></div>', rows) or "none"


def change_address(one: Any) -> str:
    return reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_change", args=[one.pk])
