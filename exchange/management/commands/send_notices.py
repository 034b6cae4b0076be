"""`ngshare send_notices`: send webhooks and mail. `serve` does so by itself, unless NGSHARE_SEND_NOTICES=0."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management import BaseCommand, CommandError, CommandParser

from exchange.notices import sending


class Command(BaseCommand):
    help = "Send the notices that are due, to webhooks and by mail, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when nothing more is due")
        parser.add_argument("--test-mail", metavar="ADDRESS", help="send a mail to try the settings, and nothing else")

    def handle(self, *, once: bool, test_mail: str | None, **options: object) -> None:
        if test_mail:
            self.send_test_mail(test_mail)
        elif once:
            while sending.run_once():
                pass
        else:
            sending.run()

    def send_test_mail(self, address: str) -> None:
        body = "ngshare can send mail. The notices that it sends are those that NGSHARE_MAIL names.\n"
        try:
            EmailMessage("A test of ngshare", body, to=[address]).send()
        except (smtplib.SMTPException, OSError) as error:
            server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
            raise CommandError(f"NGSHARE_MAIL_SERVER: {server} failed: {error}") from error
        self.stdout.write(f"Sent to {address}.")
