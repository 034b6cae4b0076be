"""What the exchange adds to a course's page: the rules about its deadlines."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses import services
from courses.admin.courses import CourseAdmin
from courses.admin.forms import CourseModelForm, LimitsForm
from courses.models import Course
from courses.permissions import Permission, actor_of
from exchange.admin.state_changes import AsksFirst
from exchange.services.deadlines import set_rules
from exchange.state_preview import StatePreview

admin.site.unregister(Course)


class LongSelect(forms.Select):
    """One of hundreds, without groups: written several times as fast as by Django's."""

    template_name = "exchange/long_select.html"


class RulesForm(LimitsForm):
    """An existing course, with its rules about deadlines, for instructors."""

    timezone = forms.ChoiceField(required=False, label=_("Time zone"), widget=LongSelect)

    class Meta(LimitsForm.Meta):
        fields: tuple[str, ...] = (*services.RULE_FIELDS, *services.LIMIT_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            names = sorted({*ZONES, self.instance.timezone} - {""})  # one that was set elsewhere may be an old name
            choices = [
                ("", gettext("The site’s (%(zone)s)") % {"zone": settings.NGSHARE_TIME_ZONE}),
                *zip(names, names, strict=True),
            ]
            self.fields["timezone"].choices = choices  # type: ignore[attr-defined]
            self.fields["timezone"].help_text = gettext("In which deadlines are entered and shown.")
        if "late_days" in self.fields:
            self.fields["late_days"].help_text = gettext("How many each student has in this course; empty for none.")
        for name in services.RULE_FIELDS:
            if name in self.fields:
                self.fields[name].show_hidden_initial = True  # as in MemberRowForm

    @property
    def changed_rules(self) -> dict[str, str | int | None]:
        return {name: self.cleaned_data[name] for name in services.RULE_FIELDS if name in self.changed_data}


# As people choose them: a place, or UTC. The others are old names of the same and fixed offsets.
PLACES = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ZONES = {name for name in available_timezones() if name == "UTC" or name.split("/")[0] in PLACES}


@admin.register(Course)
class RuledCourseAdmin(AsksFirst[Course], CourseAdmin):
    def get_form(
        self, request: HttpRequest, obj: Course | None = None, change: bool = False, **kwargs: object
    ) -> type[CourseModelForm]:
        return super().get_form(request, obj, change, **{**kwargs, **({"form": RulesForm} if obj else {})})

    def get_fields(self, request: HttpRequest, obj: Course | None = None) -> tuple[str, ...]:
        fields = super().get_fields(request, obj)
        return fields if obj is None else (*fields, *services.RULE_FIELDS)

    def get_readonly_fields(self, request: HttpRequest, obj: Course | None = None) -> tuple[str, ...]:
        fields = super().get_readonly_fields(request, obj)
        if obj is None or actor_of(request).may(Permission.RELEASE, obj):
            return tuple(name for name in fields if name not in services.RULE_FIELDS)
        return fields

    def save_model(self, request: HttpRequest, obj: Course, form: CourseModelForm, change: bool) -> None:
        """Errors: StatesWouldChange, which takes everything back."""
        super().save_model(request, obj, form, change)
        if isinstance(form, RulesForm) and (rules := form.changed_rules):
            rounds = set_rules(obj, rules, by=actor_of(request))
            StatePreview.of(rounds).require_seen(request.POST.get("seen", ""))
