"""`manage.py sweep_blobs`: remove bytes of uploads that ended in the middle, and of what was deleted for good."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Sum
from django.utils import timezone

from exchange.storage import blobs, file_sets, garbage

LEAST = (
    2  # hours; what an upload counts on may be marked as fresh an hour late (file_sets.FRESH), and uploads take time
)


class Command(BaseCommand):
    help = "Remove blobs that no release, submission or feedback names and no upload has counted on for a while."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=int, default=24, help="how long ago, at least (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *, hours: int, dry_run: bool, **options: Any) -> None:
        if hours < LEAST:
            raise CommandError(f"--hours: write {LEAST} or more, so that no upload under way loses what it counts on.")
        before = timezone.now() - timedelta(hours=hours)
        if dry_run:
            found = garbage.orphans(before).aggregate(count=Count("pk"), size=Sum("size"))
            count, size = found["count"], found["size"] or 0
            folders = len(blobs.abandoned(before))
        else:
            count, size = garbage.collect_garbage(before)
            folders = blobs.remove_abandoned(before)
        verb = "would be removed" if dry_run else "removed"
        self.stdout.write(f"{count} blobs, {file_sets.readable_size(size)}, {verb}; {folders} unfinished uploads, too.")
