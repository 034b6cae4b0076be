"""The admin's pages of what was handed in and what was given back."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from courses.admin.base import CourseFilter, row_number
from courses.admin.deletion import delete_for_good
from courses.models import AuditEntry
from courses.permissions import Permission, actor_of
from exchange import file_responses, receipts, services
from exchange.admin.base import TreePage, change_address, links
from exchange.models import Assignment, Feedback, Submission
from exchange.storage.file_sets import readable_size

ZIPPED = 1000  # hand-ins in one download


class AssignmentFilter(admin.SimpleListFilter):
    """The assignments of the course that is chosen."""

    title = "assignment"
    parameter_name = "assignment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        course = row_number(request.GET.get("course", ""))
        if course is None:
            return []
        seen = model_admin.admin_site.get_model_admin(Assignment).get_queryset(request)
        return [(str(pk), name) for pk, name in seen.filter(course=course).values_list("pk", "name")]

    def has_output(self) -> bool:
        return bool(self.lookup_choices) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if (assignment := row_number(chosen)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(assignment=assignment)


class State(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states = {
        "waiting": ("Without feedback", Q(has_feedback=False, trial=False, withdrawn_at=None)),
        "uncollected": ("Not collected", Q(collected_at=None, trial=False, withdrawn_at=None)),
        "late": ("Late", Q(created__gt=F("assignment__due"))),
        "trial": ("Trials by staff", Q(trial=True)),
        "withdrawn": ("Withdrawn", Q(withdrawn_at__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        chosen = self.states.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class SubmissionAdmin(TreePage):
    course_path = "assignment__course"
    list_display = ("student", "assignment", "created", "state", "size")
    list_filter = (CourseFilter, AssignmentFilter, State, "created")
    list_select_related = ("assignment__course", "student", "file_set")
    search_fields = ("student__username", "assignment__name", "assignment__course__name")
    search_help_text = "Search by student, assignment, course, digest, or a file's path or hash"
    ordering = ("-pk",)
    fields = readonly_fields = (
        "whose",
        "sender",
        "assignment",
        "created",
        "release",
        "state",
        "collected_at",
        "receipt",
        "files",
        "feedbacks",
    )
    actions = ("download", "withdraw", "restore", "delete_for_good")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignment__course", "student", "file_set")
        return rows.annotate(has_feedback=Exists(Feedback.objects.filter(submission=OuterRef("pk"))))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["remove"]`."""
        return self.has_right(request, Permission.WITHDRAW_SUBMISSIONS)

    # What is shown

    @admin.display(description="student")
    def whose(self, submission: Submission) -> SafeString:
        """With a link to all of theirs; the page about a person is for administrators alone."""
        name = submission.student.username
        theirs = urlencode([("course", submission.assignment.course_id), ("q", f'"{name}"')])
        return format_html(
            '{} (<a href="{}?{}">all their hand-ins</a>)', name, reverse("admin:exchange_submission_changelist"), theirs
        )

    @admin.display(description="handed in by")
    def sender(self, submission: Submission) -> str:
        return str(submission.submitted_by or "nobody who is known")

    @admin.display(description="size", ordering="file_set__size")
    def size(self, submission: Submission) -> str:
        return readable_size(submission.file_set.size)

    @admin.display(description="state", ordering="collected_at")
    def state(self, submission: Any) -> str:
        marks = {
            "withdrawn": submission.withdrawn_at,
            "trial by staff": submission.trial,
            "late": submission.late,
            "collected": submission.collected_at,
            "feedback returned": submission.has_feedback,
        }
        return ", ".join(mark for mark, holds in marks.items() if holds) or "not collected"

    @admin.display(description="receipt")
    def receipt(self, submission: Submission) -> SafeString:
        facts = receipts.receipt(submission)
        return format_html(
            "Number {}, digest <code>{}</code>, signature <code>{}</code>",
            facts["id"],
            facts["digest"],
            facts["signature"],
        )

    @admin.display(description="feedback")
    def feedbacks(self, submission: Submission) -> SafeString | str:
        given = submission.feedbacks.select_related("returned_by").order_by("-pk")
        return links(
            [(change_address(one), f"{one.created:%Y-%m-%d %H:%M} by {one.returned_by or 'nobody'}") for one in given]
        )

    def folder_of(self, obj: Submission) -> str:
        return f"{obj.student.username}/{obj.assignment.name} {obj.created:%Y-%m-%d %H.%M.%S.%f}"

    # Actions

    @admin.action(description="Download as one zip", permissions=["view"])
    def download(self, request: HttpRequest, queryset: QuerySet[Submission]) -> HttpResponseBase | None:
        chosen = list(queryset.prefetch_related("file_set__entries__blob")[: ZIPPED + 1])
        if len(chosen) > ZIPPED:
            messages.error(request, f"Choose {ZIPPED} hand-ins or fewer for one download.")
            return None
        return file_responses.download_zip([self.tree_of(one) for one in chosen], "hand-ins")

    @admin.action(description="Withdraw (staff see them no more, students do)", permissions=["remove"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        count = services.withdraw_submissions(list(queryset), by=actor_of(request))
        messages.success(request, f"{count} hand-ins were withdrawn.")

    @admin.action(description="Restore", permissions=["remove"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        count = services.restore_submissions(list(queryset), by=actor_of(request))
        messages.success(request, f"{count} hand-ins were restored.")

    @admin.action(description="Delete for good what is withdrawn", permissions=["administer"])
    def delete_for_good(self, request: HttpRequest, queryset: QuerySet[Submission]) -> HttpResponseBase | None:
        return delete_for_good(self, request, queryset)

    def history_of(self, obj: Submission) -> QuerySet[AuditEntry]:
        """What named this one, alone or in a list of many: no database that we run on looks into such a list alike."""
        of_course = AuditEntry.objects.filter(course=obj.assignment.course.name, at__gte=obj.assignment.created)
        lists = of_course.filter(target=obj.assignment.name, details__has_key="submissions")
        named = [pk for pk, many in lists.values_list("pk", "details__submissions") if obj.pk in many]
        return of_course.filter(Q(details__submission=obj.pk) | Q(pk__in=named))


class FeedbackAdmin(TreePage):
    course_path = "submission__assignment__course"
    list_display = ("student", "assignment", "handed_in", "created", "returned_by", "size")
    list_filter = (CourseFilter, "created")
    list_select_related = ("submission__assignment__course", "submission__student", "returned_by", "file_set")
    search_fields = (
        "submission__student__username",
        "submission__assignment__name",
        "submission__assignment__course__name",
    )
    search_help_text = "Search by student, assignment, course, digest, or a file's path or hash"
    ordering = ("-pk",)
    fields = readonly_fields = ("submission", "sender", "created", "files")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="student", ordering="submission__student__username")
    def student(self, feedback: Feedback) -> str:
        return feedback.submission.student.username

    @admin.display(description="assignment", ordering="submission__assignment__name")
    def assignment(self, feedback: Feedback) -> str:
        return str(feedback.submission.assignment)

    @admin.display(description="returned by")
    def sender(self, feedback: Feedback) -> str:
        return str(feedback.returned_by or "nobody who is known")

    @admin.display(description="handed in", ordering="submission__created")
    def handed_in(self, feedback: Feedback) -> Any:
        return feedback.submission.created

    @admin.display(description="size")
    def size(self, feedback: Feedback) -> str:
        return readable_size(feedback.file_set.size)

    def folder_of(self, obj: Feedback) -> str:
        return f"{obj.submission.student.username} {obj.submission.assignment.name} feedback"
