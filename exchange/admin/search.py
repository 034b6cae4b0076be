"""Searching the lists of what has files: by a thing's own columns, and by what lies in its files.

The words of a search are looked for one by one, and each must be found; a quoted text is one word.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from courses.admin.base import is_endless
from exchange.models import Feedback, FileEntry, Release, Submission

LEAST = 8  # digits of a hash, on lists where most words are names


def narrowed(rows: QuerySet[Any], search_term: str, matching: Callable[[str], Q]) -> QuerySet[Any]:
    """The rows in which every word is found, or the whole of it: a path may have spaces."""
    if is_endless(search_term):
        return rows.none()
    words = [_unquoted(word) for word in smart_split(search_term)]
    if not words:
        return rows
    every = Q()
    for word in words:
        every &= matching(word)
    return rows.filter(every if len(words) == 1 else every | matching(search_term.strip()))


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word


def in_columns(columns: Iterable[str], word: str) -> Q:
    return Q(*((f"{column}__icontains", word) for column in columns), _connector=Q.OR)


def as_hash(word: str) -> str | None:
    """What a column of hashes is searched for; a page shows only the first digits, and `…`."""
    digits = word.removesuffix("…").lower()
    return digits if digits and all(char in "0123456789abcdef" for char in digits) else None


def in_files(word: str) -> Q:
    """For things with a `file_set`: its digest, or a path or hash in it. Only words that look like one are looked for:
    there are many files."""
    digits = as_hash(word)
    if digits and len(digits) >= LEAST:
        inside = Q(blob__sha256__startswith=digits) | Q(blob__md5__startswith=digits)
        return Q(file_set__digest__startswith=digits) | Q(file_set__in=_trees(inside | Q(path__icontains=word)))
    if "/" in word or "." in word:
        return Q(file_set__in=_trees(Q(path__icontains=word)))
    return Q(pk__in=[])


def _trees(inside: Q) -> QuerySet[Any]:
    return FileEntry.objects.filter(inside).order_by().values("file_set")


def of_file_sets(word: str) -> Q:
    """For file sets: digest, a path or hash in it, or where it is used."""
    digits = as_hash(word)
    by_hash = Q(blob__sha256__startswith=digits) | Q(blob__md5__startswith=digits) if digits else Q()
    own = Q(digest__startswith=digits) if digits else Q()
    return own | Q(pk__in=_trees(by_hash | Q(path__icontains=word))) | _used(word, "pk")


def of_blobs(word: str) -> Q:
    """For blobs: hash, a path that it has somewhere, or where it is used."""
    digits = as_hash(word)
    own = Q(sha256__startswith=digits) | Q(md5__startswith=digits) if digits else Q()
    inside = FileEntry.objects.filter(Q(path__icontains=word) | _used(word, "file_set")).order_by()
    return own | Q(pk__in=inside.values("blob"))


def _used(word: str, file_set: str) -> Q:
    """By student, assignment or course of what the file set is used for. Subqueries: joins would multiply."""
    places: list[tuple[Any, tuple[str, ...]]] = [
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
        rows = model.objects.filter(in_columns(columns, word)).order_by().values("file_set")
        used |= Q(**{f"{file_set}__in": rows})
    return used
