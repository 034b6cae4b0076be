from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.core.checks import register

from courses import checks


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "Courses and people"

    def ready(self) -> None:
        register(checks.group_patterns_name_the_course)


class SiteAdminConfig(admin.AdminConfig):
    """Django's admin, with our own site in place of the stock one."""

    default = False
    default_site = "courses.adminsite.Site"
