"""A page of the admin that shows whose submissions change state before it saves."""

from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from courses.admin.base import BaseAdmin, M
from exchange.state_preview import StatePreview, StatesWouldChange


class AsksFirst(BaseAdmin[M]):
    """A page whose saving may raise StatesWouldChange: it is taken back, shown, and sent again with what was seen."""

    def changeform_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponseBase:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except StatesWouldChange as unconfirmed:
            return self.ask_first(request, object_id, unconfirmed.preview)

    def ask_first(self, request: HttpRequest, object_id: str | None, preview: StatePreview) -> TemplateResponse:
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Whose submissions change state"),
            "opts": self.opts,
            "original": self.get_object(request, object_id or ""),
            "preview": preview,
            "note": _("The states have changed since you looked.") if "seen" in request.POST else "",
            "sent": [pair for pair in sent if pair[0] not in ("csrfmiddlewaretoken", "seen")],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/ngshare/confirm_states.html", context)
