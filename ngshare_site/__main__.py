"""ngshare's command line: `ngshare serve`, `python -m ngshare_site serve`, `python manage.py serve`."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
    try:
        settings.DATABASES  # noqa: B018  # reads the environment
    except ImproperlyConfigured as error:
        sys.exit(f"ngshare cannot start: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
