"""submissions/ and courses/{course}/assignments/{assignment}/submissions/."""

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses.body_limits import limit_body
from courses.errors import NotFound
from courses.models import User
from courses.permissions import Permission
from exchange import queries, receipts, services
from exchange.api.v2 import conditions, serializers
from exchange.api.v2.base import BUNDLE, AssignmentPartViewSet, max_bundle, read_bundle, read_files
from exchange.api.v2.filters import SubmissionFilter
from exchange.api.v2.pagination import SubmissionPages
from exchange.api.v2.parsers import BundleParser
from exchange.models import Submission
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import BadManifest


class SubmissionListViewSet(mixins.ListModelMixin, AssignmentPartViewSet):
    """The actor's own submissions, and everybody's where the actor is staff."""

    queryset = Submission.objects.none()
    serializer_class: Any = serializers.ListedSubmissionSerializer
    filterset_class: Any = SubmissionFilter
    pagination_class = SubmissionPages

    def get_queryset(self) -> QuerySet[Submission]:
        everything = self.action == "list" and self.flag("removed")  # goes with `mine`
        return queries.own_submissions(self.actor) if everything else queries.visible_submissions(self.actor)

    def get_serializer_context(self) -> dict[str, object]:
        return {**super().get_serializer_context(), "with_files": self.with_files}

    @property
    def with_files(self) -> bool:
        return self.action != "list" or self.flag("files")


class SubmissionViewSet(SubmissionListViewSet):
    """The submissions of all courses."""

    action_permissions = {
        "withdraw": Permission.WITHDRAW_SUBMISSIONS,
        "restore": Permission.WITHDRAW_SUBMISSIONS,
        "collected": Permission.SEE_SUBMISSIONS,
    }

    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(responses=serializers.SubmissionWithFilesSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(serializers.SubmissionWithFilesSerializer(self.submission).data)

    @extend_schema(responses=serializers.ReceiptSerializer)
    @action(detail=True, methods=["get"])
    def receipt(self, request: Request, pk: str) -> Response:
        """Return the receipt again."""
        return Response(receipts.receipt(self.submission))

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request) -> Response:
        """Move submissions to the trash; the student keeps them."""
        return self._count(services.withdraw_submissions(self._named_submissions(), by=self.actor))

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def restore(self, request: Request) -> Response:
        """Restore submissions from the trash."""
        return self._count(services.restore_submissions(self._named_submissions(), by=self.actor))

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def collected(self, request: Request) -> Response:
        """Mark submissions as collected."""
        return self._count(services.mark_collected(self._named_submissions(), by=self.actor))

    @property
    def submission(self) -> Submission:
        """The submission in the address. Errors: NotFound, also for what the actor may not see."""
        pk = self.kwargs["pk"]
        if not queries.visible_submissions(self.actor, removed=True).filter(pk=pk).exists():
            raise NotFound(_("There is no submission %(pk)s, or it is not for you to see.") % {"pk": pk})
        (submission,) = queries.load_details([int(pk)], files=True)
        return submission

    def _named_submissions(self) -> list[Submission]:
        """Return the submissions that the body names. Errors: NotFound if any of them is not for the actor to see."""
        serializer = serializers.IdsSerializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        ids = set(serializer.validated_data["ids"])
        rows = self.get_queryset().filter(pk__in=ids).only("assignment")
        submissions = list(rows.prefetch_related("assignment__course"))  # one assignment for thousands of submissions
        if absent := ids - {submission.pk for submission in submissions}:
            raise NotFound(
                _("There is no submission %(pk)s, or it is not for you to see.") % {"pk": min(absent)},
                ids=sorted(absent)[:100],
            )
        return submissions

    def _count(self, changed: int) -> Response:
        return Response(serializers.ChangedSerializer({"changed": changed}).data)


@limit_body(max_bundle, BundleParser.media_type)
class AssignmentSubmissionViewSet(SubmissionListViewSet):
    """The submissions of one assignment."""

    action_permissions = {"create": Permission.SUBMIT}

    def get_parsers(self) -> list[BaseParser]:
        return [BundleParser()]

    def get_queryset(self) -> QuerySet[Submission]:
        return super().get_queryset().filter(assignment=self.assignment)

    @extend_schema(
        request=BUNDLE,
        parameters=[
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER),
            OpenApiParameter("If-Match", str, OpenApiParameter.HEADER),
        ],
        responses={200: serializers.ReceiptSerializer, 201: serializers.ReceiptSerializer},
    )
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Submit. A repeat with the same key answers the same receipt, with 200 instead of 201.

        With the ETag of a release as `If-Match`, only if that is the latest: 412 otherwise, as early as it is seen.
        """
        key = read_idempotency_key(request)
        target = self.named_assignment
        release = conditions.require_latest_release(request, target, key)
        manifest, bundle = read_bundle(request)
        upload = Upload([read_files(manifest)], bundle.blobs())
        student = self._other_student(manifest)
        try:
            submission, is_new = services.submit(
                target, upload, by=self.actor, student=student, key=key, compared_with=release
            )
        except services.ReleaseChanged as error:  # another one since the first look
            raise conditions.ReleaseChanged from error
        return Response(receipts.receipt(submission), status=201 if is_new else 200)

    def _other_student(self, manifest: dict[str, object]) -> User | None:
        """Return the student for whom the actor submits; None when it is the actor. Errors: BadManifest, NotFound."""
        name = manifest.get("student")
        if name is None or name == self.actor.username:
            return None
        if not isinstance(name, str):
            raise BadManifest(_('"student" must be a user name.'))
        self.actor.require(Permission.SUBMIT_FOR_OTHERS, self.course)
        members = User.objects.filter(memberships__course=self.course)
        student = members.filter(username=name).first() if name.isprintable() else None
        if student is None:
            raise NotFound(
                _("%(name)r is not a member of %(course)s.") % {"name": name[:80], "course": self.course.name}
            )
        return student


def read_idempotency_key(request: Request) -> str | None:
    """Errors: ValidationError."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise ValidationError({"Idempotency-Key": ["Write 1 to 200 printable ASCII characters."]})
    return key
