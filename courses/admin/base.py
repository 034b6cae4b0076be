"""The base classes of all admin pages.

A person sees the objects of the courses whose roster they may see, as the roster stands at this request. Everything is
written by service functions; what they refuse becomes a message on the page. The history of an object is what the audit
log has about it; Django's own log of the admin is not kept beside it.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied as Forbidden
from django.core.exceptions import SuspiciousOperation
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, smart_split
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from courses.admin.lists import MAX_COUNT, CappedPaginator, ChangeList
from courses.audit_sentences import details_of, sentence_of
from courses.errors import DomainError, PermissionDenied
from courses.models import AuditEntry
from courses.permissions import Permission, actor_of

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
Admin = TypeVar("Admin", bound="BaseAdmin[Any]")

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:

    class ModelAdmin(Generic[M], admin.ModelAdmin):
        """Django's class, which takes its model in brackets only in the type stubs."""


# Django's German says "Sie"; the catalogue beside this says it again, with "du" as everywhere.
gettext_noop(
    'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? '
    "All of the following related items will be deleted:"
)

MAX_HISTORY = 200  # entries on one page
MAX_SEARCH_LENGTH = 2000  # characters: longer than anything that could be found
MAX_SEARCH_WORDS = 10  # each is looked for in many columns


def parse_pk(text: str) -> int | None:
    """Return the primary key that came with a request, or None for what no database would take as one."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def english(text: str) -> SafeString:
    """Return a text that is kept in English only, marked as such for those who read the page in another language."""
    return format_html('<span lang="en">{}</span>', text) if text else SafeString()


def report_errors(
    view: Callable[Concatenate[Admin, HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[Admin, HttpRequest, P], HttpResponseBase]:
    """Decorate a view: where a service raises a DomainError, show its message on the same page.

    The redirect to the page checks again who may see it.
    """

    @wraps(view)
    def wrapper(self: Admin, request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(self, request, *args, **kwargs)
        except DomainError as error:
            if isinstance(error, PermissionDenied) and request.method != "POST":
                raise Forbidden(error.message) from error
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())

    return wrapper


class BaseAdmin(ModelAdmin[M]):
    """What all pages share. By itself it lets administrators look, and nobody change anything."""

    actions_on_bottom = True

    @property
    def media(self) -> forms.Media:
        """Leave out the scripts for fields that fill in others, a third of all: there are none here."""
        jquery = f"vendor/jquery/jquery{'' if settings.DEBUG else '.min'}.js"
        names = (jquery, "jquery.init.js", "core.js", "admin/RelatedObjectLookups.js", "actions.js")
        return forms.Media(js=[f"admin/js/{name}" for name in names])

    list_per_page = 100
    show_full_result_count = False
    paginator = CappedPaginator

    # Permissions

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return actor_of(request).is_administrator

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["administer"]`."""
        return actor_of(request).is_administrator

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """Return the object or None. An empty `?_to_field=` names no field, which Django's own would look for."""
        return super().get_object(request, object_id, from_field or None)

    def get_visible_object(self, request: HttpRequest, pk: int) -> M:
        """Return the object for a view of our own. Errors: Http404 for what the person does not see."""
        obj = self.get_object(request, str(pk))
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj

    # Queries to a list

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return ChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow what the filters beside the list ask, and nothing else: no regular expression, no other table."""
        allowed: set[str] = set()
        for list_filter in self.get_list_filter(request):  # type: ignore[arg-type]
            column = list_filter[0] if isinstance(list_filter, (tuple, list)) else list_filter
            if isinstance(column, str):
                allowed |= {column, *(f"{column}__{suffix}" for suffix in ("exact", "isnull", "gte", "lt"))}
            else:
                allowed.add(column.parameter_name)  # type: ignore[union-attr]
        return lookup in allowed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        if not self.is_searchable(request, search_term):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def is_searchable(self, request: HttpRequest, search_term: str) -> bool:
        """Return whether a search term is short enough to be looked for. Otherwise say so on the page."""
        is_short = len(search_term) <= MAX_SEARCH_LENGTH
        if is_short and len(list(islice(smart_split(search_term), MAX_SEARCH_WORDS + 1))) <= MAX_SEARCH_WORDS:
            return True
        text = _("Search for %(count)d words at most. A text in quotation marks is one word.")
        messages.warning(request, text % {"count": MAX_SEARCH_WORDS})
        return False

    def response_action(self, request: HttpRequest, queryset: QuerySet[M]) -> HttpResponseBase | None:  # type: ignore[override]
        if None in map(parse_pk, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise SuspiciousOperation("An action names rows whose primary key is no number.")
        if request.POST.get("select_across") not in (None, "0") and CappedPaginator(queryset, 1).is_capped:
            text = _("Narrow the list to %(max)s rows or fewer before you choose all of them.")
            messages.error(request, text % {"max": number_format(MAX_COUNT, force_grouping=True)})
            return None
        return super().response_action(request, queryset)

    def tell_count(self, request: HttpRequest, count: int, done: str, *, already: str) -> None:
        """Say what was `done`; where the count is 0, as for a form that was sent twice, say `already`."""
        messages.success(request, done if count else already)

    # Errors of services

    @report_errors
    def changeform_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponseBase:
        return super().changeform_view(request, object_id, form_url, extra_context)

    @report_errors
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponseBase:  # type: ignore[override]
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @report_errors
    def delete_view(  # type: ignore[override]
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        return super().delete_view(request, object_id, extra_context)

    # History

    def construct_change_message(
        self, request: HttpRequest, form: object, formsets: object, add: bool = False
    ) -> list[dict[str, dict[str, list[str]]]]:
        return []

    def log_addition(self, request: HttpRequest, obj: M, message: object) -> None:  # type: ignore[override]
        pass

    def log_change(self, request: HttpRequest, obj: M, message: object) -> None:  # type: ignore[override]
        pass

    def history_of(self, obj: M) -> QuerySet[AuditEntry]:
        """Return what the audit log has about the object."""
        return AuditEntry.objects.none()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(object)s") % {"object": obj},
            "module_name": capfirst(self.opts.verbose_name_plural),
            "opts": self.opts,
            "object": obj,
            "entries": [(entry, sentence_of(entry), details_of(entry)) for entry in self.history_of(obj)[:MAX_HISTORY]],
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    # Pages of our own

    def confirm(
        self,
        request: HttpRequest,
        *,
        title: str,
        sentences: Sequence[str],
        rows: Sequence[M] = (),
        counts: dict[str, int] | None = None,
        action: str = "",
        form: forms.Form | None = None,
        button: str = "",
    ) -> TemplateResponse:
        """Return a page that says what will happen and asks.

        Its POST comes back to the same address with `confirmed` in it, and, for an `action` of a list, with the rows
        that were shown. `counts` says how much would be deleted, {"submissions": 12, …}.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "sentences": sentences,
            "rows": rows,
            "counts": counts or {},
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
            "form": form,
            "button": button or _("Yes, I’m sure"),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/ngshare/confirm.html", context)


class CourseScopedAdmin(BaseAdmin[M]):
    """Objects that belong to a course: everybody who may see its roster sees them."""

    course_path = "course"  # from the object to its course

    def course_id(self, obj: M) -> int:
        path = self.course_path.replace("__", ".")
        return attrgetter(path if path == "pk" else f"{path}_id")(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        if actor_of(request).is_administrator:
            return rows
        return rows.filter(**{f"{self.course_path}__in": actor_of(request).courses_with(Permission.SEE_ROSTER)})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """Return the object, and let its page show and read times in the zone of its course."""
        obj = super().get_object(request, object_id, from_field)
        if obj is not None:
            course: Any = obj if self.course_path == "pk" else attrgetter(self.course_path.replace("__", "."))(obj)
            timezone.activate(course.zone)
        return obj

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self.may(request, Permission.SEE_ROSTER, obj)

    def may(self, request: HttpRequest, permission: Permission, obj: M | None = None) -> bool:
        """Return whether the person has the permission for this object, or without one, in any course."""
        if obj is None:
            return actor_of(request).may_anywhere(permission)
        return actor_of(request).may(permission, self.course_id(obj))

    def has_roster_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["roster"]`."""
        return self.may(request, Permission.CHANGE_ROSTER)
