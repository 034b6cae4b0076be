"""blobs/: which blobs must be sent, and their bytes."""

import re

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.base import CourseViewSet
from courses.errors import NotFound
from exchange.api.v2 import bundles, serializers
from exchange.api.v2.base import read_files
from exchange.models import Blob
from exchange.storage import blobs, file_sets, possession, reading
from exchange.storage.manifests import BadManifest


class RangeNotSatisfiable(APIException):
    status_code = 416
    default_detail = _("The requested range lies outside the blob.")
    default_code = "range_not_satisfiable"


class BlobViewSet(CourseViewSet):
    serializer_class = serializers.MissingSerializer
    lookup_url_kwarg = "sha256"
    lookup_value_regex = "[0-9a-f]{64}"

    @extend_schema(request=serializers.ManifestSerializer, responses=serializers.MissingSerializer)
    @action(detail=False, methods=["post"])
    def missing(self, request: Request) -> Response:
        """Return which of a manifest's blobs must be sent. Its errors are those of uploading it."""
        if not isinstance(request.data, dict):
            raise BadManifest(gettext("Send an object with “files”."))
        missing = file_sets.missing_blobs(read_files(request.data), by=self.actor)
        return Response(self.get_serializer({"missing": missing}).data)

    @extend_schema(request=serializers.HashesSerializer, responses={(200, "application/x-tar"): OpenApiTypes.BINARY})
    @action(detail=False, methods=["post"])
    def bundle(self, request: Request) -> HttpResponseBase:
        """Stream a bundle of exactly these blobs."""
        serializer = serializers.HashesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        hashes = list(dict.fromkeys(serializer.validated_data["sha256"]))
        readable = self._readable(hashes)
        members = [readable[sha256] for sha256 in hashes]
        reading.require(members)
        response = StreamingHttpResponse(bundles.stream(members), content_type="application/x-tar")
        response["Content-Length"] = str(bundles.length(members))
        return response

    @extend_schema(request=serializers.FewHashesSerializer, responses=serializers.AddressesSerializer)
    @action(detail=False, methods=["post"])
    def addresses(self, request: Request) -> Response:
        """Return presigned addresses of these blobs in the object store; none unless the site has such ones.

        Each holds for 15 minutes and is a secret. Send no token there.
        """
        serializer = serializers.FewHashesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        hashes = serializer.validated_data["sha256"]
        readable = self._readable(hashes)
        reading.require(readable.values())
        addresses = {sha256: blobs.download_address(sha256, sha256) for sha256 in hashes}
        return Response({"addresses": {sha256: address for sha256, address in addresses.items() if address}})

    @extend_schema(
        parameters=[OpenApiParameter("redirect", bool, description="false: the bytes themselves, never a 302")],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="to a presigned address in the object store, if the site has such ones"),
        },
    )
    def retrieve(self, request: Request, sha256: str) -> HttpResponseBase:
        """Return the bytes of one blob; one `Range` is honoured."""
        blob = self._readable([sha256])[sha256]
        etag = f'"{sha256}"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponse(status=304, headers={"ETag": etag})
        start, end = 0, blob.size
        if_range = request.headers.get("If-Range", etag)
        part = byte_range(request.headers.get("Range", ""), blob.size) if if_range == etag else None
        if part:
            start, end = part
        reading.require([blob])
        follows = request.query_params.get("redirect") != "false"
        if request.method == "GET" and follows and (address := blobs.download_address(sha256, sha256)):
            return HttpResponseRedirect(address)
        content = reading.read(blob, start=start, length=end - start)
        response = StreamingHttpResponse(content, status=206 if part else 200, content_type="application/octet-stream")
        response["Content-Length"] = str(end - start)
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = etag
        response["Content-Disposition"] = f'attachment; filename="{sha256}"'
        if part:
            response["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        return response

    def _readable(self, hashes: list[str]) -> dict[str, Blob]:
        """Return the blobs by hash. Errors: NotFound if the actor may not read all of them."""
        readable = possession.readable_blobs(self.actor, hashes, also_lost=True)
        readable |= possession.readable_solutions(self.actor, [each for each in hashes if each not in readable])
        if absent := [sha256 for sha256 in hashes if sha256 not in readable]:
            raise NotFound(
                gettext("There is no blob %(sha256)s, or it is not for you to read.") % {"sha256": absent[0]},
                missing=absent[:100],
            )
        return readable


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return (start, end) of the requested range (RFC 9110, section 14), end exclusive; None for the whole blob.

    Errors: RangeNotSatisfiable.

    >>> byte_range("bytes=0-4", 10), byte_range("bytes=-3", 10), byte_range("bytes=8-99", 10), byte_range("", 10)
    ((0, 5), (7, 10), (8, 10), None)
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.replace(" ", ""))
    if not match or match[0] == "bytes=-":
        return None  # also for several ranges: a server may answer with the whole
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    if first and last and int(last) < int(first):
        return None
    if start >= end:
        raise RangeNotSatisfiable
    return start, end
