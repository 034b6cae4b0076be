"""The addresses of the native API."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from courses.api.courses import CoursesViewSet
from courses.api.me import MeView
from courses.api.members import MemberViewSet
from courses.api.roster import RosterViewSet
from exchange.api.v2.assignments import AllAssignmentsViewSet, AssignmentViewSet, ReleaseViewSet
from exchange.api.v2.blobs import BlobViewSet
from exchange.api.v2.deadlines import ExtensionViewSet, SolutionViewSet
from exchange.api.v2.feedback import FeedbackViewSet
from exchange.api.v2.progress import StatusViewSet
from exchange.api.v2.receipts import ReceiptKeysView, VerifyReceiptView
from exchange.api.v2.submissions import AssignmentSubmissionViewSet, SubmissionViewSet
from exchange.api.v2.uploads import UPLOAD_ID, PartViewSet, UploadViewSet

COURSE = r"courses/(?P<course>[^/]+)"
ASSIGNMENT = rf"{COURSE}/assignments/(?P<assignment>[^/]+)"

router = SimpleRouter()
router.register("courses", CoursesViewSet, basename="course")
router.register(rf"{COURSE}/members", MemberViewSet, basename="member")
router.register(rf"{COURSE}/assignments", AssignmentViewSet, basename="assignment")
router.register(rf"{ASSIGNMENT}/releases", ReleaseViewSet, basename="release")
router.register(rf"{ASSIGNMENT}/submissions", AssignmentSubmissionViewSet, basename="assignment-submission")
router.register(rf"{ASSIGNMENT}/extensions", ExtensionViewSet, basename="extension")
router.register(rf"{ASSIGNMENT}/feedback", FeedbackViewSet, basename="feedback")
router.register(rf"{COURSE}/uploads", UploadViewSet, basename="upload")
router.register(rf"{COURSE}/uploads/(?P<upload>{UPLOAD_ID})/parts", PartViewSet, basename="part")
router.register("assignments", AllAssignmentsViewSet, basename="all-assignment")
router.register("submissions", SubmissionViewSet, basename="submission")
router.register("blobs", BlobViewSet, basename="blob")

solution = SolutionViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"})
# Without metadata_class OPTIONS is not allowed: the template of the page cannot render it.
docs = SpectacularSwaggerView.as_view(
    url_name="v2:schema", metadata_class=None, template_name="exchange/api_docs.html", title="ngshare: API"
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", MeView.as_view(), name="me"),
    re_path(rf"^{COURSE}/status/$", StatusViewSet.as_view({"get": "retrieve"}), name="status"),
    re_path(rf"^{COURSE}/roster/$", RosterViewSet.as_view({"get": "retrieve", "post": "create"}), name="roster"),
    re_path(rf"^{ASSIGNMENT}/solution/$", solution, name="solution"),
    path("receipts/keys/", ReceiptKeysView.as_view(), name="receipt-keys"),
    path("receipts/verify/", VerifyReceiptView.as_view(), name="verify-receipt"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("", include(router.urls)),
]
