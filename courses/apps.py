from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from courses import checks


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = _("Courses and people")

    def ready(self) -> None:
        register(checks.group_patterns_name_the_course)
