"""What can be refused, as exceptions. HTTP statuses for them exist in the api folders alone.

Each carries one sentence that a person can act on, and details for programs.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """Something asked for was refused and nothing was changed."""

    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class PermissionDenied(Refusal):
    code = "permission_denied"


class NotThere(Refusal):
    code = "not_found"


class Invalid(Refusal):
    """A value that breaks a rule."""


class Conflict(Refusal):
    """The state of things forbids it, `code` says which."""

    code = "conflict"


class AlreadyExists(Conflict):
    code = "already_exists"


class Busy(Refusal):
    """Lost a race; a repeat is safe."""

    code = "busy"
