"""The admin's pages of submissions and of feedback."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from courses.admin.base import CourseScopedAdmin
from courses.admin.deletion import TrashAdmin
from courses.admin.filters import CourseFilter
from courses.models import AuditEntry
from courses.permissions import Actor, Permission, actor_of
from courses.sizes import readable_size
from courses.templatetags.times import local
from exchange import file_responses, receipts, services, submission_archives
from exchange.admin import search
from exchange.admin.base import AssignmentFilter, change_address, render_links
from exchange.admin.files import FilesAdmin
from exchange.models import Feedback, Submission
from exchange.progress_tables import SHOWN, condition_of
from exchange.states import IS_LATEST, State, with_state


class StateFilter(admin.SimpleListFilter):
    """The states of the tables of progress, which are of latest submissions; and those that these leave out."""

    title = _("state")
    parameter_name = "state"
    of_latest = {show: label for show, label in SHOWN.items() if show not in ("all", "missing")}
    others = {
        "trial": (_("Trials by staff"), Q(trial=True)),
        "trash": (_("In the trash"), Q(withdrawn_at__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        of_latest = [(show, str(capfirst(label))) for show, label in self.of_latest.items()]
        return [*of_latest, *((value, str(label)) for value, (label, _condition) in self.others.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        value = self.value() or ""
        if value in self.of_latest:
            return queryset.filter(condition_of(value), IS_LATEST, trial=False, withdrawn_at=None)
        return queryset.filter(self.others[value][1]) if value in self.others else queryset


@admin.register(Submission)
class SubmissionAdmin(FilesAdmin[Submission], TrashAdmin[Submission]):
    course_path = "assignment__course"
    list_display = ("student", "assignment", "created", "state", "size")
    list_filter = (CourseFilter, AssignmentFilter, StateFilter, "created")
    list_select_related = ("assignment__course", "student", "file_set")
    search_fields = ("student__username", "assignment__name", "assignment__course__name")
    search_help_text = format_lazy(
        _(
            "Search by student (user name, or name on the roster), assignment, course, number or short code of a "
            "receipt, digest, a file's hash, or a part of a file's path (in the newest {count} of the list)"
        ),
        count=search.NEWEST_COUNT,
    )
    ordering = ("-pk",)
    fields = readonly_fields = (
        "student_link",
        "sender",
        "assignment",
        "created",
        "release",
        "state",
        "collected_at",
        "receipt_facts",  # "receipt" is the column, whose JSON nobody reads
        "files",
        "feedbacks",
    )
    actions = ("download", "move_to_trash", "restore", "delete_permanently")

    def delete_row(self, row: Submission, *, by: Actor) -> dict[str, int]:
        return services.delete_submission_permanently(row, by=by)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignment__course", "student", "file_set")
        return with_state(rows).annotate(is_latest=IS_LATEST)

    def has_trash_permission(self, request: HttpRequest) -> bool:
        """For actions with `permissions=["trash"]`."""
        return self.may(request, Permission.WITHDRAW_SUBMISSIONS)

    # What is shown

    @admin.display(description=_("student"))
    def student_link(self, submission: Submission) -> SafeString:
        """Link to all submissions of the student; the page about a person is for administrators alone."""
        name = submission.student.username
        query = urlencode([("course", submission.assignment.course_id), ("q", f'"{name}"')])
        address = reverse("admin:exchange_submission_changelist")
        return format_html('{} (<a href="{}?{}">{}</a>)', name, address, query, gettext("all their submissions"))

    @admin.display(description=_("submitted by"))
    def sender(self, submission: Submission) -> str:
        return str(submission.submitted_by or gettext("unknown"))

    @admin.display(description=_("size"), ordering="file_set__size")
    def size(self, submission: Submission) -> str:
        return readable_size(submission.file_set.size)

    @admin.display(description=_("state"), ordering="collected_at")
    def state(self, submission: Submission) -> str:
        remarks = {
            gettext("in the trash"): submission.withdrawn_at,
            gettext("trial by staff"): submission.trial,
            gettext("late"): submission.late,  # type: ignore[attr-defined]  # annotated
            str(State(submission.state).label): True,  # type: ignore[attr-defined]
            gettext("same files as in time"): submission.repeated,  # type: ignore[attr-defined]
            gettext("not the latest"): not submission.is_latest,  # type: ignore[attr-defined]
        }
        return ", ".join(remark for remark, holds in remarks.items() if holds)

    @admin.display(description=_("receipt"))
    def receipt_facts(self, submission: Submission) -> SafeString:
        receipt = receipts.receipt(submission)
        shown = (receipt[name] for name in ("id", "code", "digest", "signature"))
        text = gettext("Number {}, short code <code>{}</code>, digest <code>{}</code>, signature <code>{}</code>")
        return format_html(text, *shown)

    @admin.display(description=_("feedback"))
    def feedbacks(self, submission: Submission) -> SafeString | str:
        feedbacks = submission.feedbacks.select_related("returned_by").order_by("-pk")
        text, nobody = gettext("%(time)s by %(person)s"), gettext("unknown")
        return render_links(
            [
                (change_address(each), text % {"time": local(each.created), "person": each.returned_by or nobody})
                for each in feedbacks
            ]
        )

    def condition_for(self, word: str, rows: QuerySet[Submission]) -> Q:
        if by_code := search.with_code(word):
            return by_code
        return search.with_number(word) | search.of_submission(word) | search.in_files(word, rows)

    def reading_route(self, obj: Submission) -> tuple[str, int] | None:
        return None if obj.assignment.course.removed_at else ("submission-file", obj.pk)

    def folder_of(self, obj: Submission) -> str:
        return submission_archives.as_attempt(obj).folder

    # Actions

    @admin.action(description=_("Download as one zip"), permissions=["view"])
    def download(self, request: HttpRequest, queryset: QuerySet[Submission]) -> HttpResponseBase:
        rows = Submission.objects.filter(pk__in=queryset.order_by().values("pk")).order_by("-pk")
        content = submission_archives.export_submissions(rows, submission_archives.as_attempt, by=actor_of(request))
        return file_responses.send_zip(content, "submissions")

    @admin.action(description=_("Move to the trash (the student still sees it)"), permissions=["trash"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        count = services.withdraw_submissions(list(queryset), by=actor_of(request))
        text = ngettext("%d submission was moved to the trash.", "%d submissions were moved to the trash.", count)
        self.tell_count(request, count, text % count, already=gettext("What you chose is in the trash already."))

    @admin.action(description=_("Restore"), permissions=["trash"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        count = services.restore_submissions(list(queryset), by=actor_of(request))
        text = ngettext("%d submission was restored.", "%d submissions were restored.", count)
        self.tell_count(request, count, text % count, already=gettext("What you chose is not in the trash."))

    def history_of(self, obj: Submission) -> QuerySet[AuditEntry]:
        return _history_of(obj)


def _history_of(submission: Submission) -> QuerySet[AuditEntry]:
    """Return the entries about a submission, alone or in a list of many.

    Our databases have no common way to look into such a list, so that is done here.
    """
    of_assignment = AuditEntry.objects.filter(object_type="assignment", object_id=submission.assignment_id)
    lists = of_assignment.filter(details__has_key="submissions").values_list("pk", "details__submissions")
    pks = [pk for pk, submissions in lists if submission.pk in submissions]
    return AuditEntry.objects.filter(Q(object_type="submission", object_id=submission.pk) | Q(pk__in=pks))


@admin.register(Feedback)
class FeedbackAdmin(FilesAdmin[Feedback], CourseScopedAdmin[Feedback]):
    course_path = "submission__assignment__course"
    list_display = ("student", "assignment", "submitted", "created", "returned_by", "size")
    list_filter = (CourseFilter, "created")
    list_select_related = ("submission__assignment__course", "submission__student", "returned_by", "file_set")
    search_fields = (
        "submission__student__username",
        "submission__assignment__name",
        "submission__assignment__course__name",
    )
    search_help_text = format_lazy(
        _(
            "Search by student (user name, or name on the roster), assignment, course, digest, a file's hash, "
            "or a part of a file's path (in the newest {count} of the list)"
        ),
        count=search.NEWEST_COUNT,
    )
    ordering = ("-pk",)
    fields = readonly_fields = ("submission", "sender", "created", "files")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description=_("student"), ordering="submission__student__username")
    def student(self, feedback: Feedback) -> str:
        return feedback.submission.student.username

    @admin.display(description=_("assignment"), ordering="submission__assignment__name")
    def assignment(self, feedback: Feedback) -> str:
        return str(feedback.submission.assignment)

    @admin.display(description=_("returned by"))
    def sender(self, feedback: Feedback) -> str:
        return str(feedback.returned_by or gettext("unknown"))

    @admin.display(description=_("submitted"), ordering="submission__created")
    def submitted(self, feedback: Feedback) -> datetime:
        return feedback.submission.created

    @admin.display(description=_("size"))
    def size(self, feedback: Feedback) -> str:
        return readable_size(feedback.file_set.size)

    def condition_for(self, word: str, rows: QuerySet[Feedback]) -> Q:
        by_receipt = search.with_receipt(word, "submission")
        return by_receipt | search.of_submission(word, "submission__") | search.in_files(word, rows)

    def history_of(self, obj: Feedback) -> QuerySet[AuditEntry]:
        return _history_of(obj.submission)

    def reading_route(self, obj: Feedback) -> tuple[str, int] | None:
        """The portal shows the latest feedback on a submission."""
        is_older = obj.submission.feedbacks.filter(pk__gt=obj.pk).exists()
        return None if is_older or obj.submission.assignment.course.removed_at else ("feedback", obj.submission_id)

    def folder_of(self, obj: Feedback) -> str:
        return f"{obj.submission.student.username} {obj.submission.assignment.name} feedback"
