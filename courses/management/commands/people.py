"""`manage.py people rename|merge|deactivate|activate|anonymise`: when people change. See docs/admin.md."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses import people
from courses.management.output import refusals_told
from courses.permissions import SERVER


class Command(BaseCommand):
    help = "Rename, merge, deactivate, activate or anonymise someone. Their submissions stay."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        rename = acts.add_parser("rename", help="follow a new name on the Hub")
        rename.add_argument("user")
        rename.add_argument("new")
        merge = acts.add_parser("merge", help="give one account's everything to another, and delete the first")
        merge.add_argument("user", help="the account that is deleted")
        merge.add_argument("into", help="the account that stays")
        for act, said in (("deactivate", "refuse someone everywhere"), ("activate", "let someone in again")):
            acts.add_parser(act, help=said).add_argument("user")
        anonymise = acts.add_parser("anonymise", help="forget who someone is; cannot be undone")
        anonymise.add_argument("user")
        anonymise.add_argument("--log-too", action="store_true", help="replace the name in the audit log as well")
        for risky in (merge, anonymise):
            risky.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, act: str, user: str, **options: Any) -> None:
        with refusals_told():
            found = people.find(user)
            if act == "rename":
                people.rename(found, options["new"], by=SERVER)
                self.stdout.write(f"{user} is called {options['new']} now.")
            elif act == "merge":
                kept = people.find(options["into"])
                self.confirm(f"Everything of {user} becomes {kept}'s, and {user} is deleted.", options["yes"])
                moved = people.merge(found, kept, by=SERVER)
                told = ", ".join(f"{count} {kind}" for kind, count in moved.items())
                self.stdout.write(f"Merged {user} into {kept}: {told or 'nothing was theirs'}.")
            elif act == "anonymise":
                self.confirm(f"Who {user} is will be forgotten; this cannot be undone.", options["yes"])
                new = people.anonymise(found, by=SERVER, log_too=options["log_too"])
                kept_too = "" if options["log_too"] else " The audit log goes on naming them (--log-too replaces that)."
                self.stdout.write(
                    f"{user} is {new} now. Their submissions stay, and their files were not searched.{kept_too}"
                )
            else:
                people.set_active(found, act == "activate", by=SERVER)
                self.stdout.write(f"{user} is {'active' if found.is_active else 'not active'} now.")

    def confirm(self, sentence: str, is_sure: bool) -> None:
        if not is_sure and not _says_yes(f"{sentence} Type yes to go on: "):
            raise CommandError("Nothing was done.")


def _says_yes(question: str) -> bool:
    try:
        return input(question) == "yes"
    except EOFError:  # there is nobody to ask
        return False
