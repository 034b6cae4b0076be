"""Manifests: what a file set consists of, the rules and limits for it, and its digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from courses.errors import Invalid, TooLarge
from courses.sizes import readable_size
from exchange import paths


class BadPath(Invalid):
    code = "bad_path"


class BadManifest(Invalid):
    code = "bad_manifest"


class TooManyFiles(TooLarge):
    code = "too_many_files"


@dataclass(frozen=True)
class ManifestEntry:
    """One file of a manifest."""

    path: str
    sha256: str
    size: int  # bytes


def check_manifest(entries: Sequence[ManifestEntry]) -> None:
    """Check a manifest against the rules and the limits. Errors: BadManifest, BadPath, TooManyFiles, TooLarge."""
    check_file_count(len(entries))
    sizes: dict[str, int] = {}
    for entry in entries:
        if not re.fullmatch("[0-9a-f]{64}", entry.sha256):
            raise BadManifest(
                _("%(path)r: sha256 must be 64 lower-case hexadecimal digits.") % {"path": entry.path[:200]}
            )
        if not 0 <= entry.size < 2**63:
            raise BadManifest(_("%(path)r: the size must be a number of bytes.") % {"path": entry.path[:200]})
        if sizes.setdefault(entry.sha256, entry.size) != entry.size:
            raise BadManifest(_("%(path)r: the same hash has two sizes.") % {"path": entry.path[:200]})
    with _explained_paths():
        paths.check_all(entry.path for entry in entries)
    _check_sizes(entries)


def check_path(path: str) -> None:
    """Check one path by itself. Errors: BadPath."""
    with _explained_paths():
        paths.check(path)


@contextmanager
def _explained_paths() -> Iterator[None]:
    """Errors: BadPath."""
    try:
        yield
    except paths.BadPath as error:
        raise BadPath(_(error.template) % error.values) from error


def check_limits(entries: Sequence[ManifestEntry]) -> None:
    """Check the number of files and their sizes, before anything of them is read. Errors: TooManyFiles, TooLarge."""
    check_file_count(len(entries))
    _check_sizes(entries)


def check_file_count(count: int) -> None:
    """Errors: TooManyFiles."""
    if count > (limit := settings.NGSHARE_MAX_FILES):
        raise TooManyFiles(
            _("Your folder has %(count)s files, the limit is %(limit)s.") % {"count": count, "limit": limit},
            files=count,
            limit=limit,
        )


def _check_sizes(entries: Sequence[ManifestEntry]) -> None:
    if not entries:
        return
    largest = max(entries, key=lambda entry: entry.size)
    if largest.size > (limit := settings.NGSHARE_MAX_FILE_SIZE):
        raise TooLarge(
            _("%(path)s is %(size)s, the limit for one file is %(limit)s.")
            % {"path": largest.path, "size": readable_size(largest.size), "limit": readable_size(limit)},
            size=largest.size,
            limit=limit,
            largest=largest.path,
        )
    total = sum(entry.size for entry in entries)
    if total > (limit := settings.NGSHARE_MAX_SUBMISSION_SIZE):
        raise TooLarge(
            _("Your folder is %(total)s, the limit is %(limit)s; the largest file is %(path)s, %(size)s.")
            % {
                "total": readable_size(total),
                "limit": readable_size(limit),
                "path": largest.path,
                "size": readable_size(largest.size),
            },
            size=total,
            limit=limit,
            largest=largest.path,
        )


def digest(entries: Iterable[ManifestEntry]) -> str:
    """Return one hash over the whole manifest, as docs/api.md defines it.

    >>> digest([])
    '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945'
    """
    rows = [[entry.path, entry.sha256, entry.size] for entry in entries]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
