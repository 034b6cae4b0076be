"""ngshare's command line: `ngshare serve`, `python -m ngshare_site serve`, `python manage.py serve`."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
