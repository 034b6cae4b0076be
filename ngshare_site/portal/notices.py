"""The page on which people choose what they are mailed."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from courses.models import Membership
from courses.permissions import actor_of
from exchange.notices import choices, mail
from exchange.notices.models import Kind

DESCRIPTIONS = {
    Kind.RELEASED: _("An assignment was released, or released again"),
    Kind.SUBMITTED: _("A submission of mine was stored, with its receipt"),
    Kind.FEEDBACK_RETURNED: _("Feedback was returned on a submission of mine"),
    Kind.DUE_SOON: _("An assignment is due soon, and I have submitted nothing"),
}


class ChoiceForm(forms.Form):
    kinds = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label=_("Mail me when"))
    language = forms.ChoiceField(required=False, label=_("Language of the mail"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(kind), DESCRIPTIONS[kind]) for kind in choices.offered()]
        self.fields["kinds"].choices = offered  # type: ignore[attr-defined]
        languages = [("", _("the language of this site")), *settings.LANGUAGES]
        self.fields["language"].choices = languages  # type: ignore[attr-defined]


@method_decorator(never_cache, name="dispatch")
class NoticesView(LoginRequiredMixin, FormView):
    template_name = "ngshare/notices.html"
    form_class = ChoiceForm
    success_url = reverse_lazy("notices")
    http_method_names = ["get", "head", "post"]

    def get_initial(self) -> dict[str, Any]:
        actor = actor_of(self.request)
        return {"kinds": choices.wanted(by=actor), "language": mail.language_of(actor.required_user.pk)}

    def form_valid(self, form: ChoiceForm) -> HttpResponse:
        chosen = form.cleaned_data
        choices.choose(chosen["kinds"], language=chosen["language"], by=actor_of(self.request))
        messages.success(self.request, _("Your choice was saved."))
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        members = Membership.objects.filter(user=actor_of(self.request).required_user, course__removed_at=None)
        members = members.select_related("course").order_by("course__name")
        return super().get_context_data(offered=choices.offered(), members=members, **kwargs)
