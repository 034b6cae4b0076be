"""The admin's pages of webhooks and deliveries, for administrators."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from courses.admin.base import BaseAdmin, english, parse_pk
from courses.errors import Invalid
from courses.models import AuditEntry
from courses.permissions import actor_of
from courses.templatetags.times import local_seconds
from exchange.notices import posting, webhooks
from exchange.notices.models import TEST, Delivery, Kind, State, Webhook

NO_COURSE = "0"  # the id of none

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Webhook]
else:
    ModelForm = forms.ModelForm


class WebhookForm(ModelForm):
    kinds = forms.MultipleChoiceField(choices=Kind.choices, widget=forms.CheckboxSelectMultiple, label=_("Notices"))

    class Meta:
        model = Webhook
        fields = webhooks.FIELDS
        widgets = {"url": forms.TextInput(attrs={"size": 80, "placeholder": "https://host/path"})}

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        if data and data.get("course") and parse_pk(str(data["course"])) is None:
            data = data.copy()
            data["course"] = NO_COURSE  # of which the field says that there is none; it would fail to look for a word
        super().__init__(data, *args, **kwargs)

    def clean_url(self) -> str:
        address: str = self.cleaned_data["url"]
        try:
            posting.check_address(address)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        return address


@admin.register(Webhook)
class WebhookAdmin(BaseAdmin[Webhook]):
    form = WebhookForm
    list_display = ("name", "url", "where", "what", "active", "failures", "paused_until")
    list_filter = ("active",)
    search_fields = ("name", "url", "course__name")
    list_select_related = ("course",)
    autocomplete_fields = ("course",)
    fields = (*webhooks.FIELDS, "failures", "paused_until", "secret_made")
    readonly_fields = ("failures", "paused_until", "secret_made")
    actions = ("send_test", "make_new_secret")

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """Leave out of a new webhook what only one that exists has."""
        return self.fields if obj else webhooks.FIELDS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_administrator

    def has_change_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        return actor_of(request).is_administrator

    def has_delete_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        return actor_of(request).is_administrator

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Choose what the address names; no course that cannot exist, which the field would fail to look for."""
        initial = super().get_changeform_initial_data(request)
        if parse_pk(str(initial.get("course", ""))) is None:
            initial.pop("course", None)
        return initial

    @admin.display(description=_("course"), ordering="course__name")
    def where(self, webhook: Webhook) -> str:
        return webhook.course.title if webhook.course else gettext("all courses")

    @admin.display(description=_("notices"))
    def what(self, webhook: Webhook) -> str:
        return ", ".join(str(Kind(kind).label) for kind in webhook.kinds)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        actor, values = actor_of(request), form.cleaned_data
        if change:
            webhooks.change_webhook(obj, {name: values[name] for name in form.changed_data}, by=actor)
            return
        made, secret = webhooks.create_webhook(
            values["name"], values["url"], values["kinds"], course=values["course"], by=actor
        )
        obj.pk, obj.plain_secret = made.pk, secret  # type: ignore[attr-defined]
        if not values["active"]:
            webhooks.change_webhook(made, {"active": False}, by=actor)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_secret(request, obj, obj.plain_secret)  # type: ignore[attr-defined]

    def _show_secret(self, request: HttpRequest, webhook: Webhook, secret: str) -> TemplateResponse:
        """Return the only page that ever shows a secret. It is no redirect, so that the secret is kept nowhere."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The secret of %(webhook)s") % {"webhook": webhook.name},
            "opts": self.opts,
            "secret": secret,
        }
        return TemplateResponse(request, "admin/ngshare/webhook_secret.html", context)

    def delete_view(  # type: ignore[override]
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        """Delete a webhook. Where the form comes once more, it is gone already, and that is what was wanted."""
        pk = parse_pk(object_id)
        if request.method == "POST" and self.has_delete_permission(request) and pk is not None:
            if not Webhook.objects.filter(pk=pk).exists():
                messages.success(request, gettext("The webhook is deleted."))
                return HttpResponseRedirect(reverse("admin:notices_webhook_changelist"))
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        webhooks.delete_webhook(obj, by=actor_of(request))

    def get_deleted_objects(
        self, objs: Iterable[Webhook], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Count the deliveries that go with them, and ask for no permission to delete these by themselves."""
        rows = list(objs)
        waiting = Delivery.objects.filter(webhook__in=rows, state=State.WAITING).count()
        return (
            [str(row) for row in rows],
            {gettext("webhooks"): len(rows), gettext("waiting deliveries"): waiting},
            set(),
            [],
        )

    @admin.action(description=_("Send a test"), permissions=["administer"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            webhooks.send_test(webhook, by=actor_of(request))
        count = len(queryset)
        text = ngettext(
            "A test is sent to %d webhook. The list of deliveries shows whether it arrives.",
            "A test is sent to %d webhooks. The list of deliveries shows whether it arrives.",
            count,
        )
        messages.success(request, text % count)

    @admin.action(description=_("Make a new secret"), permissions=["administer"])
    def make_new_secret(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> HttpResponseBase | None:
        chosen = list(queryset)
        if len(chosen) != 1:
            messages.error(request, gettext("Choose one webhook."))
            return None
        if "confirmed" not in request.POST:
            sentence = gettext("Receivers need the new secret within a day: until then, notices are signed with both.")
            title, action = gettext("Make a new secret"), "make_new_secret"
            return self.confirm(request, title=title, sentences=[sentence], rows=chosen, action=action)
        return self._show_secret(request, chosen[0], webhooks.make_new_secret(chosen[0], by=actor_of(request)))

    def history_of(self, obj: Webhook) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(object_type="webhook", object_id=obj.pk)


class KindFilter(admin.SimpleListFilter):
    title = _("notice")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [*((str(kind), str(kind.label)) for kind in Kind), (TEST, gettext("test"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(event__kind=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(BaseAdmin[Delivery]):
    list_display = ("what", "to", "happened", "state", "attempts", "next", "done_at", "last_error")
    list_filter = ("state", KindFilter)
    search_fields = ("event__name", "user__username", "webhook__name")
    search_help_text = _("Search by webhook, person, or webhook-id")
    list_select_related = ("event", "webhook", "user")
    fields = readonly_fields = (
        *("what", "to", "happened", "state", "attempts", "next", "done_at", "last_error"),
        *("name", "body"),
    )
    actions = ("send_again",)

    @admin.display(description=_("notice"), ordering="event__kind")
    def what(self, delivery: Delivery) -> str:
        kind = delivery.event.kind
        return str(Kind(kind).label) if kind in Kind.values else gettext("test")

    @admin.display(description=pgettext_lazy("receiver", "to"))
    def to(self, delivery: Delivery) -> str:
        if delivery.webhook:
            return gettext("webhook %(name)s") % {"name": delivery.webhook}
        return gettext("%(person)s, by mail") % {"person": delivery.user}

    @admin.display(description=_("happened"), ordering="event__created")
    def happened(self, delivery: Delivery) -> str:
        return local_seconds(delivery.event.created)

    @admin.display(description=_("next attempt"), ordering="next_attempt")
    def next(self, delivery: Delivery) -> str:
        return local_seconds(delivery.next_attempt) if delivery.state == State.WAITING else ""

    @admin.display(description=_("last error"), ordering="error")
    def last_error(self, delivery: Delivery) -> SafeString:
        return english(delivery.error)

    @admin.display(description=_("webhook-id"))
    def name(self, delivery: Delivery) -> str:
        return delivery.event.name

    @admin.display(description=_("body"))
    def body(self, delivery: Delivery) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(json.loads(delivery.event.body), indent=2, ensure_ascii=False))

    @admin.action(description=_("Send again"), permissions=["administer"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = webhooks.send_again(list(queryset), by=actor_of(request))
        text = ngettext("%d delivery is sent again.", "%d deliveries are sent again.", count)
        self.tell_count(request, count, text % count, already=gettext("What you chose is about to be sent."))
