"""`manage.py verify_blobs`: read stored bytes again and compare them with their hashes. See docs/operating.md."""

import math
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from courses.management.progress import Pace, Progress
from courses.permissions import SERVER
from courses.sizes import parse_size, readable_size
from exchange.maintenance import recorded_run
from exchange.models import Blob, Fault
from exchange.storage import blobs, garbage, verification

SHOWN = 20  # names of files that no blob has


class Command(BaseCommand):
    """Exit status: 0 if nothing is wrong, 1 if bytes are damaged or missing, 2 if the store does not answer."""

    help = "Read stored bytes again, compare them with their hashes, and name the submissions that lost some."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=1, help="leave out what was verified in these last days (default: %(default)s)"
        )
        parser.add_argument("--all", action="store_true", help="leave out nothing, start anew")
        parser.add_argument("--sample", metavar="N", help="the N blobs, or N%%, that were verified the longest ago")
        parser.add_argument("--rate", metavar="SIZE", help="bytes per second at most, such as 50MB")
        parser.add_argument("--mark", action="store_true", help="mark what is lost, so that the next upload repairs it")

    def handle(
        self, *, days: int, all: bool, sample: str | None, rate: str | None, mark: bool, **options: object
    ) -> None:
        pace = Pace(_parse_rate(rate)) if rate else None
        chosen = _choose(days=days, is_all=all, sample=sample)
        progress = Progress(sum(chosen.values()), sys.stderr, readable_size)

        def step(size: int) -> None:
            progress.step(size)
            if pace:
                pace.step(size)

        try:
            with recorded_run("verify_blobs") as summary:
                broken = verification.verify(_load(list(chosen)), by=SERVER, mark=mark, on_read=step)
                counts = {fault.value: sum(blob.fault == fault for blob in broken) for fault in Fault}
                summary.update(verified=len(chosen), bytes=progress.done, **counts)
                if not sample:
                    summary["orphaned"] = self._report_orphans()
        except blobs.StoreUnreachable as error:
            raise CommandError(f"{error.message} Run the command again: it goes on from here.", returncode=2) from error
        for blob in broken:
            self._report(blob)
        found = ", ".join(f"{count} {fault}" for fault, count in counts.items())
        verified = ngettext("%d blob verified", "%d blobs verified", len(chosen)) % len(chosen)
        self.stdout.write(f"{verified}, {readable_size(progress.done)}: {found}.")
        if broken:
            advice = "Restore them from a backup; an upload of the same content repairs them, too."
            sentence = ngettext("%d blob is broken.", "%d blobs are broken.", len(broken)) % len(broken)
            raise CommandError(f"{sentence} {advice}", returncode=1)

    def _report(self, blob: Blob) -> None:
        self.stdout.write(f"{blob.fault}: {blob.sha256}, {readable_size(blob.size)}")
        for use, path in verification.affected(blob):
            self.stdout.write(f"    {use}: {path}")

    def _report_orphans(self) -> int:
        """Report what nothing uses, and return how many blobs and files that is."""
        orphaned = garbage.orphans(timezone.now() - timedelta(days=1)).count()
        if orphaned:
            blobs_found = ngettext("%d blob", "%d blobs", orphaned) % orphaned
            self.stdout.write(f"orphaned: {blobs_found}, which sweep_blobs removes")
        unknown = 0
        for name in verification.unknown_files():
            unknown += 1
            if unknown <= SHOWN:
                self.stdout.write(f"orphaned: the file {name} is in the store, and no blob has this name")
        if unknown > SHOWN:
            self.stdout.write(f"orphaned: … and {unknown - SHOWN} more files")
        return orphaned + unknown


def _parse_rate(text: str) -> int:
    try:
        return parse_size(text.removesuffix("/s"))
    except ValueError as error:
        raise CommandError(f"--rate: {error}") from error


def _choose(*, days: int, is_all: bool, sample: str | None) -> dict[int, int]:
    """Return the blobs to verify, in order, {id: bytes}. What was broken the last time is always among them."""
    rows = verification.verifiable()
    if sample is None:
        if not is_all:
            before = timezone.now() - timedelta(days=days)
            rows = rows.filter(Q(verified=None) | Q(verified__lt=before) | ~Q(fault=""))
        return dict(rows.values_list("pk", "size"))
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)(%?)", sample)
    if not match or float(match[1]) <= 0 or (not match[2] and "." in match[1]):
        raise CommandError("--sample: write a number of blobs, or a share of them such as 5%.")
    count = math.ceil(rows.count() * float(match[1]) / 100) if match[2] else int(match[1])
    broken = rows.exclude(fault="").values_list("pk", "size")
    return {**dict(broken), **dict(rows.values_list("pk", "size")[:count])}


def _load(pks: Sequence[int]) -> Iterator[Blob]:
    """Yield the rows as they are when their turn comes; those that are gone by then are left out."""
    for start in range(0, len(pks), verification.BATCH):
        batch = pks[start : start + verification.BATCH]
        yield from sorted(Blob.objects.filter(pk__in=batch), key=lambda blob: batch.index(blob.pk))
