"""`ngshare backup FOLDER`: back up the database, the blobs and the secret key. See docs/operating.md."""

import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.management.output import report_errors
from courses.management.progress import Bar
from courses.sizes import readable_size
from exchange.maintenance import recorded_run
from exchange.storage import blobs
from ngshare_site.backups import checking, databases, making
from ngshare_site.backups.folder import BackupFolder, Snapshot


class Command(BaseCommand):
    """Exit status: 0 if the backup is whole, 1 if not, 3 if there are commands to run first."""

    help = "Back up the database, the blobs and the secret key to a folder, while the service runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the backup; each run adds a snapshot and the new blobs")
        parser.add_argument("--keep", type=int, metavar="N", help="remove all but the newest N snapshots afterwards")
        parser.add_argument(
            "--check", action="store_true", help="read everything of the newest snapshot, and finish it if necessary"
        )
        parser.add_argument("--snapshot", default="", metavar="NAME", help="with --check, another than the newest")

    def handle(self, *, folder: Path, keep: int | None, check: bool, snapshot: str, **options: object) -> None:
        if keep is not None and keep < 1:
            raise CommandError("--keep: write 1 or more.")
        backups = BackupFolder(folder)
        with report_errors():
            chosen = backups.choose(snapshot) if check else None
            with backups.locked():
                if chosen:
                    self._check(backups, chosen)
                else:
                    self._make(backups)
                # Under the lock: another backup would miss the copies that go.
                if keep is not None and (removed := backups.prune(keep)):
                    self.stdout.write(f"{removed} older snapshots were removed.")

    def _make(self, folder: BackupFolder) -> None:
        if not (databases.is_sqlite() and blobs.folder() is not None):
            self._print_commands([*making.prepare_backup(folder), f"ngshare backup --check {folder.root}"])
            raise CommandError("The backup is not whole until the commands above have been run.", returncode=3)
        with recorded_run("backup") as summary:
            backup = making.make_backup(folder, Bar(sys.stderr).show)
            described = backup.snapshot.describe()
            summary.update(
                blobs=described.blobs, bytes=described.bytes, new_blobs=backup.copied, new_bytes=backup.copied_bytes,
                lost=len(backup.lost),
            )  # fmt: skip
        self.stdout.write(
            f"{backup.snapshot.path}: {described.blobs} blobs, {readable_size(described.bytes)}, of which "
            f"{backup.copied}, {readable_size(backup.copied_bytes)}, are new."
        )
        self._report_lost(backup.snapshot)

    def _print_commands(self, commands: list[str]) -> None:
        self.stdout.write("# Run these, in this order, and no sweep_blobs meanwhile. Passwords and keys are not shown:")
        self.stdout.write("# PGPASSWORD or ~/.pgpass, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, have them.")
        self.stdout.write("\n".join(commands))

    def _check(self, folder: BackupFolder, snapshot: Snapshot) -> None:
        problems: list[str] = []
        if not snapshot.is_finished:
            with recorded_run("backup") as summary:
                snapshot, problems = checking.finish(folder, snapshot, Bar(sys.stderr).show)
                if problems:
                    self._fail(problems)
                described = snapshot.describe()
                summary.update(blobs=described.blobs, bytes=described.bytes)
        if problems := list(checking.check_backup(folder, snapshot)):
            self._fail(problems)
        described = snapshot.describe()
        rows = described.rows["exchange_submission"]
        self.stdout.write(
            f"{snapshot.path} is whole: {ngettext('%d submission', '%d submissions', rows) % rows}, "
            f"{ngettext('%d blob', '%d blobs', described.blobs) % described.blobs}, {readable_size(described.bytes)}."
        )
        self._report_lost(snapshot)

    def _fail(self, problems: list[str]) -> None:
        for problem in problems:
            self.stderr.write(problem)
        count = len(problems)
        raise CommandError(ngettext("%d thing is wrong, see above.", "%d things are wrong, see above.", count) % count)

    def _report_lost(self, snapshot: Snapshot) -> None:
        if lost := snapshot.describe().lost:
            for sha256 in lost:
                self.stderr.write(f"not in the backup, because it is damaged or missing in the store: {sha256}")
            sentence = ngettext("%d blob is lost", "%d blobs are lost", len(lost)) % len(lost)
            raise CommandError(f"{sentence}; `ngshare verify_blobs` says whose.")
