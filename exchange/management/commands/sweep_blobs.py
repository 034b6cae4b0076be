"""`manage.py sweep_blobs`: garbage collection after broken uploads and permanent deletions."""

from datetime import timedelta

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import ngettext

from courses.sizes import readable_size
from exchange.maintenance import recorded_run
from exchange.storage import blobs, garbage, uploads

# An upload may mark the blobs that it uses up to an hour late (file_sets.FRESH), and itself takes some time.
MINIMUM = 2  # hours


class Command(BaseCommand):
    help = "Remove blobs that no release, submission or feedback uses and on which no upload has relied recently."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=int, default=24, help="minimum age of the last use (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")

    def handle(self, *, hours: int, dry_run: bool, **options: object) -> None:
        if hours < MINIMUM:
            raise CommandError(f"--hours: write {MINIMUM} or more, or a running upload may lose what it relies on.")
        before = timezone.now() - timedelta(hours=hours)
        if dry_run:
            totals = garbage.orphans(before).aggregate(count=Count("pk"), size=Sum("size"))
            count, size = totals["count"], totals["size"] or 0
            unfinished = len(blobs.abandoned_folders(before)) + uploads.expired().filter(completed=None).count()
        else:
            with recorded_run("sweep_blobs") as summary:
                unfinished = uploads.remove_expired()
                count, size = garbage.collect_garbage(before)
                unfinished += blobs.remove_abandoned_folders(before)
                summary.update(blobs=count, bytes=size, unfinished_uploads=unfinished)
        action = "would be removed" if dry_run else "removed"
        found = ngettext("%d blob", "%d blobs", count) % count
        uploaded = ngettext("%d unfinished upload", "%d unfinished uploads", unfinished) % unfinished
        self.stdout.write(f"{found}, {readable_size(size)}, {action}; {uploaded}, too.")
