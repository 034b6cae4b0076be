from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "ngshare_site"
    verbose_name = "ngshare"
