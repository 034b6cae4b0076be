"""The admin of assignments, submissions, feedback and files."""

from exchange.admin import assignments, storage, submissions  # noqa: F401  # they register their pages
