"""The schema of the native API, as drf-spectacular generates it."""

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework.request import Request

from courses.api.serializers import ErrorSerializer


class NativeAutoSchema(AutoSchema):
    """Adds to each operation what every error answers."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, object]:
        bodies: dict[str, object] = super()._get_response_bodies(direction)
        error = OpenApiResponse(ErrorSerializer, description="An error")
        return bodies | {"default": self._get_response_for_code(error, "default", direction=direction)}


class EnglishSchemaGenerator(SchemaGenerator):
    """Names and explains everything in English for every reader: what comes from models would follow the language."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, object]:
        with translation.override("en"):
            schema: dict[str, object] = super().get_schema(request, public)
        return schema
