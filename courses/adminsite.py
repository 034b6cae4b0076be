"""The admin's site: who may come in, and what every page of it has in common.

Rows belong to courses; a person sees those of the courses whose roster they may see, as the roster stands at this
request. Nothing is written but by the verbs, whose refusals become a sentence on the page. The history of a thing is
what the audit log says of it; Django's own log of the admin's acts is not kept beside it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied as Forbidden
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from courses import roles
from courses.errors import PermissionDenied, Refusal
from courses.models import AuditEntry, Course, User
from courses.roles import Right, Standing

HISTORY = 200  # lines of it on one page
SEARCHED = 2000  # characters of a search: longer than anything that could be found, …
WORDS = 50  # … and words, as many as SQLite takes in one question beside the rest


def standing_of(request: HttpRequest) -> Standing:
    """What the person may, read from the roster once for each request."""
    known: Standing | None = getattr(request, "_standing", None)
    if known is None:
        known = roles.standing(request.user)
        request._standing = known  # type: ignore[attr-defined]
    return known


def actor(request: HttpRequest) -> User:
    """Who is logged in. Errors: Forbidden."""
    if not isinstance(request.user, User):
        raise Forbidden
    return request.user


def row_number(text: str) -> int | None:
    """A row's number as it came with a request; None for what no database would take as one."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def is_endless(search_term: str) -> bool:
    return len(search_term) > SEARCHED or len(search_term.split()) > WORDS


class Site(admin.AdminSite):
    site_header = "ngshare"
    site_title = "ngshare"
    index_title = "Courses, rosters and hand-ins"
    index_template = "admin/ngshare/index.html"

    @cached_property
    def site_url(self) -> str:  # type: ignore[override]
        return settings.PREFIX

    def has_permission(self, request: HttpRequest) -> bool:
        return standing_of(request).may_somewhere(Right.SEE_ROSTER)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        seen = standing_of(request)
        staffed = Course.objects.filter(pk__in=seen.courses_with(Right.SEE_ROSTER)).order_by("name")
        own = [(course, seen.role_in[course.pk]) for course in staffed]
        return super().index(request, {**(extra_context or {}), "own_courses": own})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Send people to the log-in through the Hub; tell those who are logged in that this is not for them."""
        if request.user.is_authenticated and not self.has_permission(request):
            context = {**self.each_context(request), "is_nav_sidebar_enabled": False}
            return TemplateResponse(request, "admin/ngshare/not_for_you.html", context, status=403)
        following = request.GET.get("next") or request.get_full_path()
        if request.user.is_authenticated:
            return HttpResponseRedirect(f"{settings.PREFIX}admin/")
        return redirect_to_login(following, settings.LOGIN_URL)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """For the fields that use it; Django's own would look along any column."""
        known = {
            (page.opts.app_label, page.opts.model_name, field)
            for page in self._registry.values()
            for field in page.autocomplete_fields
        }
        if tuple(request.GET.get(part) for part in ("app_label", "model_name", "field_name")) not in known:
            raise Forbidden
        return super().autocomplete_view(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        raise Http404  # JupyterHub keeps passwords

    password_change_done = password_change


class Page(admin.ModelAdmin):
    """What all pages share. Without more, a kind of thing can be looked at by administrators and by nobody changed."""

    actions_on_bottom = True
    list_per_page = 100
    show_full_result_count = False
    object_history_template = "admin/ngshare/history.html"

    # Rights

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return standing_of(request).is_administrator

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
        return standing_of(request).is_administrator

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
        if standing_of(request).is_administrator:
            return rows
        return rows.filter(**{f"{self.course_path}__in": standing_of(request).courses_with(Right.SEE_ROSTER)})

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, Right.SEE_ROSTER, obj)

    def has_right(self, request: HttpRequest, right: Right, obj: Any = None) -> bool:
        """For this thing, or for any at all."""
        if obj is None:
            return standing_of(request).may_somewhere(right)
        return standing_of(request).may(right, self.course_id(obj))

    def require(self, request: HttpRequest, right: Right, obj: Any) -> None:
        """For pages of our own. Errors: Forbidden."""
        if not self.has_right(request, right, obj):
            raise Forbidden

    def has_roster_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["roster"]`."""
        return self.has_right(request, Right.CHANGE_ROSTER)

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
        standing, courses = standing_of(request), Course.objects.order_by("name", "pk")
        if not standing.is_administrator:
            courses = courses.filter(pk__in=standing.courses_with(Right.SEE_ROSTER))
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
    except Refusal as error:
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
