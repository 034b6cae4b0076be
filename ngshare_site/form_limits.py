"""How many files a form may have."""

from typing import Any

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

MAX_FILES = 100  # Django's own limit; each may be an open file until the request ends


class FewFiles(FileUploadHandler):
    """Django's upload handler that refuses a form of many files. The form to submit has a handler of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._count = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._count += 1
        if self._count > MAX_FILES:
            raise TooManyFilesSent(f"A form may have {MAX_FILES} files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None
