"""The only map of addresses."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

# DRF imports its handler of errors at the first error: by then it may be that no file can be opened.
import courses.api.errors  # noqa: F401
from exchange.api.v1.urls import urlpatterns as v1
from exchange.api.v2.urls import urlpatterns as v2
from ngshare_site import health, metrics
from ngshare_site.hub import views as hub
from ngshare_site.portal.assignment import AssignmentCSVView, AssignmentView, SolutionView
from ngshare_site.portal.receipts import ReceiptCheckView
from ngshare_site.portal.views import (
    CourseArchiveView,
    FeedbackView,
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
    path("oauth_callback", hub.callback, name="oauth-callback"),
    path("", HomeView.as_view(), name="home"),
    path("view/receipt/", ReceiptCheckView.as_view(), name="receipt-check"),
    path("view/course/<str:course>/archive.zip", CourseArchiveView.as_view(), name="course-archive"),
    path("view/my-submissions.zip", OwnSubmissionsView.as_view(), name="own-submissions"),
    path("view/course/<str:course>/<str:assignment>/", AssignmentView.as_view(), name="assignment"),
    path("view/course/<str:course>/<str:assignment>/hand-ins.csv", AssignmentCSVView.as_view(), name="assignment-csv"),
    path("view/assignment/<int:pk>/", AssignmentView.as_view(), name="own-assignment"),
    path("view/course/<str:course>/<str:assignment>/solution.zip", SolutionView.as_view(), name="solution"),
    path("view/submission/<int:pk>/", SubmissionView.as_view(), name="submission"),
    path("view/submission/<int:pk>/receipt.json", ReceiptView.as_view(), name="receipt"),
    path("view/submission/<int:pk>/files.zip", FilesView.as_view(), name="files"),
    path("view/submission/<int:pk>/feedback/<path:path>", FeedbackView.as_view(), name="feedback"),
    path("", include(v1)),
]
if settings.NGSHARE_STANDALONE:
    # The stand-alone mode of ngshare 0.6 has API v1 here.
    service += [path("api/healthz", health.alive), path("api/", include(v1))]
urlpatterns: list[URLPattern | URLResolver] = [path(settings.PREFIX[1:], include(service))]
if settings.PREFIX != "/":
    urlpatterns += [path("healthz", health.alive), path("readyz", health.ready)]
