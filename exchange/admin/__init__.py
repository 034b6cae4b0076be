"""The admin of assignments, submissions, feedback, files and notices."""

from exchange.admin import assignments, courses, maintenance, notices, roster, storage, submissions  # noqa: F401  # they register their pages
