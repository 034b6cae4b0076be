"""Filters of lists, on django-filter: what is malformed is a 400, and what is left out narrows nothing."""

import re
from typing import cast

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from courses.errors import Invalid
from courses.models import Membership

MAX_SEARCH_WORDS = 10  # each is looked for in four columns
TRUE, FALSE = ("true", "1"), ("false", "0", "")


class FlagField(forms.Field):
    """Text that means yes or no; what is left out means no."""

    def clean(self, value: str | None) -> bool:
        text = (value or "").lower()
        if text not in TRUE + FALSE:
            raise forms.ValidationError(_("Write true or false."))
        return text in TRUE


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(filters.Filter):
    """A flag that a FilterSet reads in its `filter_queryset`; alone it narrows nothing."""

    field_class = FlagField

    def filter(self, rows: QuerySet[Model], value: bool) -> QuerySet[Model]:
        return rows


class IdsField(forms.Field):
    def clean(self, value: str | None) -> list[int] | None:
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18})*", value):
            raise forms.ValidationError(_("Write whole numbers, separated by commas."))
        return [int(part) for part in value.split(",")]


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,18}(,[0-9]{1,18})*$"})
class IdsFilter(filters.Filter):
    """Rows with one of these ids, as `1,2,3`."""

    field_class = IdsField

    def filter(self, rows: QuerySet[Model], value: list[int] | None) -> QuerySet[Model]:
        return rows if value is None else rows.filter(pk__in=value)


class ExactField(forms.CharField):
    def to_python(self, value: str | None) -> str | None:  # None is not the empty text
        return value


class ExactFilter(filters.CharFilter):
    """Rows with exactly this text, also with the empty one."""

    field_class = ExactField

    def filter(self, rows: QuerySet[Model], value: str | None) -> QuerySet[Model]:
        return rows if value is None else rows.filter(**{str(self.field_name): value})


class Filters(filters.FilterSet):
    """A FilterSet whose form class is made once, and not for each request."""

    _form_class: type[forms.Form] | None = None

    def get_form_class(self) -> type[forms.Form]:
        own = type(self)
        if "_form_class" not in vars(own):
            own._form_class = super().get_form_class()
        return cast(type[forms.Form], own._form_class)


class MemberFilter(Filters):
    role = ExactFilter()
    section = ExactFilter()
    search = filters.CharFilter(method="match", help_text="words of the user name, the names or the e-mail address")

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ()

    def match(self, rows: QuerySet[Membership], name: str, words: str) -> QuerySet[Membership]:
        """Return the rows in which each of the words occurs. Errors: Invalid."""
        if len(words.split()) > MAX_SEARCH_WORDS:
            raise Invalid(_("Search for %(count)d words at most.") % {"count": MAX_SEARCH_WORDS})
        for word in words.split():
            rows = rows.filter(
                Q(user__username__icontains=word)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(email__icontains=word)
            )
        return rows
