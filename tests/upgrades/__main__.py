"""`python -m tests.upgrades NAME`: see record.py."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.upgrades.record import main  # noqa: E402  # the cast has models of Django

main()
