"""The deadlines and extensions on an assignment's page. A change that alters somebody's state is shown first."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from courses.admin.base import CourseScopedAdmin
from courses.admin.forms import name_inputs
from courses.errors import DomainError
from courses.permissions import Permission, actor_of
from courses.templatetags.times import local
from exchange import services
from exchange.admin.deadline_forms import (
    AdminDeadlinesForm,
    AdminLocalDateTimeWidget,
    ExtensionForm,
    ExtensionModelForm,
)
from exchange.admin.state_changes import AsksFirst
from exchange.deadline_forms import LocalDateTimeField
from exchange.models import Assignment, Extension
from exchange.state_preview import StatePreview

MAX_INLINE_EXTENSIONS = 100

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    TabularInline = admin.TabularInline[Extension, Assignment]
    BaseExtensionFormSet = BaseInlineFormSet[Extension, Assignment, ExtensionModelForm]
else:
    TabularInline = admin.TabularInline
    BaseExtensionFormSet = BaseInlineFormSet


TIMES: dict[Any, Any] = {models.DateTimeField: {"form_class": LocalDateTimeField, "widget": AdminLocalDateTimeWidget}}


class ExtensionFormSet(BaseExtensionFormSet):
    def clean(self) -> None:
        """Say at its row what the service function would refuse: the other rows stay as they were typed."""
        super().clean()
        for row in self.forms:
            if row.has_changed() and not row.errors and not self._should_delete_form(row):  # type: ignore[attr-defined]
                try:
                    services.check_has_effect(self.instance, row.grant)  # type: ignore[attr-defined]
                except DomainError as error:
                    row.add_error(None, error.message)

    def get_unique_error_message(self, unique_check: object) -> str:
        return gettext("A person or a section has one extension only.")

    def add_fields(self, form: ExtensionModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form, str(form.instance.user or form.instance.section or _("new")))


def shown(name: str, description: "str | _StrPromise") -> Callable[[Any, Any], str]:
    """Return a column for those who only look.

    Django's own leaves the zone out in an hour that comes twice, and links a person to a page for administrators.
    """

    @admin.display(description=description)
    def column(self: object, obj: Any) -> str:
        value = getattr(obj, name)
        return local(value) if isinstance(value, datetime) else str(value or "")

    return column


# Fields, and the columns that stand for them where they are only shown.
LOOKED_AT = {
    "user": "username",
    "release_at": "shown_release_at",
    "due": "shown_due",
    "cut_off": "shown_cut_off",
}


class ExtensionInline(TabularInline):
    model = Extension
    form = ExtensionForm
    formset = ExtensionFormSet
    fields = ("user", "section", "due", "cut_off", "attempts", "reason", "granted")
    readonly_fields = ("username", "shown_due", "shown_cut_off", "granted")
    username = shown("user", _("user name"))
    shown_due = shown("due", _("due date"))
    shown_cut_off = shown("cut_off", _("cut-off"))
    extra = 0
    classes = ("extensions",)
    formfield_overrides = TIMES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extension]:
        return super().get_queryset(request).select_related("user", "granted_by").order_by("section", "user__username")

    def get_formset(
        self, request: HttpRequest, obj: Assignment | None = None, **kwargs: Any
    ) -> type[BaseExtensionFormSet]:
        course = obj.course if obj else None
        form = type(ExtensionForm.__name__, (ExtensionForm,), {"course": course})
        return super().get_formset(request, obj, **{**kwargs, "form": form})

    def get_fields(self, request: HttpRequest, obj: Assignment | None = None) -> tuple[str, ...]:
        may_change = self.has_change_permission(request, obj)
        return self.fields if may_change else tuple(LOOKED_AT.get(name, name) for name in self.fields)

    @admin.display(description=_("granted"))
    def granted(self, extension: Extension) -> str:
        if not extension.pk:
            return ""
        person, time = extension.granted_by or pgettext("by", "the server"), local(extension.created)
        return gettext("by %(person)s, %(time)s") % {"person": person, "time": time}

    def _may(self, request: HttpRequest, permission: Permission, obj: Assignment | None) -> bool:
        actor = actor_of(request)
        return actor.may(permission, obj.course_id) if obj else actor.may_anywhere(permission)

    def has_view_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return self._may(request, Permission.SEE_ROSTER, obj)

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return self._may(request, Permission.EXTEND, obj)

    def has_add_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return self._may(request, Permission.EXTEND, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return self._may(request, Permission.EXTEND, obj)


class DeadlinesAdmin(AsksFirst[Assignment], CourseScopedAdmin[Assignment]):
    """The form of an assignment: its deadlines, for instructors, and extensions, for whoever may grant them."""

    form = AdminDeadlinesForm
    shown_release_at = shown("release_at", _("release time"))
    shown_due = shown("due", _("due date"))
    shown_cut_off = shown("cut_off", _("cut-off"))
    formfield_overrides = TIMES

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return self.may(request, Permission.RELEASE, obj) or self.may(request, Permission.EXTEND, obj)

    def has_release_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["release"]`."""
        return self.may(request, Permission.RELEASE)

    def get_fields(self, request: HttpRequest, obj: Assignment | None = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is None or self.may(request, Permission.RELEASE, obj):
            return fields
        return tuple(LOOKED_AT.get(str(name), name) for name in fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Assignment | None = None) -> Any:
        if obj is None or self.may(request, Permission.RELEASE, obj):
            return super().get_readonly_fields(request, obj)
        return self.get_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Assignment | None = None, change: bool = False, **kwargs: Any) -> Any:
        help_texts = {
            "release_at": gettext("In %(zone)s. Students see the assignment from then on."),
            "due": gettext("In %(zone)s. A release with nbgrader sets it to the due date in the gradebook."),
            "cut_off": gettext("In %(zone)s. Nothing is accepted after it."),
        }
        zone = timezone.get_current_timezone_name()
        help_texts = {name: text % {"zone": zone} for name, text in help_texts.items()}
        return super().get_form(request, obj, change, **{"help_texts": help_texts, **kwargs})

    def lists_extensions(self, assignment: Assignment | None) -> bool:
        """Return whether the page lists the extensions; more of them are in the CSV file alone."""
        return assignment is not None and assignment.extensions_made <= MAX_INLINE_EXTENSIONS  # type: ignore[attr-defined]

    def get_inlines(self, request: HttpRequest, obj: Assignment | None) -> Any:
        return (ExtensionInline,) if self.lists_extensions(obj) else ()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Assignment | None = None,
    ) -> HttpResponse:
        context["may_extend"] = obj is not None and self.may(request, Permission.EXTEND, obj)
        context["lists_extensions"] = self.lists_extensions(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        """Save nothing yet: see `save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the deadlines and extensions. Errors: StatesWouldChange, which takes everything back."""
        assignment, actor, rounds = form.instance, actor_of(request), []
        if form.changes:
            rounds.append(services.set_deadlines(assignment, form.changes, by=actor))
        for formset in formsets:
            if withdrawn := [row.instance for row in formset.deleted_forms if row.instance.pk]:
                rounds.append(services.withdraw_extensions(assignment, withdrawn, by=actor))
            changed = [row for row in formset.forms if row.has_changed() and row not in formset.deleted_forms]
            if changed:
                rounds.append(services.grant_extensions(assignment, [row.grant for row in changed], by=actor))
        StatePreview.of(rounds).require_seen(request.POST.get("seen", ""))
