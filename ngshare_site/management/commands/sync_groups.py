"""`manage.py sync_groups`: join everybody to the courses that their groups on the Hub name. See docs/rosters.md."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses.importers import groups
from courses.management.output import counted, course_named, tell
from courses.roster import Result
from ngshare_site.hub import groups as hub_groups
from ngshare_site.hub.client import HubUnreachable


class Command(BaseCommand):
    help = "Join everybody to the courses that their groups on JupyterHub name. Takes nobody's role away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", nargs="?", help="this one alone")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *, course: str | None, dry_run: bool, **options: Any) -> None:
        only = course_named(course) if course is not None else None
        try:
            members = hub_groups.members()
        except hub_groups.ScopeMissing as error:
            raise CommandError(
                f"The service's token lacks the scope {error}. Add this to jupyterhub_config.py and restart the Hub:"
                f"\n\n{hub_groups.lines_to_add()}"
            ) from error
        except HubUnreachable as error:
            raise CommandError(f"JupyterHub cannot be asked for its groups: {error}.") from error
        wanted = groups.wanted(members)
        there = {only.name: only} if only else groups.courses_named(wanted)
        refused = 0
        for name, course_found in sorted(there.items()):
            report = groups.apply(course_found, wanted.get(name, {}), dry_run=dry_run)
            self.stdout.write(f"{name}: {counted(report)}")
            for row in report.rows:
                tell(self.stderr if row.result == Result.REFUSED else self.stdout, row)
            refused += report.count(Result.REFUSED)
        if not dry_run:
            groups.remember(members, there)
        if not only and (absent := sorted(set(wanted) - set(there))):
            self.stdout.write(f"groups name these courses, which are not here: {', '.join(absent)}")
        if dry_run:
            self.stdout.write("dry run: nothing was done")
        if refused:
            raise CommandError(f"{refused} of the groups' members were refused.")
