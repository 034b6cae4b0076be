"""The admin of assignments, submissions, feedback and files."""

from exchange.admin import assignments, courses, maintenance, roster, storage, submissions  # noqa: F401  # they register their pages
