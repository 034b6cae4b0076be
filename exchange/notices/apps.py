from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "exchange.notices"
    label = "notices"
    verbose_name = "notices"
