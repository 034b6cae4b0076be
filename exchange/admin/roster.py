"""What the exchange adds to the roster: the action that extends an assignment for chosen members."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from courses.admin.members import MembershipAdmin
from courses.models import Membership
from courses.permissions import Permission, actor_of
from exchange import services
from exchange.admin.deadline_forms import ExtendForm
from exchange.state_preview import StatePreview, StatesWouldChange

admin.site.unregister(Membership)


@admin.register(Membership)
class ExtendingMembershipAdmin(MembershipAdmin):
    actions = ("extend", *MembershipAdmin.actions)

    def has_extend_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["extend"]`."""
        return self.may(request, Permission.EXTEND)

    @admin.action(description=_("Extend an assignment for them"), permissions=["extend"])
    def extend(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponseBase | None:
        """Ask for the extension, show whose state it changes, and grant it."""
        chosen = list(queryset)
        courses = {member.course_id for member in chosen}
        if len(courses) != 1:
            messages.error(request, gettext("Choose members of one course."))
            return None
        course = chosen[0].course
        actor_of(request).require(Permission.EXTEND, course)
        timezone.activate(course.zone)
        form = ExtendForm(request.POST if "confirmed" in request.POST else None, course=course)
        preview = StatePreview([])
        if form.is_valid():
            assignment = form.cleaned_data["assignment"]
            grants = form.grants([member.user.username for member in chosen])
            try:
                with transaction.atomic():
                    changes = services.grant_extensions(assignment, grants, by=actor_of(request))
                    StatePreview.of([changes]).require_seen(request.POST.get("seen", ""))
            except StatesWouldChange as unconfirmed:
                preview = unconfirmed.preview
            else:
                text = ngettext(
                    "%(assignment)s is extended for %(count)d member.",
                    "%(assignment)s is extended for %(count)d members.",
                    len(grants),
                )
                messages.success(request, text % {"assignment": assignment.name, "count": len(grants)})
                return None
        page = self.confirm(
            request,
            title=gettext("Extend an assignment"),
            sentences=[
                gettext(
                    "The extension replaces any that they have. What you leave empty stays as the assignment has it."
                )
            ],
            rows=chosen,
            action="extend",
            form=form,
            button=gettext("Extend"),
        )
        page.template_name = "admin/ngshare/extend.html"
        page.context_data = {**(page.context_data or {}), "preview": preview}
        return page
