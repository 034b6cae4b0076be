from django.apps import AppConfig
from django.core.checks import register

from courses import checks


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "Courses and people"

    def ready(self) -> None:
        register(checks.group_patterns_name_the_course)
