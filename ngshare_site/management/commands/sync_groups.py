"""`ngshare sync_groups`: add everybody to the courses that their groups on the Hub name. See docs/rosters.md."""

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.importers import groups
from courses.management.output import format_counts, get_course, write_change
from courses.roster import Result
from ngshare_site.hub import groups as hub_groups
from ngshare_site.hub.client import HubUnreachable


class Command(BaseCommand):
    help = "Add everybody to the courses that their groups on JupyterHub name. Nobody's role is lowered or removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", nargs="?", help="only this course")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, *, course: str | None, dry_run: bool, **options: object) -> None:
        only = get_course(course) if course is not None else None
        try:
            members = hub_groups.fetch_members()
        except hub_groups.ScopeMissing as error:
            raise CommandError(
                f"The service's token lacks the scope {error}. Add this to jupyterhub_config.py and restart the Hub:"
                f"\n\n{hub_groups.missing_config()}"
            ) from error
        except HubUnreachable as error:
            raise CommandError(f"JupyterHub cannot be asked for its groups: {error}.") from error
        roles = groups.roles_by_course(members)
        courses = {only.name: only} if only else groups.find_courses(roles)
        refused = 0
        for name in sorted(courses):
            report = groups.apply(courses[name], roles.get(name, {}), dry_run=dry_run)
            self.stdout.write(f"{name}: {format_counts(report)}")
            for row in report.rows:
                write_change(self.stderr if row.result == Result.REFUSED else self.stdout, row)
            refused += report.count(Result.REFUSED)
        if not dry_run:
            groups.remember(members, courses)
        if not only and (absent := sorted(set(roles) - set(courses))):
            self.stdout.write(f"groups name these courses, which do not exist: {', '.join(absent)}")
        if dry_run:
            self.stdout.write("dry run: nothing was done")
        if refused:
            texts = ("%d of the groups' members was refused.", "%d of the groups' members were refused.")
            raise CommandError(ngettext(*texts, refused) % refused)
