"""submissions/, courses/{course}/assignments/{assignment}/submissions/, receipts/ and feedback/."""

import re
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.errors import NotFound
from courses.models import User
from courses.permissions import Permission
from courses.timestamps import format_timestamp
from exchange import queries, receipts, services
from exchange.api.v2 import serializers
from exchange.api.v2.assignments import BUNDLE
from exchange.api.v2.base import AssignmentPartViewSet, read_bundle, read_files
from exchange.api.v2.bundles import manifest_entries
from exchange.api.v2.parsers import BundleParser
from exchange.models import Assignment, Submission
from exchange.services import FeedbackItem
from exchange.storage.file_sets import BadManifest, Upload

WORDS = ("course", "assignment", "student", "id")
FLAGS = ("mine", "latest", "before_due", "trials", "withdrawn", "files")
FILTERS = [OpenApiParameter(name, str) for name in WORDS] + [OpenApiParameter(name, bool) for name in FLAGS]


class SubmissionList(mixins.ListModelMixin, AssignmentPartViewSet):
    """Own submissions, and everybody's where one is staff."""

    serializer_class = serializers.SubmissionSerializer

    def get_queryset(self) -> QuerySet[Submission]:
        asked = self.request.query_params
        rows = queries.submissions(
            self.actor, mine=self.flag("mine"), withdrawn=self.flag("withdrawn"), trials=self.flag("trials")
        )
        for name, column in {
            "course": "assignment__course__name",
            "assignment": "assignment__name",
            "student": "student__username",
        }.items():
            if value := asked.get(name):
                rows = rows.filter(**{column: value})
        if "id" in asked:
            rows = rows.filter(pk__in=ids(asked["id"]))
        return rows

    def get_serializer_class(self) -> Any:
        wants_files = self.action == "retrieve" or self.flag("files")
        return serializers.SubmissionWithFilesSerializer if wants_files else serializers.SubmissionSerializer

    @extend_schema(parameters=FILTERS, responses=serializers.SubmissionWithFilesSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows, before_due = self.get_queryset(), self.flag("before_due")
        if self.flag("latest"):
            rows = queries.latest_attempts(rows, before_due=before_due)
        elif before_due:
            raise ValidationError({"before_due": ["It goes with latest=true."]})
        page = self.paginate_queryset(queries.with_details(rows, files=self.flag("files")))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def ids(text: str) -> list[int]:
    if not re.fullmatch(r"\d{1,18}(,\d{1,18})*", text):
        raise ValidationError({"id": ["Write whole numbers, separated by commas."]})
    return [int(part) for part in text.split(",")]


class SubmissionViewSet(SubmissionList):
    """Over all courses."""

    lookup_value_regex = r"\d{1,18}"

    def _one(self) -> Submission:
        """Any that the user may see at all. Errors: NotFound, also for those that the user may not see."""
        rows = queries.submissions(self.actor, withdrawn=True, trials=True)
        found = queries.with_details(rows.filter(pk=self.kwargs["pk"]), files=True).first()
        if found is None:
            raise NotFound(f"There is no submission {self.kwargs['pk']}, or it is not for you to see.")
        return found

    @extend_schema(responses=serializers.SubmissionWithFilesSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._one()).data)

    @extend_schema(responses=serializers.ReceiptSerializer)
    @action(detail=True, methods=["get"])
    def receipt(self, request: Request, pk: str) -> Response:
        """The receipt again."""
        return Response(receipts.receipt(self._one()))

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        """Put hand-ins into the bin; the student keeps them."""
        return Response({"changed": services.withdraw_submissions(self._asked_for(), by=self.actor)})

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"])
    def restore(self, request: Request) -> Response:
        """Take hand-ins out of the bin."""
        return Response({"changed": services.restore_submissions(self._asked_for(), by=self.actor)})

    @extend_schema(request=serializers.IdsSerializer, responses=serializers.ChangedSerializer)
    @action(detail=False, methods=["post"])
    def collected(self, request: Request) -> Response:
        """Note that these were collected."""
        return Response({"changed": services.mark_collected(self._asked_for(), by=self.actor)})

    def _asked_for(self) -> list[Submission]:
        asked = serializers.IdsSerializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        wanted = set(asked.validated_data["ids"])
        rows = queries.submissions(self.actor, withdrawn=True, trials=True).select_related("assignment__course")
        found = [row for row in rows.filter(pk__in=wanted)]
        if absent := wanted - {row.pk for row in found}:
            raise NotFound(f"There is no submission {min(absent)}, or it is not for you to see.", ids=sorted(absent))
        return found


class AssignmentSubmissionViewSet(SubmissionList):
    """Of one assignment: the list, and submitting."""

    action_permissions = {"create": Permission.SUBMIT}

    def get_parsers(self) -> list[Any]:
        return [BundleParser()]

    def get_queryset(self) -> QuerySet[Submission]:
        return super().get_queryset().filter(assignment=self.assignment)

    @extend_schema(
        request=BUNDLE,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses={200: serializers.ReceiptSerializer, 201: serializers.ReceiptSerializer},
    )
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Hand in. A repeat with the same key answers the same receipt, with 200 instead of 201."""
        key = idempotency_key(request)
        found = Assignment.objects.select_related("course").filter(course=self.course, name=assignment).first()
        if found is None:
            raise NotFound(f"There is no assignment {assignment} in {self.course.name}.")
        manifest, bundle = read_bundle(request)
        upload = Upload([read_files(manifest)], bundle.blobs())
        student = self._student(manifest)
        made, is_new = services.submit(found, upload, by=self.actor, student=student, key=key)
        return Response(receipts.receipt(made), status=201 if is_new else 200)

    def _student(self, manifest: dict[str, Any]) -> User | None:
        name = manifest.get("student")
        if name is None or name == self.actor.username:
            return None
        if not isinstance(name, str):
            raise BadManifest('"student" must be a user name.')
        self.actor.require(Permission.SUBMIT_FOR_OTHERS, self.course)
        student = (
            User.objects.filter(username=name, memberships__course=self.course).first() if name.isprintable() else None
        )
        if student is None:
            raise NotFound(f"{name[:80]!r} is not a member of {self.course.name}.")
        return student


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise ValidationError({"Idempotency-Key": ["Write 1 to 200 printable ASCII characters."]})
    return key


class VerifyReceiptView(APIView):
    @extend_schema(request=serializers.ReceiptSerializer, responses=serializers.VerdictSerializer)
    def post(self, request: Request) -> Response:
        """Did this server sign exactly this receipt, and does it still hold what the receipt names?"""
        if not isinstance(request.data, dict):
            raise ValidationError("Send the receipt, a JSON object.")
        valid, message = receipts.verify(request.data)
        return Response({"valid": valid, "message": message})


class FeedbackViewSet(AssignmentPartViewSet):
    action_permissions = {"create": Permission.RETURN_FEEDBACK}
    serializer_class = serializers.ReturnedSerializer

    def get_parsers(self) -> list[Any]:
        return [BundleParser()]

    @extend_schema(request=BUNDLE, responses=serializers.ReturnedSerializer)
    def create(self, request: Request, course: str, assignment: str) -> Response:
        """Give feedback on many submissions at once; one that cannot be placed does not stop the others."""
        assignment_found = self.assignment
        manifest, bundle = read_bundle(request)
        items = returned_items(manifest)
        upload = Upload([item.lines for item in items], bundle.blobs())
        given, refused = services.return_feedback(assignment_found, items, upload, by=self.actor)
        return Response(
            {
                "returned": [
                    {
                        "submission": one.submission.pk,
                        "student": one.submission.student.username,
                        "timestamp": format_timestamp(one.submission.created),
                    }
                    for one in given
                ],
                "refused": [
                    {
                        "submission": item.submission,
                        "student": item.student,
                        "timestamp": format_timestamp(item.timestamp) if item.timestamp else None,
                        "code": error.code,
                        "message": error.message,
                    }
                    for item, error in refused
                ],
            }
        )


class PlaceSerializer(serializers.serializers.Serializer[Any]):
    """Which submission a feedback is for."""

    submission = serializers.serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    student = serializers.serializers.CharField(max_length=255, trim_whitespace=False, required=False)
    timestamp = serializers.serializers.DateTimeField(required=False)


def returned_items(manifest: dict[str, Any]) -> list[FeedbackItem]:
    """Errors: BadManifest."""
    listed = manifest.get("feedback")
    if not isinstance(listed, list):
        raise BadManifest('The manifest needs "feedback", a list.')
    items = []
    for place, item in enumerate(listed):
        asked = PlaceSerializer(data=item)
        if not asked.is_valid():
            raise BadManifest(f"feedback[{place}] does not name a submission.", errors=asked.errors)
        where = asked.validated_data
        if "submission" not in where and not {"student", "timestamp"} <= where.keys():
            raise BadManifest(f'feedback[{place}] needs "submission", or "student" and "timestamp".')
        items.append(FeedbackItem(lines=manifest_entries(item.get("files")), **where))
    return items
