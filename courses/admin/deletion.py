"""Deleting for good, as an action of a list: counted, and confirmed by typing."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from courses import deletion
from courses.admin.base import Page, confirmation
from courses.admin.forms import PhraseForm
from courses.permissions import actor_of


def delete_for_good(page: Page, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
    """An action: what is chosen and in the bin goes for good, once it is counted and its name is typed."""
    chosen = [one for one in queryset if deletion.is_in_trash(one)]
    if not chosen:
        messages.error(request, "Only what is in the bin can be deleted for good.")
        return None
    phrase = str(chosen[0]) if len(chosen) == 1 else f"delete {len(chosen)} {page.opts.verbose_name_plural}"
    form = PhraseForm(request.POST if "confirmed" in request.POST else None, wanted=phrase)
    if not form.is_valid():
        sentences = ["This cannot be undone: work, receipts and feedback will be gone, with all that hangs on them."]
        return confirmation(
            request,
            page,
            title="Delete for good",
            sentences=sentences,
            rows=chosen,
            counts=deletion.what_goes(chosen),
            action="delete_for_good",
            form=form,
            button="Delete for good",
        )
    with transaction.atomic():
        for one in chosen:
            deletion.delete_permanently(one, by=actor_of(request))
    messages.success(request, f"{len(chosen)} {page.opts.verbose_name_plural} were deleted for good.")
    return None
