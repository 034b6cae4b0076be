"""Sending file sets: large files in parts, and one request with a bundle of what else the server does not have.

What the server surely has is left out without a question: the files of the latest release, and what was submitted from
this computer before. The server says so if that is wrong, and what it names is sent then. So a question in advance pays
only for much that may or may not be there.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

from . import parts, transfer
from .bundle import Upload
from .client import NgshareClient
from .errors import ErrorResponse
from .manifest import File, LocalFile
from .progress import Progress

ASK_BYTES = 8 * 1000 * 1000  # of files that the server may have: with more it is asked which of them to send
ASK_FILES = 1000
ROUNDS = 3  # how often the server may name further files


def send(
    client: NgshareClient,
    place: Sequence[str],
    content: Mapping[str, object],
    files: Sequence[LocalFile],
    *,
    known: Collection[str],
    label: str,
    log: logging.Logger,
    questioned: Sequence[File] = (),
    key: str = "",
    if_match: str = "",
    **params: object,
) -> object:
    """Return the server's response to a bundle: `content` as its manifest, and those of the files that must be sent.

    `place` is in the API: "courses", the name of the course, … `known` are hashes that the server has, as far as one
    knows here. `questioned` are the files as one file set, with paths that differ, where `files` are those of several
    ones. `key`, `if_match` and `params` are as in NgshareClient.upload.
    """
    unsent = _choose(client, files, known, questioned or files)

    def attempt() -> object:
        to_send = {file.sha256: file for file in files if file.sha256 in unsent}
        with Progress(label, sum(unsent.values()), log) as progress:
            for large in [file for file in to_send.values() if file.size >= parts.LARGE]:
                if parts.send(client, place[:2], large, progress.advance):
                    del to_send[large.sha256]
            upload = Upload(content, to_send.values(), progress=progress.advance)
            return client.upload(*place, upload=upload, key=key, if_match=if_match, **params)

    for _round in range(ROUNDS):
        try:
            return attempt()
        except ErrorResponse as error:
            missing = _named_as_missing(error)
            named = {file.sha256: file.size for file in files if file.sha256 in missing}
            if not named.keys() - unsent.keys():
                raise
            unsent |= named
    return attempt()


def _choose(
    client: NgshareClient, files: Sequence[LocalFile], known: Collection[str], questioned: Sequence[File]
) -> dict[str, int]:
    """Return what to send, {hash: bytes}."""
    unknown = {file.sha256: file.size for file in files if file.sha256 not in known}
    if sum(unknown.values()) <= ASK_BYTES and len(unknown) <= ASK_FILES:
        return unknown
    missing = transfer.find_missing(client, questioned)
    return {file.sha256: file.size for file in files if file.sha256 in missing}


def _named_as_missing(error: ErrorResponse) -> set[str]:
    """Return the hashes that the server has told to send, none if the error is another one."""
    missing = error.details.get("missing") if error.code == "blobs_missing" else None
    return {sha256 for sha256 in missing if isinstance(sha256, str)} if isinstance(missing, list) else set()
