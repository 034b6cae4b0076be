"""Searching the lists of the admin. The words of a search are looked for one by one, and each must be found; a quoted
text is one word.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

M = TypeVar("M", bound=Model)


def filter_rows(rows: QuerySet[M], search_term: str, condition_for: Callable[[str], Q]) -> QuerySet[M]:
    """Return the rows in which every word is found, or the whole search term: a path may have spaces."""
    words = words_of(search_term)
    if not words:
        return rows
    every = Q()
    for word in words:
        every &= condition_for(word)
    return rows.filter(every if len(words) == 1 else every | condition_for(search_term.strip()))


def words_of(search_term: str) -> list[str]:
    return [_unquote(word) for word in smart_split(search_term)]


def _unquote(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word


def in_columns(columns: Iterable[str], word: str) -> Q:
    return Q(*((f"{column}__icontains", word) for column in columns), _connector=Q.OR)
