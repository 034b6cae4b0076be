"""The admin's page of the audit log, where receipts lead to what happened to their submissions."""

from django.contrib import admin
from django.db.models import Q

from courses.admin.people import AuditAdmin
from courses.models import AuditEntry
from exchange.admin.search import with_receipt


@admin.register(AuditEntry)
class ReceiptAuditAdmin(AuditAdmin):
    def condition_for(self, word: str) -> Q:
        return Q(object_type="submission") & with_receipt(word, "object_id")
