"""How large the body of a request may be. ngshare_site.middleware refuses what is larger before anything reads it.

A form is small: decoding one takes up to eighty times its size in memory, and Django does it before a view sees who
asks. A view that takes more says so, for the one kind of body that it reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

MAX_FORM = 400_000  # bytes; the largest form asks whether to remove all members of a course
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class BodyLimit:
    """What a view takes beyond a form."""

    size: Callable[[], int | None]  # bytes; None where the view bounds what it reads itself, piece by piece
    media_type: str = ""  # of the bodies that may be so large; empty for any
    hint: str = ""  # what to do about a body that is too large

    def of(self, content_type: str) -> int | None:
        """Return how many bytes a body of this content type may have; None for any number.

        >>> limit = BodyLimit(lambda: 10**7, "text/csv")
        >>> limit.of("text/csv; charset=utf-8"), limit.of("application/x-www-form-urlencoded")
        (10000000, 400000)
        """
        if self.media_type and content_type.partition(";")[0].strip().lower() != self.media_type:
            return MAX_FORM
        return self.size()


FORM = BodyLimit(lambda: MAX_FORM)


def limit_body(size: Callable[[], int | None], media_type: str = "", *, hint: str = "") -> Callable[[View], View]:
    """Decorate a view, or a class of views, whose bodies of this media type may have `size` bytes."""

    def decorate(view: View) -> View:
        view.body_limit = BodyLimit(size, media_type, hint)  # type: ignore[attr-defined]
        return view

    return decorate


def limit_of(view: Callable[..., Any]) -> BodyLimit:
    """Return the limit of a view; Django REST framework's have a class, `cls`, that may be decorated."""
    limit: BodyLimit = getattr(getattr(view, "cls", view), "body_limit", FORM)
    return limit
