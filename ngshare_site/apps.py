from django.apps import AppConfig
from django.contrib.admin import apps as admin


class SiteConfig(AppConfig):
    name = "ngshare_site"
    verbose_name = "ngshare"


class SiteAdminConfig(admin.AdminConfig):
    """Django's admin, with ngshare's site in place of the stock one."""

    default = False
    default_site = "ngshare_site.admin_site.NgshareAdminSite"
