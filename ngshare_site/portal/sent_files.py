"""What is submitted of the files that a form brought. A single zip is unpacked."""

from collections.abc import Collection, Sequence
from operator import itemgetter
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeVar

from django.utils.translation import gettext as _

from courses.errors import Invalid
from courses.permissions import Actor
from courses.places import waiting
from exchange import chosen_files, quotas
from exchange.models import Assignment, FileEntry, Release
from exchange.storage import unpacking
from exchange.storage.blobs import Staged
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry
from exchange.storage.possession import readable_blobs
from exchange.storage.receiving import ReceivedFile

UNPACKED_AT_ONCE = 2  # zip files, in each process: each may take NGSHARE_MAX_SUBMISSION_SIZE in the staging folder
unpacking_turn = BoundedSemaphore(UNPACKED_AT_ONCE)
File = TypeVar("File")


def released_paths(release: Release | None) -> list[str]:
    rows = FileEntry.objects.filter(file_set=release.file_set_id) if release else FileEntry.objects.none()
    return list(rows.order_by("path").values_list("path", flat=True))


def make_upload(received: Sequence[ReceivedFile], folder: Path, assignment: Assignment, *, by: Actor) -> Upload:
    """Return those of the files that are submitted, under their paths.

    Errors: Invalid, QuotaExceeded, those of the functions of unpacking.
    """
    released = released_paths(assignment.latest_release)
    if _is_zip(received, released):
        files = _unpack(received[0].staged.path, folder, assignment, released, by=by)
    else:
        files = _choose([(file.path, file.staged) for file in received], assignment, released)
    entries = [ManifestEntry(path, staged.sha256, staged.size) for path, staged in files]
    return Upload([entries], staged={staged.sha256: staged for _path, staged in files})


def _is_zip(files: Sequence[ReceivedFile], released: Collection[str]) -> bool:
    """Return whether a zip alone was sent. One that the release has, too, is a file as any other."""
    return len(files) == 1 and files[0].path not in released and files[0].path.lower().endswith(".zip")


def _choose(
    files: Sequence[tuple[str, File]], assignment: Assignment, released: Collection[str]
) -> list[tuple[str, File]]:
    """Return those of the files, (path, file), that are submitted, by their new paths. Errors: Invalid."""
    paths = chosen_files.choose_paths([path for path, _file in files], assignment.name, released)
    chosen = [(path, file) for path, (_path, file) in zip(paths, files, strict=True) if path is not None]
    if not chosen:
        raise Invalid(_("There is nothing to submit among these files."))
    return sorted(chosen, key=itemgetter(0))


def _unpack(
    source: Path, folder: Path, assignment: Assignment, released: Collection[str], *, by: Actor
) -> list[tuple[str, Staged]]:
    """Unpack those files of a zip that are submitted. Nothing is written that the person's quota has no room for.

    Only what they could not read before counts. Where the zip announces more than there is room for, its files are
    therefore hashed first. Errors: Invalid, QuotaExceeded, those of the functions of unpacking.
    """
    packed = unpacking.list_files(source)
    chosen = _choose([(file.path, file) for file in packed], assignment, released)
    files = [file for _path, file in chosen]
    quota = quotas.quota_of(by.required_user, assignment.course)
    if sum(file.size for file in files) > quota.room:
        with waiting(), unpacking_turn:
            sizes = unpacking.hash_files(source, files)
        readable = readable_blobs(by, sizes)
        quota.admit({sha256: size for sha256, size in sizes.items() if sha256 not in readable})
    with waiting(), unpacking_turn:  # others have the place meanwhile
        staged = unpacking.unpack(source, folder, files)
    return [(path, each) for (path, _file), each in zip(chosen, staged, strict=True)]
