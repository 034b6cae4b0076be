"""courses/{course}/roster/: the roster as CSV, out and in."""

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses import csvfile, roles
from courses.csvfile import Outcome
from courses.roles import Right
from courses.rosters import Result
from exchange.api.v2.base import ViewSet
from exchange.filesets import TooLarge


class CSVParser(BaseParser):
    """Gives the bytes."""

    media_type = "text/csv"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> bytes:
        content = stream.read(csvfile.MAX_BYTES + 1)
        if len(content) > csvfile.MAX_BYTES:
            raise TooLarge(f"A roster may have {csvfile.MAX_BYTES:,} bytes at most.", limit=csvfile.MAX_BYTES)
        return content


class OutcomeSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(allow_null=True)
    username = serializers.CharField()
    result = serializers.CharField()
    message = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)


class ImportSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    removed = serializers.IntegerField()
    refused = serializers.IntegerField()
    columns = serializers.ListField(child=serializers.CharField())
    ignored_columns = serializers.ListField(child=serializers.CharField())
    rows = OutcomeSerializer(many=True)


CSV: Any = {(200, "text/csv"): OpenApiTypes.STR}


class RosterViewSet(ViewSet):
    serializer_class = ImportSerializer

    def get_parsers(self) -> list[Any]:
        return [CSVParser()]

    @extend_schema(
        parameters=[
            OpenApiParameter("for", str, enum=["nbgrader"], description="the students, as nbgrader reads them")
        ],
        responses=CSV,
    )
    def retrieve(self, request: Request, course: str) -> HttpResponseBase:
        """The roster, to staff."""
        roles.require(self.user, Right.SEE_ROSTER, self.course)
        members = self.course.memberships.all()
        reader = request.query_params.get("for", "")
        if reader not in ("", "nbgrader"):
            raise ValidationError({"for": ["Write nbgrader, or leave it out."]})
        lines = csvfile.exported_for_nbgrader(members) if reader else csvfile.exported(members)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(True, f"{self.course.name} roster.csv") or ""
        return response

    @extend_schema(
        request={"text/csv": OpenApiTypes.STR},
        parameters=[OpenApiParameter("dry_run", bool), OpenApiParameter("remove_others", bool)],
        responses=ImportSerializer,
    )
    def create(self, request: Request, course: str) -> Response:
        """Bring the roster to what the file says. Never demotes staff; such a line is refused by itself."""
        roles.require(self.user, Right.CHANGE_ROSTER, self.course)
        dry_run, remove_others = self.flag("dry_run"), self.flag("remove_others")
        sheet = csvfile.read(request.data if isinstance(request.data, bytes) else b"")
        report, outcomes = csvfile.apply(self.course, sheet, by=self.user, remove_others=remove_others, dry_run=dry_run)
        return Response(
            {
                **{str(result): report.count(result) for result in Result},
                "columns": sheet.columns,
                "ignored_columns": sheet.ignored,
                "rows": [_row(outcome) for outcome in outcomes],
            }
        )


def _row(outcome: Outcome) -> dict[str, Any]:
    row = outcome.row
    return {
        "line": outcome.line,
        "username": row.username,
        "result": row.result,
        "message": row.message,
        "before": row.before,
        "after": row.after,
    }
