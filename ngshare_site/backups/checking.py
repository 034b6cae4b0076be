"""Checking a backup by itself, and a restored service against the backup that it came from."""

import os
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings

from courses.errors import Invalid, TryAgain
from courses.permissions import SERVER
from exchange import receipt_keys, receipts
from exchange.storage import blobs, verification
from ngshare_site.backups import databases
from ngshare_site.backups.databases import Contents
from ngshare_site.backups.folder import SQLITE_FILE, BackupFolder, Description, Snapshot, hash_of
from ngshare_site.backups.making import ON_COPY, RECEIPTS, VANISHED, Backup, Vanished, copy_blobs, describe

SIGNED = "the receipts were signed with another key: "


def finish(folder: BackupFolder, snapshot: Snapshot, on_copy: ON_COPY) -> tuple[Snapshot, list[str]]:
    """Finish a snapshot whose dump or bucket an operator has copied. Return it, and why it cannot be finished yet.

    Errors: Invalid, TryAgain.
    """
    contents, backup = databases.read_contents(snapshot, latest=RECEIPTS), Backup(snapshot)
    if blobs.folder() is not None:
        try:
            copy_blobs(folder, contents, backup, on_copy)
        except Vanished as error:
            raise TryAgain(VANISHED) from error
    problems = [*_missing_copies(folder, contents, lost=backup.lost)]
    if problems:
        return snapshot, problems
    os.sync()  # other programs wrote the copies
    return snapshot.finish(describe(snapshot, contents, lost=backup.lost), contents.blobs), []


def check_backup(folder: BackupFolder, snapshot: Snapshot) -> Iterator[str]:
    """Read everything of a finished snapshot, and yield what is wrong. Errors: Invalid, if it cannot be read."""
    description = snapshot.describe()
    if hash_of(snapshot.database) != description.database_sha256:
        yield f"{snapshot.database} is not the file that was written."
        return
    contents = databases.read_contents(snapshot)
    if contents.rows != description.rows:
        yield f"{snapshot.database} has other numbers of rows than it had."
    if sorted(contents.blobs) != list(snapshot.listed_blobs()):
        yield f"{snapshot.path} lists other blobs than the database names."
    yield from _missing_copies(folder, contents, lost=description.lost)
    yield from _check_receipts(snapshot, description)


def _check_receipts(snapshot: Snapshot, description: Description) -> Iterator[str]:
    """Check that the receipts fit the public keys in the backup, and these, or earlier receipts, the secret key."""
    secrets = [snapshot.secret_key] if snapshot.secret_key else [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    earlier = [receipt for receipt in description.receipts if receipts.is_of_earlier_version(receipt)]
    for receipt in description.receipts:
        if receipt not in earlier and not receipts.fits(
            receipt, description.receipt_keys.get(str(receipt.get("key")), "")
        ):
            yield f"Receipt {receipt['id']} of {receipt['student']} was changed."
    keys = description.receipt_keys
    is_ours = all(receipts.fits_secret(receipt, secrets) for receipt in earlier)
    if not is_ours or (keys and not receipt_keys.makes_one_of(secrets, keys)):
        yield f"{SIGNED}set NGSHARE_SECRET_KEY, or name it in NGSHARE_SECRET_KEY_FALLBACKS."


def _missing_copies(folder: BackupFolder, contents: Contents, *, lost: list[str]) -> Iterator[str]:
    for sha256 in sorted(set(contents.blobs) - set(lost)):
        if not folder.copies.is_intact(sha256):
            yield f"{folder.copies.path(sha256)} is damaged or missing."


def check_restored(snapshot: Snapshot) -> Iterator[str]:
    """Compare the running database and store with a snapshot, and yield what is wrong.

    Rows that were added since are right. Errors: Invalid, StoreUnreachable.
    """
    description = snapshot.describe()
    models = {model._meta.db_table: model for model in apps.get_models()}
    for table, count in description.rows.items():
        here = models[table]._base_manager.count() if table in models else count
        if here < count:
            yield f"{table} has {here} rows; the backup has {count}."
    broken = verification.verify(verification.verifiable().iterator(), by=SERVER, mark=False)
    lost = set(description.lost)
    yield from (f"The blob {blob.sha256} is {blob.fault}." for blob in broken if blob.sha256 not in lost)
    for receipt in description.receipts:
        verdict = receipts.verify(receipt)
        if not verdict.valid:
            yield f"Receipt {receipt['id']} of {receipt['student']}: {verdict.message}"


def check_copy(snapshot: Snapshot, contents: Contents) -> None:
    """Check that a database that was just copied from a snapshot is the same. Errors: Invalid."""
    if contents.rows != snapshot.describe().rows:
        raise Invalid(f"The copy of {snapshot.path / SQLITE_FILE} has other numbers of rows.")
