"""Forms of the admin. What a person may not give or change is not offered, and not believed when it is sent anyway."""

from typing import Any, ClassVar

from django import forms
from django.forms import BaseInlineFormSet

from courses import services
from courses.errors import Invalid
from courses.models import Course, Membership, Role
from courses.permissions import Actor, Permission
from courses.services import NAME_FIELDS, RosterEntry


class CourseForm(forms.ModelForm):
    """A new course."""

    instructors = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        required=False,
        help_text="User names on JupyterHub, one on each line or between commas.",
    )

    class Meta:
        model = Course
        fields = ("name",)
        help_texts: ClassVar = {"name": "As nbgrader calls it (course_id). It cannot be changed later."}

    def clean_name(self) -> str:
        name = checked(self.cleaned_data["name"], "course")
        # The database's own rule has a condition on a column that is no field of this form: Django skips it.
        if Course.objects.present().filter(name=name).exists():
            raise forms.ValidationError("There is a course of this name already.")
        return name

    def clean_instructors(self) -> list[str]:
        names = self.cleaned_data["instructors"].replace(",", "\n").split("\n")
        return [checked(name.strip()) for name in names if name.strip()]


def checked(name: str, what: str = "user") -> str:
    try:
        return services.check_name(name, what)
    except Invalid as error:
        raise forms.ValidationError(error.message) from error


class MemberRowForm(forms.ModelForm):
    """One line of a roster. The page that shows it sets `actor`."""

    actor: ClassVar[Actor]

    class Meta:
        model = Membership
        fields = ("role", *NAME_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one = self.instance
        if not one.pk:
            return
        for name in self.fields.keys() & {"role", *NAME_FIELDS}:
            # What was shown is sent along: only what differs from that was changed by the person, whatever the row
            # says by now. So a page that was left open undoes nothing that others did meanwhile.
            self.fields[name].show_hidden_initial = True
        if not self.actor.may_assign(one.role, one.course_id):
            is_own = one.user == self.actor.user and self.actor.may(Permission.CHANGE_ROSTER, one.course_id)
            for name, field in self.fields.items():
                field.disabled = name == "role" or not is_own
        elif "role" in self.fields:
            self.offer_roles(one.course_id)

    def offer_roles(self, course_id: int | None) -> None:
        """Those that the person may give in the course; for one that is still to be chosen, those of any course."""
        role: Any = self.fields["role"]
        courses = [course_id] if course_id else self.actor.courses_with(Permission.CHANGE_ROSTER)
        role.choices = [
            (value, label)
            for value, label in Role.choices
            if self.actor.is_administrator or any(self.actor.may_assign(value, course) for course in courses)
        ]

    @property
    def person(self) -> RosterEntry:
        """What the form says: only what was changed in it."""
        said = {name: self.cleaned_data[name] or "" for name in NAME_FIELDS if name in self.changed_data}
        role = self.cleaned_data["role"] if "role" in self.changed_data else None
        return RosterEntry(self.instance.user.username if self.instance.pk else "", role, **said)


class MemberForm(MemberRowForm):
    """One member, whose name is asked for when the member is new."""

    username = forms.CharField(
        label="User name", max_length=255, help_text="As on JupyterHub. They need not have been here yet."
    )
    field_order = ("course", "username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.offer_roles(self.instance.course_id)
        elif "username" in self.fields:
            self.fields["username"].disabled = True
            self.initial["username"] = self.instance.user.username

    def clean_username(self) -> str:
        return self.cleaned_data["username"] if self.instance.pk else checked(self.cleaned_data["username"])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        course = said.get("course") or (self.instance.course_id and self.instance.course)
        if not self.instance.pk and course and "username" in said:
            # Neither person nor course need be fields of the form: Django would skip the database's own rule.
            if course.memberships.filter(user__username=said["username"]).exists():
                self.add_error("username", "This person is a member of the course already.")
            elif not self.actor.may_assign(said.get("role") or Role.STUDENT, course.pk):
                self.add_error("role", "You may not give this role.")
        return said

    @property
    def new_person(self) -> RosterEntry:
        said = {name: self.cleaned_data.get(name) or "" for name in NAME_FIELDS}
        return RosterEntry(self.cleaned_data["username"], self.cleaned_data["role"], **said)


class MemberFormSet(BaseInlineFormSet):
    """The members on a course's page. Rows of members who were taken off meanwhile are passed over."""

    @property
    def gone(self) -> int:
        """How many rows are of nobody any more."""
        return sum(not form.instance.pk for form in self.initial_forms)

    def _should_delete_form(self, form: Any) -> bool:
        is_gone = not form.instance.pk and form in self.initial_forms
        return is_gone or super()._should_delete_form(form)  # type: ignore[misc]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        one = form.instance
        if one.pk and "DELETE" in form.fields and not form.actor.may_assign(one.role, one.course_id):
            form.fields["DELETE"].disabled = True

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.extra_forms:
            name = form.cleaned_data.get("username") if hasattr(form, "cleaned_data") else None
            if name and name in seen:
                raise forms.ValidationError(f"{name} comes twice.")
            seen.add(name or "")


class RosterFileForm(forms.Form):
    """A CSV file to look at before it is taken over."""

    file = forms.FileField(
        label="CSV file",
        help_text="The first line names the columns: username (or id), and as you like first_name, last_name, email, "
        "section, role. Commas, semicolons or tabs; as a spreadsheet, a learning platform or nbgrader writes it.",
    )
    remove_others = forms.BooleanField(
        required=False,
        label="Take students off the roster whom the file does not name",
        help_text="Their work stays, and you see who it is before anything is done.",
    )


class SeenRosterForm(forms.Form):
    """The same file again, after its differences were looked at."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    remove_others = forms.BooleanField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)  # which differences were shown


class PhraseForm(forms.Form):
    """Asks for some words to be typed, so that nobody deletes for good by habit."""

    phrase = forms.CharField(required=False)

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted
        self.fields["phrase"].label = f"To go on, type: {wanted}"

    def clean_phrase(self) -> str:
        # Spaces are not seen, and a field of one line takes no line break: names may have both.
        if self.cleaned_data["phrase"].split() != self.wanted.split():
            raise forms.ValidationError(f"Type exactly: {self.wanted}")
        return self.wanted


class RenameForm(forms.Form):
    new = forms.CharField(label="New user name", max_length=255, help_text="As on JupyterHub.")


class MergeForm(forms.Form):
    into = forms.CharField(
        label="Into", max_length=255, help_text="User name of the account that stays and gets everything."
    )


class AnonymiseForm(forms.Form):
    log_too = forms.BooleanField(
        required=False, label="Also in the audit log", help_text="Else the log goes on naming them."
    )
