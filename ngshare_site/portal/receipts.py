"""The page that checks a receipt, which is dropped on it or pasted, or finds a submission by its short code."""

from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from courses.permissions import actor_of
from exchange import deadlines, queries, receipts, short_codes
from exchange.models import Submission
from exchange.receipts import State, Verdict

LONGEST_CODE = 40  # characters of what is read as a short code, with blanks and hyphens
GENUINE = {State.GENUINE, State.DELETED, State.OTHER_FILES}
STATES = {
    State.GENUINE: pgettext_lazy("a receipt", "genuine"),
    State.DELETED: pgettext_lazy("a receipt", "deleted"),
    State.OTHER_FILES: pgettext_lazy("a receipt", "other files"),
    State.CHANGED: pgettext_lazy("a receipt", "changed"),
    State.UNKNOWN_KEY: pgettext_lazy("a receipt", "unknown key"),
    State.NO_RECEIPT: pgettext_lazy("a receipt", "no receipt"),
}


class ReceiptForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("The file"), required=False, allow_empty_file=True)
    text = forms.CharField(
        label=gettext_lazy("Or its text, or a short code"),
        required=False,
        max_length=receipts.MAX_SIZE,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )

    def clean_file(self) -> str:
        """Return the text of the file. Errors: ValidationError."""
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > receipts.MAX_SIZE:
            raise ValidationError(
                _("This is no receipt: one has %(limit)d bytes at most.") % {"limit": receipts.MAX_SIZE}
            )
        return file.read().decode("utf-8-sig", errors="replace")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("file") and not cleaned.get("text"):
            raise ValidationError(_("Choose a file, or paste its text."))
        return cleaned

    @property
    def claim(self) -> str:
        return str(self.cleaned_data["file"] or self.cleaned_data["text"])


@method_decorator(never_cache, name="dispatch")
class ReceiptCheckView(LoginRequiredMixin, FormView):
    template_name = "ngshare/receipt_check.html"
    form_class = ReceiptForm
    http_method_names = ["get", "head", "post"]

    def form_valid(self, form: ReceiptForm) -> HttpResponse | HttpResponseBase:  # type: ignore[override]
        if len(form.claim) <= LONGEST_CODE and "{" not in form.claim:
            return self._open_by_code(form)
        claimed = receipts.read(form.claim)
        verdict = receipts.verify(claimed) if claimed is not None else Verdict(State.NO_RECEIPT)
        facts = claimed if verdict.state in GENUINE else None
        context = self.get_context_data(
            form=form,
            verdict=verdict,
            state=STATES[verdict.state],
            facts=facts,
            times=_times(facts) if facts else None,
            link=self._visible(verdict.submission) if verdict.submission else None,
        )
        return self.render_to_response(context)

    def _open_by_code(self, form: ReceiptForm) -> HttpResponseBase:
        code = short_codes.parse(form.claim)
        if code is None:
            form.add_error(None, _("This is no receipt, and no short code of one. Is a character of it wrong?"))
            return self.form_invalid(form)
        submission = Submission.objects.filter(code=code).first()
        if submission is None or not self._visible(submission):
            text = _("There is no submission %(code)s, or it is not for you to see.")
            form.add_error(None, text % {"code": short_codes.grouped(code)})
            return self.form_invalid(form)
        return redirect("submission", submission.pk)

    def _visible(self, submission: Submission) -> Submission | None:
        """Return the submission if the user may see it."""
        return queries.visible_submissions(actor_of(self.request), removed=True).filter(pk=submission.pk).first()


class Times(NamedTuple):
    created: datetime
    due: datetime | None
    punctuality: str  # in words; empty without a due date


def _times(facts: receipts.Receipt) -> Times:
    created = datetime.fromisoformat(str(facts["timestamp"]))
    if not facts.get("due"):
        return Times(created, None, "")
    due = datetime.fromisoformat(str(facts["due"]))
    lateness = deadlines.lateness(created, due)
    return Times(created, due, _("%(lateness)s late") % {"lateness": lateness} if lateness else _("in time"))
