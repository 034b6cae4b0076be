"""The admin's list of how regular tasks ended, for administrators."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from courses.admin.base import BaseAdmin, english
from exchange.models import MaintenanceRun


@admin.register(MaintenanceRun)
class MaintenanceRunAdmin(BaseAdmin[MaintenanceRun]):
    list_display = ("started", "task", "succeeded", "result", "ended")
    list_filter = ("task", "succeeded")
    search_fields = ("task",)
    fields = readonly_fields = ("task", "started", "ended", "succeeded", "result")

    @admin.display(description=_("result"))
    def result(self, run: MaintenanceRun) -> SafeString:
        return english(run.result)
