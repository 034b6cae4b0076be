"""`manage.py retire_courses --older-than 2y`: retire courses that nobody uses any more. See docs/operating.md."""

import re
from datetime import timedelta

from django.core.management import BaseCommand, CommandError, CommandParser

from courses import retirement
from courses.permissions import SERVER
from courses.retirement import Ages, Step

DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


class Command(BaseCommand):
    help = "Announce to instructors that unused courses will be retired, and later move these to the trash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", required=True, metavar="AGE", help="unused for so long: 2y, 18m, 90d")
        parser.add_argument("--grace", default="30d", metavar="AGE", help="until the trash (default: %(default)s)")
        parser.add_argument("--delete-after", metavar="AGE", help="in the trash; without it nothing is deleted")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")

    def handle(
        self, *, older_than: str, grace: str, delete_after: str | None, dry_run: bool, **options: object
    ) -> None:
        in_trash = parse_age(delete_after, "--delete-after") if delete_after else None
        ages = Ages(parse_age(older_than, "--older-than"), parse_age(grace, "--grace"), in_trash)
        for course, step in list(retirement.next_steps(ages)):
            if not dry_run and not retirement.take_step(course, step, ages, by=SERVER):
                continue  # deleting the ones before took a while
            self.stdout.write(f"{course}: {'would be ' if dry_run else ''}{step}")
            if step in (Step.ANNOUNCE, Step.TRASH):
                self.stdout.write(f"    its archive: ngshare export_course {course.name!r} FILE.zip")


def parse_age(text: str, option: str) -> timedelta:
    """Return a number of days, weeks, months of 30 days or years of 365. Errors: CommandError."""
    match = re.fullmatch(r"(\d{1,5})([dwmy])", text)
    if not match or int(match[1]) == 0:
        raise CommandError(f"{option}: write an age such as 90d, 18m or 2y.")
    return timedelta(days=int(match[1]) * DAYS[match[2]])
