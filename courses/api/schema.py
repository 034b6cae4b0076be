"""The schema of the native API, as drf-spectacular generates it."""

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse

from courses.api.serializers import ErrorSerializer


class NativeAutoSchema(AutoSchema):
    """Adds to each operation what every error answers."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, object]:
        bodies: dict[str, object] = super()._get_response_bodies(direction)
        error = OpenApiResponse(ErrorSerializer, description="An error")
        return bodies | {"default": self._get_response_for_code(error, "default", direction=direction)}
