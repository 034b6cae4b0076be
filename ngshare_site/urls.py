"""The only map of addresses."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

# DRF imports its handler of errors at the first error: by then it may be that no file can be opened.
import courses.api.errors  # noqa: F401
from exchange.api.v1.urls import urlpatterns as v1
from exchange.api.v2.urls import urlpatterns as v2
from ngshare_site import health, metrics
from ngshare_site.hub import views as hub
from ngshare_site.portal.assignment import AssignmentView, SolutionView
from ngshare_site.portal.changes import ChangesView
from ngshare_site.portal.notices import NoticesView
from ngshare_site.portal.reading import FeedbackFileView, FeedbackView, ReleaseFileView, ReleaseView, SubmissionFileView
from ngshare_site.portal.receipts import ReceiptCheckView
from ngshare_site.portal.staff.urls import urlpatterns as staff
from ngshare_site.portal.students import HistoryView
from ngshare_site.portal.submitting import ReleaseZipView, submit_view
from ngshare_site.portal.views import (
    CourseArchiveView,
    FilesView,
    HomeView,
    OwnSubmissionsView,
    ReceiptView,
    SubmissionView,
)

handler403 = "ngshare_site.error_pages.forbidden"
handler404 = "ngshare_site.error_pages.not_found"
handler500 = "ngshare_site.error_pages.server_error"

service: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/v2/", include((v2, "v2"))),
    path("admin/", admin.site.urls),
    path("login/", hub.login, name="login"),
    path("logout/", hub.logout, name="logout"),
    path("language/", set_language, name="set-language"),
    path("oauth_callback", hub.callback, name="oauth-callback"),
    path("", HomeView.as_view(), name="home"),
    path("view/notices/", NoticesView.as_view(), name="notices"),
    path("view/receipt/", ReceiptCheckView.as_view(), name="receipt-check"),
    path("view/history/", HistoryView.as_view(), name="history"),
    path("view/course/<str:course>/archive.zip", CourseArchiveView.as_view(), name="course-archive"),
    path("view/my-submissions.zip", OwnSubmissionsView.as_view(), name="own-submissions"),
    path("view/course/<str:course>/<str:assignment>/", AssignmentView.as_view(), name="assignment"),
    path("view/course/<str:course>/<str:assignment>/submit/", submit_view, name="submit"),
    path("view/course/<str:course>/<str:assignment>/release.zip", ReleaseZipView.as_view(), name="release-zip"),
    path("view/course/<str:course>/<str:assignment>/", include(staff)),
    path("view/assignment/<int:pk>/", AssignmentView.as_view(), name="own-assignment"),
    path("view/course/<str:course>/<str:assignment>/solution.zip", SolutionView.as_view(), name="solution"),
    path("view/submission/<int:pk>/", SubmissionView.as_view(), name="submission"),
    path("view/submission/<int:pk>/receipt.json", ReceiptView.as_view(), name="receipt"),
    path("view/submission/<int:pk>/files.zip", FilesView.as_view(), name="files"),
    path("view/submission/<int:pk>/file/<path:path>", SubmissionFileView.as_view(), name="submission-file"),
    path("view/submission/<int:pk>/changes/", ChangesView.as_view(), name="changes"),
    path("view/submission/<int:pk>/feedback/", FeedbackView.as_view(), name="latest-feedback"),
    path("view/submission/<int:pk>/feedback/<path:path>", FeedbackFileView.as_view(), name="feedback"),
    path("view/release/<int:pk>/", ReleaseView.as_view(), name="release"),
    path("view/release/<int:pk>/file/<path:path>", ReleaseFileView.as_view(), name="release-file"),
    path("", include(v1)),
]
if settings.NGSHARE_STANDALONE:
    # The stand-alone mode of ngshare 0.6 has API v1 here.
    service += [path("api/healthz", health.alive), path("api/", include(v1))]
urlpatterns: list[URLPattern | URLResolver] = [path(settings.PREFIX[1:], include(service))]
if settings.PREFIX != "/":
    urlpatterns += [path("healthz", health.alive), path("readyz", health.ready)]
