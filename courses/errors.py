"""What services refuse, as exceptions. HTTP statuses for them exist in the api folders and in views alone.

Each carries one sentence that a person can act on, and details for programs.
"""

from typing import ClassVar


class DomainError(Exception):
    """A request was refused and nothing was changed."""

    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class PermissionDenied(DomainError):
    code = "permission_denied"


class NotFound(DomainError):
    code = "not_found"


class Invalid(DomainError):
    """A value breaks a rule."""


class TooLarge(DomainError):
    """A file, a body or a submission is larger than the site allows."""

    code = "too_large"


class Conflict(DomainError):
    """The present state forbids the change; `code` says which state."""

    code = "conflict"


class AlreadyExists(Conflict):
    code = "already_exists"


class TooOften(DomainError):
    """Somebody did this too often; it is allowed again after some time."""

    code = "too_often"

    def __init__(self, message: str, *, retry_after: int, **details: object) -> None:
        super().__init__(message, retry_after=retry_after, **details)
        self.retry_after = retry_after  # seconds


class BytesLost(DomainError):
    """The store no longer has what was stored; a repeat does not help."""

    code = "bytes_lost"


class StorageFull(DomainError):
    """The server has no space left, on the disk of the database or of the store."""

    code = "storage_full"


class TryAgain(DomainError):
    """The request lost a race, or something is out of reach for a moment; repeating it is safe."""

    code = "busy"
