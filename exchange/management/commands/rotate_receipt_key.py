"""`manage.py rotate_receipt_key`: sign receipts with another key from now on. See docs/operating.md."""

from django.core.management import BaseCommand

from courses.management.output import report_errors
from courses.permissions import SERVER
from exchange import receipt_keys


class Command(BaseCommand):
    help = "Sign receipts with a new key from now on. Earlier receipts go on verifying."

    def handle(self, **options: object) -> None:
        with report_errors():
            key = receipt_keys.rotate(by=SERVER)
        self.stdout.write(f"Receipts are signed with the key {key.key_id} from now on. Earlier ones still verify.")
