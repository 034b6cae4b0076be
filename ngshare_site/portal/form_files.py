"""The files of a form, which are written to the staging folder and hashed while they arrive."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext as _

from courses.errors import DomainError, Invalid
from exchange.paths import MAX_PATH
from exchange.storage.folder import CHUNK
from exchange.storage.receiving import ReceivedFile, Receiver

IN_LIST = MAX_PATH + 76  # characters of a path in the list of paths, with its quotes
IN_FORM = IN_LIST + 400  # bytes of a form for each file beside its content: its header has its name, too


class BadForm(Invalid):
    """The form is not the one that the page has, or not all of it has arrived."""


class FormFiles(FileUploadHandler):
    """Django's upload handler that keeps no file in memory, and stops keeping them at the first error.

    The error is raised later: a browser shows an answer only after it has sent everything.
    """

    chunk_size = CHUNK

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._receiver = Receiver(folder)
        self._error: DomainError | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._try(lambda: self._receiver.begin(str(self.file_name)))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._try(lambda: self._receiver.write(raw_data))

    def file_complete(self, file_size: int) -> UploadedFile | None:
        self._try(self._receiver.end)
        return None  # the receiver has it

    def close(self) -> None:
        self._receiver.abandon()

    def files(self, sent_paths: str) -> list[ReceivedFile]:
        """Return what arrived. `sent_paths` is a JSON list of paths in the order of the files, or nothing.

        Without it, files have the names alone that browsers send. Errors: those of receiving, BadForm.
        """
        if self._error:
            raise self._error
        files = self._receiver.files
        if not sent_paths:
            return files
        if len(sent_paths) > IN_LIST * (len(files) + 1):  # before it is parsed into ten times as much
            raise BadForm(_("The list of paths is malformed."))
        try:
            paths = json.loads(sent_paths)
        except (ValueError, RecursionError) as error:
            raise BadForm(_("The list of paths is malformed.")) from error
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise BadForm(_("The list of paths is malformed."))
        if len(paths) != len(files):
            text = _("%(announced)d files were announced, and %(arrived)d have arrived. Submit again.")
            raise BadForm(text % {"announced": len(paths), "arrived": len(files)})
        return [ReceivedFile(path, file.staged) for path, file in zip(paths, files, strict=True)]

    def _try(self, act: Callable[[], None]) -> None:
        if self._error is None:
            try:
                act()
            except DomainError as error:
                self._receiver.abandon()
                self._error = error
