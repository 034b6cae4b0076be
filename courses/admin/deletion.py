"""Deleting permanently, as an action of a list: counted, and confirmed by typing."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.contrib.admin.utils import NestedObjects, model_ngettext
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.admin.base import CourseScopedAdmin, M
from courses.admin.forms import PhraseForm
from courses.permissions import Actor, actor_of


class TrashAdmin(CourseScopedAdmin[M]):
    """Objects that can be hidden, restored, and, once they are hidden, deleted permanently."""

    hidden_since = "withdrawn_at"  # the column that says since when an object is hidden

    def delete_row(self, row: M, *, by: Actor) -> dict[str, int]:
        """Delete one object permanently, by the service function of its model."""
        raise NotImplementedError

    @admin.action(description=gettext_lazy("Delete permanently"), permissions=["administer"])
    def delete_permanently(self, request: HttpRequest, queryset: QuerySet[M]) -> HttpResponseBase | None:
        """Delete those of the chosen objects that are hidden, once their name is typed."""
        chosen = list(queryset.exclude(**{self.hidden_since: None}))
        if "confirmed" in request.POST and not queryset.exists():
            messages.success(request, _("What you chose is deleted already."))
            return None
        if not chosen:
            messages.error(request, _("Only what is in the trash or unreleased can be deleted permanently."))
            return None
        names = model_ngettext(self.opts, len(chosen))
        many = {"count": len(chosen), "names": names}
        phrase = str(chosen[0]) if len(chosen) == 1 else _("delete %(count)d %(names)s") % many
        form = PhraseForm(request.POST if "confirmed" in request.POST else None, required_phrase=phrase)
        if not form.is_valid():
            counts = self.get_deleted_objects(chosen, request)[1]
            return self.confirm(
                request,
                title=_("Delete permanently"),
                sentences=[_("This cannot be undone. Submissions, receipts and feedback are deleted, too.")],
                rows=chosen,
                counts=counts,
                action="delete_permanently",
                form=form,
                button=_("Delete permanently"),
            )
        with transaction.atomic():
            for row in chosen:
                self.delete_row(row, by=actor_of(request))
        text = ngettext(
            "%(count)d %(names)s was deleted permanently.", "%(count)d %(names)s were deleted permanently.", len(chosen)
        )
        messages.success(request, text % many)
        return None

    def get_deleted_objects(
        self, objs: Iterable[M], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Count what is deleted with the objects, and name none of it.

        Django's own lists every object by its text, with two queries for each submission; a course may have 100,000.
        """
        rows = list(objs)
        collector = NestedObjects(using=router.db_for_write(self.model), origin=rows)
        collector.collect(rows)
        found = collector.model_objs.items()
        counts = {str(model._meta.verbose_name_plural): len(pks) for model, pks in found}  # type: ignore[attr-defined]
        return [], counts, set(), [str(obj) for obj in collector.protected]
