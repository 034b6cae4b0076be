"""The admin of assignments, submissions, feedback, files and notices."""

from exchange.admin import (  # noqa: F401  # they register their pages
    assignments,
    audit,
    courses,
    maintenance,
    notices,
    roster,
    storage,
    submissions,
)
