"""The addresses of the pages for staff, below the one of an assignment."""

from django.conf import settings
from django.urls import URLPattern, path

from courses.body_limits import limit_body
from ngshare_site.portal.staff.acts import RestoreView, UnreleaseView
from ngshare_site.portal.staff.deadlines import (
    ConfirmDeadlinesView,
    ConfirmExtensionView,
    DeadlinesView,
    WithdrawExtensionView,
)
from ngshare_site.portal.staff.downloads import PseudonymsView, SubmissionsView
from ngshare_site.portal.staff.feedback import ConfirmFeedbackView, FeedbackView, PagesView
from ngshare_site.portal.staff.lists import AssignmentCSVView, ReminderFileView, ReminderView
from ngshare_site.portal.staff.student import StudentView

takes_files = limit_body(lambda: settings.NGSHARE_MAX_SUBMISSION_SIZE, "multipart/form-data")

urlpatterns: list[URLPattern] = [
    path("hand-ins.csv", AssignmentCSVView.as_view(), name="assignment-csv"),
    path("reminder/", ReminderView.as_view(), name="assignment-reminder"),
    path("reminder.txt", ReminderFileView.as_view(), {"kind": "txt"}, name="assignment-reminder-txt"),
    path("reminder.csv", ReminderFileView.as_view(), {"kind": "csv"}, name="assignment-reminder-csv"),
    path("submissions.zip", SubmissionsView.as_view(), name="assignment-submissions"),
    path("pseudonyms.csv", PseudonymsView.as_view(), name="assignment-pseudonyms"),
    path("unrelease/", UnreleaseView.as_view(), name="assignment-unrelease"),
    path("release/", RestoreView.as_view(), name="assignment-restore"),
    path("deadlines/", DeadlinesView.as_view(), name="assignment-deadlines"),
    path("deadlines/confirm/", ConfirmDeadlinesView.as_view(), name="assignment-deadlines-confirm"),
    path("extensions/confirm/", ConfirmExtensionView.as_view(), name="assignment-extend-confirm"),
    path("extensions/<int:pk>/withdraw/", WithdrawExtensionView.as_view(), name="assignment-extension-withdraw"),
    path("feedback/", takes_files(FeedbackView.as_view()), name="assignment-feedback"),
    path("feedback/<uuid:pk>/", ConfirmFeedbackView.as_view(), name="assignment-feedback-confirm"),
    path("feedback/of/<path:student>", takes_files(PagesView.as_view()), name="assignment-pages"),
    path("student/<path:student>", StudentView.as_view(), name="assignment-student"),
]
