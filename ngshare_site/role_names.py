"""Somebody's role in a course, as pages write it beside the name of the course."""

from typing import Any

from django.utils.translation import pgettext_lazy

from courses.models import Role

ROLES: dict[str, Any] = {  # lazy
    Role.INSTRUCTOR: pgettext_lazy("your role", "instructor"),
    Role.GRADER: pgettext_lazy("your role", "grader"),
    Role.STUDENT: pgettext_lazy("your role", "student"),
}
