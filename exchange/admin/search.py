"""Searching the lists of objects with files: by an object's own columns, and by its files.

The words of a search are looked for one by one, and each must be found; a quoted text is one word.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from exchange.models import Feedback, FileEntry, Release, Submission

M = TypeVar("M", bound=Model)
MIN_HASH_DIGITS = 8  # on lists where most words are names


def filter_rows(rows: QuerySet[M], search_term: str, condition_for: Callable[[str], Q]) -> QuerySet[M]:
    """Return the rows in which every word is found, or the whole search term: a path may have spaces."""
    words = [_unquote(word) for word in smart_split(search_term)]
    if not words:
        return rows
    every = Q()
    for word in words:
        every &= condition_for(word)
    return rows.filter(every if len(words) == 1 else every | condition_for(search_term.strip()))


def _unquote(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word


def in_columns(columns: Iterable[str], word: str) -> Q:
    return Q(*((f"{column}__icontains", word) for column in columns), _connector=Q.OR)


def as_hash(word: str) -> str | None:
    """Return the digits if the word looks like a hash, or like its first digits and `…`, as pages show it."""
    digits = word.removesuffix("…").lower()
    return digits if digits and all(char in "0123456789abcdef" for char in digits) else None


def in_files(word: str) -> Q:
    """For objects with a `file_set`: its digest, or a path or hash in it. Only words that look like one are looked for:
    there are many files."""
    digits = as_hash(word)
    if digits and len(digits) >= MIN_HASH_DIGITS:
        inside = Q(blob__sha256__startswith=digits) | Q(blob__md5__startswith=digits)
        return Q(file_set__digest__startswith=digits) | Q(
            file_set__in=_file_sets_with(inside | Q(path__icontains=word))
        )
    if "/" in word or "." in word:
        return Q(file_set__in=_file_sets_with(Q(path__icontains=word)))
    return Q(pk__in=[])


def _file_sets_with(entry: Q) -> QuerySet[FileEntry, Any]:
    return FileEntry.objects.filter(entry).order_by().values("file_set")


def of_file_sets(word: str) -> Q:
    """For file sets: digest, a path or hash in it, or where it is used."""
    digits = as_hash(word)
    by_hash = Q(blob__sha256__startswith=digits) | Q(blob__md5__startswith=digits) if digits else Q()
    own = Q(digest__startswith=digits) if digits else Q()
    return own | Q(pk__in=_file_sets_with(by_hash | Q(path__icontains=word))) | _used(word, "pk")


def of_blobs(word: str) -> Q:
    """For blobs: hash, a path that it has somewhere, or where it is used."""
    digits = as_hash(word)
    own = Q(sha256__startswith=digits) | Q(md5__startswith=digits) if digits else Q()
    inside = FileEntry.objects.filter(Q(path__icontains=word) | _used(word, "file_set")).order_by()
    return own | Q(pk__in=inside.values("blob"))


def _used(word: str, file_set: str) -> Q:
    """Find a file set by student, assignment or course of its uses. In subqueries: joins would multiply."""
    places: list[tuple[type[Model], tuple[str, ...]]] = [
        (Release, ("assignment__name", "assignment__course__name")),
        (Submission, ("student__username", "assignment__name", "assignment__course__name")),
        (
            Feedback,
            (
                "submission__student__username",
                "submission__assignment__name",
                "submission__assignment__course__name",
            ),
        ),
    ]
    used = Q()
    for model, columns in places:
        rows = model._default_manager.filter(in_columns(columns, word)).order_by().values("file_set")
        used |= Q(**{f"{file_set}__in": rows})
    return used
