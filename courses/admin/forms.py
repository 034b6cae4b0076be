"""Forms of the admin. What a person may not give or change is not offered, and not accepted when it is sent anyway."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses import services, sizes
from courses.errors import Invalid
from courses.models import Course, Membership, Role
from courses.permissions import Actor, Permission, actor_of
from courses.services import NAME_FIELDS, RosterEntry

NAME_AND_ROLE = ("role", *NAME_FIELDS)

if TYPE_CHECKING:
    CourseModelForm = forms.ModelForm[Course]
    MembershipModelForm = forms.ModelForm[Membership]
    MemberInlineFormSet = BaseInlineFormSet[Membership, Course, "MemberForm"]
else:
    CourseModelForm = MembershipModelForm = forms.ModelForm
    MemberInlineFormSet = BaseInlineFormSet


class CourseForm(CourseModelForm):
    """A new course."""

    instructors = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        required=False,
        label=gettext_lazy("Instructors"),
        help_text=gettext_lazy("User names on JupyterHub, one on each line or between commas."),
    )

    class Meta:
        model = Course
        fields = ("name",)
        help_texts: ClassVar = {"name": gettext_lazy("As nbgrader calls it (course_id). It cannot be changed later.")}

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"], services.check_course_name)
        # The database's constraint has a condition on a column that is no field of this form: Django skips it.
        if Course.objects.present().filter(name=name).exists():
            raise forms.ValidationError(_("There is a course of this name already."))
        return name

    def clean_instructors(self) -> list[str]:
        names = self.cleaned_data["instructors"].replace(",", "\n").split("\n")
        return [clean_name(name.strip()) for name in names if name.strip()]


class SizeField(forms.CharField):
    """A number of bytes, written as `100MB`. Empty for None."""

    def prepare_value(self, value: object) -> object:
        return sizes.exact_size(value) if isinstance(value, int) else value

    def clean(self, value: object) -> int | None:
        text = super().clean(value)
        try:
            return sizes.parse_size(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: object, data: object) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class LimitsForm(CourseModelForm):
    """An existing course, for administrators: its limits. Empty fields take those of the site."""

    max_bytes = SizeField(required=False, label=gettext_lazy("Limit of the course"))
    max_person_bytes = SizeField(required=False, label=gettext_lazy("Limit of one person"))

    class Meta:
        model = Course
        fields: tuple[str, ...] = services.LIMIT_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rate = settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR
        for name, limit in (
            ("max_bytes", sizes.exact_size(settings.NGSHARE_MAX_COURSE_BYTES)),
            ("max_person_bytes", sizes.exact_size(settings.NGSHARE_MAX_PERSON_BYTES)),
            ("max_submissions_per_hour", _("%(rate)s; 0 for no limit") % {"rate": rate or _("none")}),
        ):
            if name in self.fields:
                self.fields[name].help_text = _("Empty for the site’s limit: %(limit)s.") % {"limit": limit}
                self.fields[name].show_hidden_initial = True  # as in MemberRowForm

    @property
    def changed_limits(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in services.LIMIT_FIELDS if name in self.changed_data}


def clean_name(name: str, check: Callable[[str], str] = services.check_name) -> str:
    try:
        return check(name)
    except Invalid as error:
        raise forms.ValidationError(error.message) from error


def name_inputs(form: forms.BaseForm, row: str = "") -> None:
    """Give each input a name that is read out: Django has no label for those in tables and for the halves of a time."""
    for bound in form.visible_fields():
        widget, label = bound.field.widget, f"{bound.label}, {row}" if row else bound.label
        if isinstance(widget, forms.MultiWidget):
            for part, name in zip(widget.widgets, (_("%(label)s: date"), _("%(label)s: time")), strict=True):
                part.attrs.setdefault("aria-label", name % {"label": label})
        elif row:
            widget.attrs.setdefault("aria-label", label)


class MemberRowForm(MembershipModelForm):
    """One line of a roster. The page that shows it sets `actor`."""

    actor: ClassVar[Actor]

    class Meta:
        model = Membership
        fields = NAME_AND_ROLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        member = self.instance
        name_inputs(self, member.user.username if member.pk else _("new"))
        if not member.pk:
            return
        for name in self.fields.keys() & {*NAME_AND_ROLE}:
            # The value that was shown is sent along: only what differs from it was changed by the person, whatever the
            # row says by now. So a page that was left open undoes nothing that others did meanwhile.
            self.fields[name].show_hidden_initial = True
        if not self.actor.may_assign(member.role, member.course_id):
            is_own = member.user == self.actor.user and self.actor.may(Permission.CHANGE_ROSTER, member.course_id)
            for name, field in self.fields.items():
                field.disabled = name == "role" or not is_own
        elif "role" in self.fields:
            self.offer_roles(member.course_id)

    def offer_roles(self, course_id: int | None) -> None:
        """Offer the roles that the person may give in the course, or without one, in any of theirs."""
        role: Any = self.fields["role"]
        courses = [course_id] if course_id else self.actor.courses_with(Permission.CHANGE_ROSTER)
        role.choices = [
            (value, label)
            for value, label in Role.choices
            if self.actor.is_administrator or any(self.actor.may_assign(value, course) for course in courses)
        ]

    @property
    def entry(self) -> RosterEntry:
        """Return what was changed in the form, and only that."""
        names = {name: self.cleaned_data[name] or "" for name in NAME_FIELDS if name in self.changed_data}
        role = self.cleaned_data["role"] if "role" in self.changed_data else None
        return RosterEntry(self.instance.user.username if self.instance.pk else "", role, **names)


def form_for(request: HttpRequest, form: type[MemberRowForm]) -> type[MemberRowForm]:
    """Return the form class as the person of this request gets it."""
    return type(form.__name__, (form,), {"actor": actor_of(request)})


def change_member(request: HttpRequest, form: MemberRowForm) -> None:
    """Save what was changed in the form, starting from the row as it is now: the form has changed its own instance."""
    if form.has_changed():
        member = Membership.objects.select_related("user", "course").get(pk=form.instance.pk)
        services.change_member(member, form.entry, by=actor_of(request))


class MemberForm(MemberRowForm):
    """One member, whose user name is asked for when the member is new."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=255,
        help_text=gettext_lazy("As on JupyterHub. They need not have been here yet."),
    )
    field_order = ("course", "username")
    existing: Membership | None = None  # who is a member already, just as the form says: it came once more

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.offer_roles(self.instance.course_id)
        elif "username" in self.fields:
            self.fields["username"].disabled = True
            self.initial["username"] = self.instance.user.username

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        return username if self.instance.pk else clean_name(username)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        course = values.get("course") or (self.instance.course_id and self.instance.course)
        if not self.instance.pk and course and "username" in values:
            # Neither person nor course need be fields of the form: Django would skip the database's constraint.
            member = course.memberships.select_related("user").filter(user__username=values["username"]).first()
            if member and self._says_what_is(member, values):
                self.existing = member
            elif member:
                self.add_error("username", _("This person is a member of the course already."))
            elif not self.actor.may_assign(values.get("role") or Role.STUDENT, course.pk):
                self.add_error("role", _("You may not give this role."))
        return values

    @staticmethod
    def _says_what_is(member: Membership, values: dict[str, Any]) -> bool:
        return all((getattr(member, name) or "") == (values.get(name) or "") for name in NAME_AND_ROLE)

    @property
    def new_entry(self) -> RosterEntry:
        names = {name: self.cleaned_data.get(name) or "" for name in NAME_FIELDS}
        return RosterEntry(self.cleaned_data["username"], self.cleaned_data["role"], **names)


class MemberFormSet(MemberInlineFormSet):
    """The members on a course's page. The rows of members who were removed meanwhile are skipped."""

    @property
    def removed_meanwhile(self) -> int:
        """Return how many rows belong to nobody any more."""
        removed = (form for form in self.initial_forms if not form.instance.pk)
        return sum(not self.data.get(form.add_prefix("DELETE")) for form in removed)  # those were to be removed

    def add_fields(self, form: MemberForm, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            self._settle_removal(form, index)
        # At last: a form keeps the fields that it was asked for.
        name_inputs(form, form.instance.user.username if form.instance.pk else _("new"))

    def _settle_removal(self, form: MemberForm, index: int | None) -> None:
        member = form.instance
        if member.pk and not form.actor.may_assign(member.role, member.course_id):
            form.fields["DELETE"].disabled = True
        elif not member.pk and index is not None and index < self.initial_form_count():
            # The member was removed meanwhile: Django skips a form that is marked for deletion, valid or not.
            form.fields["DELETE"] = forms.BooleanField(initial=True, required=False, disabled=True)

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.extra_forms:
            name = form.cleaned_data.get("username") if hasattr(form, "cleaned_data") else None
            if name and name in seen:
                raise forms.ValidationError(_("%(user)s comes twice.") % {"user": name})
            seen.add(name or "")


class PhraseForm(forms.Form):
    """Asks for a phrase to be typed, so that nobody deletes permanently by habit."""

    phrase = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None, *, required_phrase: str) -> None:
        super().__init__(data)
        self.required_phrase = required_phrase
        self.fields["phrase"].label = _("To go on, type: %(phrase)s") % {"phrase": required_phrase}
        self.fields["phrase"].label_suffix = ""  # a colon more would look like one of the phrase

    def clean_phrase(self) -> str:
        # Spaces are invisible, and a field of one line takes no line break: names may have both.
        if self.cleaned_data["phrase"].split() != self.required_phrase.split():
            raise forms.ValidationError(_("Type exactly: %(phrase)s") % {"phrase": self.required_phrase})
        return self.required_phrase


class RenameForm(forms.Form):
    new = forms.CharField(
        label=gettext_lazy("New user name"), max_length=255, help_text=gettext_lazy("As on JupyterHub.")
    )


class MergeForm(forms.Form):
    into = forms.CharField(
        label=gettext_lazy("Into"),
        max_length=255,
        help_text=gettext_lazy("User name of the account that stays and gets everything."),
    )


class AnonymiseForm(forms.Form):
    log_too = forms.BooleanField(
        required=False,
        label=gettext_lazy("Also in the audit log"),
        help_text=gettext_lazy("Otherwise the log still names them."),
    )
