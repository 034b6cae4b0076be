"""`ngshare restore FOLDER`: restore a backup, and check it. See docs/operating.md."""

import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.management.output import report_errors
from courses.management.progress import Bar
from ngshare_site import data_folder
from ngshare_site.backups import checking, restoring
from ngshare_site.backups.folder import BackupFolder, Snapshot


class Command(BaseCommand):
    """Exit status: 0 if everything is there, 1 if not, 3 if there are commands to run first."""

    help = "Restore a backup into an empty place, with the service stopped, and check what was restored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the backup")
        parser.add_argument("--snapshot", default="", metavar="NAME", help="another than the newest")
        parser.add_argument("--replace", action="store_true", help="keep what is here aside, and restore nevertheless")
        parser.add_argument("--check", action="store_true", help="restore nothing, and check what was restored")

    def handle(self, *, folder: Path, snapshot: str, replace: bool, check: bool, **options: object) -> None:
        backups = BackupFolder(folder)
        with report_errors():
            chosen = backups.choose(snapshot)
            if not chosen.is_finished:
                raise CommandError(f"{chosen.path} is not whole: run `ngshare backup --check {folder}` first.")
            if check:
                data_folder.prepare()
            else:
                commands = restoring.restore(backups, chosen, replace=replace, on_copy=Bar(sys.stderr).show)
                if commands:
                    self._print_commands(commands, backups)
                    raise CommandError("It is not restored until the commands above have been run.", returncode=3)
            self._check(chosen)

    def _print_commands(self, commands: list[str], folder: BackupFolder) -> None:
        self.stdout.write("# Run these, in this order. Passwords and keys are not shown:")
        self.stdout.write("# PGPASSWORD or ~/.pgpass, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, have them.")
        for command in [*commands, f"ngshare restore --check {folder.root}"]:
            self.stdout.write(command)

    def _check(self, snapshot: Snapshot) -> None:
        problems = list(checking.check_restored(snapshot))
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            texts = ("%d thing is wrong, see above.", "%d things are wrong, see above.")
            raise CommandError(ngettext(*texts, len(problems)) % len(problems))
        described = snapshot.describe()
        submissions = described.rows["exchange_submission"]
        self.stdout.write(
            f"Everything of {snapshot.name} is here: "
            f"{ngettext('%d submission', '%d submissions', submissions) % submissions}, "
            f"{ngettext('%d blob', '%d blobs', described.blobs) % described.blobs}, and the receipts verify."
        )
        if described.lost:
            texts = (
                "%d blob had been lost when the backup was made.",
                "%d blobs had been lost when the backup was made.",
            )
            self.stdout.write(ngettext(*texts, len(described.lost)) % len(described.lost))
