"""`manage.py people rename|merge|deactivate|activate|anonymise`: manage user accounts. See docs/admin.md."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses import people
from courses.management.output import report_errors
from courses.permissions import SERVER


class Command(BaseCommand):
    help = "Rename, merge, deactivate, activate or anonymise a user. Their submissions are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        rename = actions.add_parser("rename", help="follow a new name on the Hub")
        rename.add_argument("user")
        rename.add_argument("new")
        merge = actions.add_parser("merge", help="move everything of one account to another, and delete the first")
        merge.add_argument("user", help="the account that is deleted")
        merge.add_argument("into", help="the account that is kept")
        for action, text in (("deactivate", "refuse a user everywhere"), ("activate", "admit a user again")):
            actions.add_parser(action, help=text).add_argument("user")
        anonymise = actions.add_parser("anonymise", help="remove what identifies a user; cannot be undone")
        anonymise.add_argument("user")
        anonymise.add_argument("--log-too", action="store_true", help="replace the name in the audit log as well")
        for risky in (merge, anonymise):
            risky.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, action: str, user: str, **options: Any) -> None:
        with report_errors():
            existing = people.find(user)
            if action == "rename":
                people.rename(existing, options["new"], by=SERVER)
                self.stdout.write(f"{user} is called {options['new']} now.")
            elif action == "merge":
                kept = people.find(options["into"])
                self.confirm(f"Everything of {user} becomes {kept}'s, and {user} is deleted.", options["yes"])
                moved = people.merge(existing, kept, by=SERVER)
                counts = ", ".join(people.count_of_kind(count, kind) for kind, count in moved.items())
                self.stdout.write(f"Merged {user} into {kept}: {counts or 'there was nothing to move'}.")
            elif action == "anonymise":
                self.confirm(f"Everything that identifies {user} is removed; this cannot be undone.", options["yes"])
                new = people.anonymise(existing, by=SERVER, log_too=options["log_too"])
                note = "" if options["log_too"] else " The audit log still names them (--log-too replaces that too)."
                self.stdout.write(
                    f"{user} is {new} now. Their submissions are kept, and their files were not searched.{note}"
                )
            else:
                people.set_active(existing, action == "activate", by=SERVER)
                self.stdout.write(f"{user} is {'active' if existing.is_active else 'not active'} now.")

    def confirm(self, sentence: str, is_sure: bool) -> None:
        if not is_sure and not _ask(f"{sentence} Type yes to go on: "):
            raise CommandError("Nothing was done.")


def _ask(question: str) -> bool:
    try:
        return input(question) == "yes"
    except EOFError:  # standard input is closed
        return False
