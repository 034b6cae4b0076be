"""What every page of the admin has in common.

Rows belong to courses; a person sees those of the courses whose roster they may see, as the roster stands at this
request. Nothing is written but by the verbs, whose refusals become a sentence on the page. The history of a thing is
what the audit log says of it; Django's own log of the admin's acts is not kept beside it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied as Forbidden
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from courses.errors import DomainError, PermissionDenied
from courses.models import AuditEntry, Course
from courses.permissions import Permission, actor_of

HISTORY = 200  # lines of it on one page
SEARCHED = 2000  # characters of a search: longer than anything that could be found, …
WORDS = 50  # … and words, as many as SQLite takes in one question beside the rest


def row_number(text: str) -> int | None:
    """A row's number as it came with a request; None for what no database would take as one."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def is_endless(search_term: str) -> bool:
    return len(search_term) > SEARCHED or len(search_term.split()) > WORDS


class Page(admin.ModelAdmin):
    """What all pages share. Without more, a kind of thing can be looked at by administrators and by nobody changed."""

    actions_on_bottom = True
    list_per_page = 100
    show_full_result_count = False
    object_history_template = "admin/ngshare/history.html"

    # Rights

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor_of(request).is_administrator

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["administer"]`."""
        return actor_of(request).is_administrator

    # What a list is asked

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """What the filters beside the list ask, and nothing else: no regular expression, no detour to other rows."""
        known: set[str] = set()
        for one in self.get_list_filter(request):  # type: ignore[arg-type]
            column = one[0] if isinstance(one, (tuple, list)) else one
            if isinstance(column, str):
                known |= {column, *(f"{column}__{how}" for how in ("exact", "isnull", "gte", "lt"))}
            else:
                known.add(column.parameter_name)  # type: ignore[union-attr]
        return lookup in known

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        if is_endless(search_term):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]
        if None in map(row_number, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise SuspiciousOperation("An action was asked for rows that have no number.")
        return super().response_action(request, queryset)

    # Refusals

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return told(super().changeform_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return told(super().changelist_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return told(super().delete_view, request, *args, **kwargs)

    # History

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def history_of(self, obj: Any) -> QuerySet[AuditEntry]:
        """What the audit log says of it."""
        return AuditEntry.objects.none()

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "opts": self.opts,
            "object": obj,
            "entries": self.history_of(obj)[:HISTORY],
        }
        return TemplateResponse(request, self.object_history_template or "", context)


class RowsOfCourses(Page):
    """Things that belong to a course: everybody who may see its roster sees them."""

    course_path = "course"  # from the thing to its course

    def course_id(self, obj: Any) -> int:
        *steps, last = self.course_path.split("__")
        for step in steps:
            obj = getattr(obj, step)
        return obj.pk if last == "pk" else getattr(obj, f"{last}_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if actor_of(request).is_administrator:
            return rows
        return rows.filter(**{f"{self.course_path}__in": actor_of(request).courses_with(Permission.SEE_ROSTER)})

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Permission.SEE_ROSTER, obj)

    def has_right(self, request: HttpRequest, right: Permission, obj: Any = None) -> bool:
        """For this thing, or for any at all."""
        if obj is None:
            return actor_of(request).may_anywhere(right)
        return actor_of(request).may(right, self.course_id(obj))

    def require(self, request: HttpRequest, right: Permission, obj: Any) -> None:
        """For pages of our own. Errors: Forbidden."""
        if not self.has_right(request, right, obj):
            raise Forbidden

    def has_roster_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["roster"]`."""
        return self.has_right(request, Permission.CHANGE_ROSTER)

    def seen(self, request: HttpRequest, object_id: int) -> Any:
        """The thing, for pages of our own. Errors: Http404 for what the person does not see."""
        obj = self.get_object(request, str(object_id))
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj


class CourseFilter(admin.SimpleListFilter):
    """The rows of one course, out of those that the person sees."""

    title = "course"
    parameter_name = "course"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        standing, courses = actor_of(request), Course.objects.order_by("name", "pk")
        if not standing.is_administrator:
            courses = courses.filter(pk__in=standing.courses_with(Permission.SEE_ROSTER))
        self.course_path = model_admin.course_path
        return [(str(one.pk), f"{one} (in the bin)" if one.removed_at else str(one)) for one in courses]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if (course := row_number(chosen)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(**{self.course_path: course})

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None


def told(view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
    """The view's answer; where a verb refuses, its sentence on the same page, which asks again who may see it."""
    try:
        return view(request, *args, **kwargs)
    except DomainError as error:
        if isinstance(error, PermissionDenied) and request.method != "POST":
            raise Forbidden(error.message) from error
        messages.error(request, error.message)
        return HttpResponseRedirect(request.get_full_path())


def confirmation(
    request: HttpRequest,
    page: admin.ModelAdmin,
    *,
    title: str,
    sentences: list[str],
    rows: Sequence[models.Model] = (),
    counts: dict[str, int] | None = None,
    action: str = "",
    form: Any = None,
    button: str = "Yes, do it",
) -> TemplateResponse:
    """A page that says what will happen and asks. Its POST comes back to the same address with `confirmed` in it,
    and, for an `action` of a list, with the rows that were shown."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "sentences": sentences,
        "rows": rows,
        "counts": counts or {},
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "form": form,
        "button": button,
        "media": page.media,
    }
    return TemplateResponse(request, "admin/ngshare/confirm.html", context)
