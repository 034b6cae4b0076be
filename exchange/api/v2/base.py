"""What the viewsets share: from names in an address to rows, flags in a query, uploads, and polite refusals."""

from functools import cached_property
from typing import Any, cast

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from courses import roles
from courses.errors import NotThere
from courses.models import Course, User
from courses.roles import Right
from exchange.api.draining import drain
from exchange.api.v2.bundles import BadBundle, Bundle, file_lines
from exchange.api.v2.parsers import strict_json
from exchange.filesets import BadManifest, FileLine
from exchange.models import Assignment

NAME = "[^/]+"  # names in addresses: any text without "/"
TRUE, FALSE = ("true", "1"), ("false", "0", "")


class ViewSet(GenericViewSet):
    lookup_value_regex = NAME

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @cached_property
    def course(self) -> Course:
        """The course named in the address, to whom belongs to it. Errors: NotThere, PermissionDenied."""
        name = self.kwargs["course"]
        course = Course.objects.present().filter(name=name).first()
        if course is None:
            raise NotThere(f"There is no course {name}.")
        roles.require(self.user, Right.SEE_COURSE, course)
        return course

    @cached_property
    def assignment(self) -> Assignment:
        """The assignment named in the address; a withdrawn one is there for staff alone. Errors: NotThere."""
        name = self.kwargs["assignment"]
        found = Assignment.objects.select_related("course").filter(course=self.course, name=name).first()
        if found is None or (found.withdrawn_at and not roles.may(self.user, Right.SEE_WORK, self.course)):
            raise NotThere(f"There is no assignment {name} in {self.course.name}.")
        return found

    def flag(self, name: str) -> bool:
        value = self.request.query_params.get(name, "").lower()
        if value not in TRUE + FALSE:
            raise ValidationError({name: ["Write true or false."]})
        return value in TRUE

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code >= 400:
            drain(request._request)
        return response


def read_bundle(request: Request) -> tuple[dict[str, Any], Bundle]:
    """The manifest of an uploaded bundle, and the bundle to read blobs from. Errors: BadBundle, BadManifest."""
    bundle = request.data
    if not isinstance(bundle, Bundle):
        raise BadBundle("The body is empty; send a bundle.")
    manifest = strict_json(bundle.manifest())
    if not isinstance(manifest, dict):
        raise BadManifest("manifest.json must hold an object.")
    return manifest, bundle


def files_of(manifest: dict[str, Any]) -> list[FileLine]:
    if "files" not in manifest:
        raise BadManifest('The manifest has no "files".')
    return file_lines(manifest["files"])
