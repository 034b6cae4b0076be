"""courses/{course}/roster/: export and import of the roster as CSV."""

from collections.abc import Mapping
from typing import IO

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses import roster_export, services
from courses.api import serializers
from courses.api.base import CourseViewSet
from courses.body_limits import limit_body
from courses.csv_writer import csv_response
from courses.importers import csv_file, tables
from courses.importers.roster_columns import ColumnChoice
from courses.permissions import Permission


class CSVParser(BaseParser):
    """Return the bytes of the file."""

    media_type = "text/csv"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> bytes:
        return bytes(stream.read())


CSV = {(200, "text/csv"): OpenApiTypes.STR}


@limit_body(lambda: tables.MAX_BYTES, CSVParser.media_type)
class RosterViewSet(CourseViewSet):
    action_permissions = {"retrieve": Permission.SEE_ROSTER, "create": Permission.CHANGE_ROSTER}
    serializer_class = serializers.ImportSerializer

    def get_parsers(self) -> list[BaseParser]:
        return [CSVParser()]

    @extend_schema(
        parameters=[
            OpenApiParameter("for", str, enum=["nbgrader"], description="the students, as nbgrader reads them")
        ],
        responses=CSV,
    )
    def retrieve(self, request: Request, course: str) -> HttpResponseBase:
        """Return the roster as CSV, to staff."""
        members = self.course.memberships.all()
        reader = request.query_params.get("for", "")
        if reader not in ("", "nbgrader"):
            raise ValidationError({"for": [_("Write nbgrader, or leave it out.")]})
        services.record_roster_download(self.course, by=self.actor)
        lines = roster_export.export_for_nbgrader(members) if reader else roster_export.export_roster(members)
        return csv_response(lines, f"{self.course.name} roster.csv", for_spreadsheets=False)

    @extend_schema(
        request={"text/csv": OpenApiTypes.STR},
        parameters=[
            OpenApiParameter("dry_run", bool),
            OpenApiParameter("remove_others", bool),
            OpenApiParameter(
                "column",
                str,
                many=True,
                description="`username=SIS Login ID` reads a field from this column of the file",
            ),
            OpenApiParameter("before_at", bool, description="user names are what comes before the @"),
        ],
        responses={200: serializers.ImportSerializer},
    )
    def create(self, request: Request, course: str) -> Response:
        """Bring the roster to what the file says. Staff are never demoted: such a line is refused by itself."""
        dry_run, remove_others = self.flag("dry_run"), self.flag("remove_others")
        choice = ColumnChoice.parse(request.query_params.getlist("column"), before_at=self.flag("before_at"))
        roster_file = csv_file.read(request.data if isinstance(request.data, bytes) else b"", choice)
        report, outcomes = csv_file.import_roster(
            self.course, roster_file, by=self.actor, remove_others=remove_others, dry_run=dry_run
        )
        answer = {
            **serializers.count_results(report),
            "columns": roster_file.columns,
            "ignored_columns": roster_file.ignored,
            "rows": outcomes,
        }
        return Response(serializers.ImportSerializer(answer).data)
