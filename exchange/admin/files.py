"""The admin's pages of objects with files: a table of them, each to open or download, all of them as a zip."""

from datetime import datetime

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.admin.base import BaseAdmin, M
from courses.admin.search import filter_rows, words_of
from courses.sizes import readable_size
from exchange import file_responses
from exchange.admin.search import NEWEST, has_more_than_newest, is_path
from exchange.models import FileEntry, FileSet
from exchange.storage.archives import ArchiveFolder

MAX_FILES = 500  # of a file set on one page
FILE_ROW = (
    '<tr><th scope="row"><a href="{}" target="_blank" rel="noopener">{}</a></th><td>{}</td>'
    '<td><code title="{}">{}…</code></td><td><a href="{}" aria-label="{}">{}</a></td></tr>'
)
FILE_TABLE = (
    '<div><table><thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">SHA-256</th>'
    '<th scope="col">{}</th></tr></thead><tbody>{}</tbody></table>'
    '<p>{} <a href="{}">{}</a></p></div>'
)


class FilesAdmin(BaseAdmin[M]):
    """Objects that have a file set. Nobody changes them."""

    def file_set_of(self, obj: M) -> FileSet:
        return obj.file_set  # type: ignore[attr-defined]

    def folder_of(self, obj: M) -> str:
        """Return the name of its zip, and of the folder in it."""
        raise NotImplementedError

    def reading_route(self, obj: M) -> tuple[str, int] | None:
        """Return the name of the portal's address of one of its files, and what stands there before the path.

        None where the portal does not show them: then its files open as they are.
        """
        return None

    def created_at(self, obj: M) -> datetime:
        """Return the time that the files in its zip get."""
        return obj.created  # type: ignore[attr-defined]

    def archive_folder_of(self, obj: M) -> ArchiveFolder:
        return ArchiveFolder(self.file_set_of(obj), self.folder_of(obj), self.created_at(obj))

    # Search

    def condition_for(self, word: str, rows: QuerySet[M]) -> Q:
        """Return where a word of a search in these rows is found."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        found = queryset  # where paths are looked for
        for word in filter(lambda word: not is_path(word), words_of(search_term)):
            found = found.filter(self.condition_for(word, queryset))
        rows = filter_rows(
            queryset, search_term, lambda word: self.condition_for(word, found if is_path(word) else queryset)
        )
        if any(map(is_path, words_of(search_term))) and has_more_than_newest(found):
            messages.info(
                request,
                _(
                    "Paths were looked for in the newest %(newest)s rows. To find them in older ones, choose "
                    "a course, or add a student or an assignment to the search."
                )
                % {"newest": number_format(NEWEST, force_grouping=True)},
            )
        return rows, False

    # Views

    def view_name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"

    def address(self, obj: Model, view: str, *path: str) -> str:
        return reverse(f"admin:{self.view_name(view)}", args=[obj.pk, *path])

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/open/<path:path>", wrap(self.open_view), name=self.view_name("open")),
            path("<int:pk>/download/<path:path>", wrap(self.download_view), name=self.view_name("download")),
            path("<int:pk>/files.zip", wrap(self.zip_view), name=self.view_name("zip")),
            *super().get_urls(),
        ]

    def open_view(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:
        return file_responses.open_file(self._get_entry(request, pk, path))

    def download_view(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:
        return file_responses.download_file(self._get_entry(request, pk, path))

    def zip_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        obj = self.get_visible_object(request, pk)
        return file_responses.download_zip([self.archive_folder_of(obj)], self.folder_of(obj))

    def _get_entry(self, request: HttpRequest, pk: int, path: str) -> FileEntry:
        file_set = self.file_set_of(self.get_visible_object(request, pk))
        entry = file_set.entries.select_related("blob").filter(path=path).first()
        if entry is None:
            raise Http404
        return entry

    @admin.display(description=gettext_lazy("files"))
    def files(self, obj: M) -> SafeString:
        """Render the table of files, as a field."""
        file_set, route = self.file_set_of(obj), self.reading_route(obj)
        rows = [
            (
                reverse(route[0], args=[route[1], entry.path]) if route else self.address(obj, "open", entry.path),
                entry.path,
                readable_size(entry.blob.size),
                entry.blob.sha256,
                entry.blob.sha256[:12],
                self.address(obj, "download", entry.path),
                _("Download %(path)s") % {"path": entry.path},
                _("Download"),
            )
            for entry in file_set.entries.select_related("blob")[:MAX_FILES]
        ]
        hidden = file_set.file_count - len(rows)
        return format_html(
            FILE_TABLE,
            _("File"),
            _("Size"),
            _("Download"),
            format_html_join("", FILE_ROW, rows),
            _("… and %(count)s more.") % {"count": hidden} if hidden > 0 else "",
            self.address(obj, "zip"),
            _("Download all as a zip"),
        )
