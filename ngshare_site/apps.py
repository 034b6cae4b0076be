from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.core.checks import Tags, register

from ngshare_site import checks


class SiteConfig(AppConfig):
    name = "ngshare_site"
    verbose_name = "ngshare"

    def ready(self) -> None:
        for check in (checks.https_is_known, checks.users_are_asked_for):
            register(check, Tags.security, deploy=True)


class SiteAdminConfig(admin.AdminConfig):
    """Django's admin, with ngshare's site in place of the stock one."""

    default = False
    default_site = "ngshare_site.admin_site.NgshareAdminSite"
