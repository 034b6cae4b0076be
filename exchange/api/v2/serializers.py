"""The shapes of answers and of JSON bodies of the exchange, as docs/api.md describes them.

The brackets name what a serializer answers; None, that it only reads a body.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.fields import SkipField

from courses.api.fields import BoundedListField
from courses.api.serializers import TimestampField
from exchange import queries
from exchange.deadlines import Reason
from exchange.models import Assignment, BlobUpload, Feedback, FileSet, Release, Submission
from exchange.receipts import State, Verdict
from exchange.storage import parts
from exchange.storage.manifests import ManifestEntry


class FileListSerializer(serializers.ListSerializer[FileSet]):
    """The files of a file set. An answer may have ten thousand, so none of them passes a serializer."""

    def to_representation(self, data: FileSet) -> list[dict[str, object]]:  # type: ignore[override]  # no iterable
        return [{"path": file.path, "sha256": file.sha256, "size": file.size} for file in queries.files_of(data)]


class FileSerializer(serializers.Serializer[ManifestEntry]):
    path = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")

    class Meta:
        list_serializer_class = FileListSerializer


class NotebookListSerializer(serializers.ListSerializer[FileSet]):
    """The notebooks at the top of a file set; none where there is no file set yet."""

    def to_representation(self, data: FileSet | None) -> list[dict[str, str]]:  # type: ignore[override]
        paths = queries.notebooks_of(data) if data else []
        return [{"notebook_id": path.removesuffix(".ipynb"), "path": path} for path in paths]


class NotebookSerializer(serializers.Serializer[str]):
    """A file that is a notebook."""

    notebook_id = serializers.CharField()
    path = serializers.CharField()

    class Meta:
        list_serializer_class = NotebookListSerializer


Row = TypeVar("Row")


@cache
def _template(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return serializer()


class RowSerializer(serializers.Serializer[Row]):
    """A serializer that only answers, and without its context: one copy of its fields does for all requests."""

    def to_representation(self, instance: Row) -> dict[str, Any]:
        return serializers.Serializer.to_representation(_template(type(self)), instance)


# Assignments and releases


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    created = TimestampField()
    released_by = serializers.CharField(source="released_by.username", allow_null=True, default=None)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size", help_text="bytes")
    file_count = serializers.IntegerField(source="file_set.file_count")

    class Meta:
        model = Release
        fields: tuple[str, ...] = ("number", "created", "released_by", "digest", "size", "file_count")


class ReleaseWithFilesSerializer(ReleaseSerializer):
    files = FileSerializer(many=True, source="file_set")

    class Meta(ReleaseSerializer.Meta):
        fields = (*ReleaseSerializer.Meta.fields, "files")


class LatestReleaseSerializer(serializers.Serializer[Release]):
    number = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    created = TimestampField()
    digest = serializers.CharField(source="file_set.digest")


class DeadlineSerializer(serializers.Serializer[Assignment]):
    due = TimestampField(source="deadline.due", allow_null=True)
    cut_off = TimestampField(source="deadline.cut_off", allow_null=True)
    attempts_left = serializers.IntegerField(allow_null=True, help_text="null: no limit, or it does not hold for staff")
    reason = serializers.ChoiceField(
        source="deadline.reason", choices=Reason.choices, allow_blank=True, help_text="empty: the assignment's own"
    )


class AssignmentSerializer(RowSerializer[Assignment]):
    """A row of queries.load_assignments."""

    course = serializers.CharField(source="course.name", read_only=True)
    name = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    release_at = TimestampField(allow_null=True, help_text="students see the assignment from then on")
    due = TimestampField(allow_null=True)
    cut_off = TimestampField(allow_null=True, help_text="nothing is accepted after it")
    max_attempts = serializers.IntegerField(allow_null=True)
    deadline = DeadlineSerializer(source="*", help_text="what is in force for the asking user")
    release = LatestReleaseSerializer(source="latest_release", allow_null=True)
    notebooks = NotebookSerializer(many=True, source="latest_release.file_set", default=None)
    my_submissions = serializers.IntegerField(read_only=True)


class DueSerializer(serializers.Serializer[None]):
    due = serializers.DateTimeField(allow_null=True)


# Submissions and feedback


class FeedbackSerializer(serializers.Serializer[Feedback]):
    """The current feedback of a row of queries.load_details."""

    id = serializers.IntegerField(read_only=True)
    created = TimestampField()
    digest = serializers.CharField(source="file_set.digest")
    files = FileSerializer(many=True, source="file_set")

    def get_attribute(self, instance: Submission) -> Feedback | None:  # type: ignore[override]  # None: no feedback yet
        return queries.current_feedback(instance)


class SubmissionSerializer(serializers.Serializer[Submission]):
    """A row of queries.load_details."""

    id = serializers.IntegerField(read_only=True)
    course = serializers.CharField(source="assignment.course.name")
    assignment = serializers.CharField(source="assignment.name")
    student = serializers.CharField(source="student.username")
    submitted_by = serializers.CharField(source="submitted_by.username", allow_null=True, default=None)
    timestamp = TimestampField(source="created")
    release = serializers.IntegerField(source="release.number", allow_null=True, default=None)
    late = serializers.BooleanField()
    repeats = serializers.IntegerField(
        source="repeated", allow_null=True, help_text="of a late one: the id of that in time with exactly its files"
    )
    trial = serializers.BooleanField(required=False, help_text=Submission.trial.field.help_text)
    collected = TimestampField(source="collected_at", allow_null=True)
    withdrawn = TimestampField(source="withdrawn_at", allow_null=True)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size", help_text="bytes")
    file_count = serializers.IntegerField(source="file_set.file_count")
    notebooks = NotebookSerializer(many=True, source="file_set")
    feedback = FeedbackSerializer(allow_null=True)


class SubmissionWithFilesSerializer(SubmissionSerializer):
    files = FileSerializer(many=True, source="file_set")


class ListedSubmissionSerializer(SubmissionWithFilesSerializer):
    """A row of a list, which has `files` when asked for with `files=true`."""

    files = FileSerializer(many=True, source="file_set", required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        if not self.context.get("with_files", True):
            del fields["files"]
        return fields


class ReceiptSerializer(serializers.Serializer[Mapping[str, object]]):
    """What receipts.receipt signs."""

    id = serializers.IntegerField()
    code = serializers.CharField(help_text="short code, such as 7K3M-Q0ZD-4XHC")
    course = serializers.CharField()
    assignment = serializers.CharField()
    student = serializers.CharField()
    submitted_by = serializers.CharField(allow_null=True)
    timestamp = serializers.CharField()
    due = serializers.CharField(allow_null=True, help_text="due date that was in force when it arrived")
    release = serializers.IntegerField(allow_null=True)
    trial = serializers.BooleanField()
    digest = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    file_count = serializers.IntegerField()
    key = serializers.CharField(help_text="id of the key that signed it, see receipts/keys/")
    signature = serializers.CharField(help_text="Ed25519, base64url without padding")


class VerdictSerializer(serializers.Serializer[Verdict]):
    valid = serializers.BooleanField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    message = serializers.CharField()


class PublicKeySerializer(serializers.Serializer[Mapping[str, str]]):
    """A JSON Web Key (RFC 8037)."""

    kty = serializers.CharField(help_text="OKP")
    crv = serializers.CharField(help_text="Ed25519")
    kid = serializers.CharField(help_text="what receipts state as `key`")
    x = serializers.CharField(help_text="the public key, base64url without padding")


class PublicKeysSerializer(serializers.Serializer[Mapping[str, object]]):
    keys = PublicKeySerializer(many=True)


class IdsSerializer(serializers.Serializer[None]):
    ids = BoundedListField(child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=20_000)


class ChangedSerializer(serializers.Serializer[Mapping[str, object]]):
    changed = serializers.IntegerField()


class PlaceSerializer(serializers.Serializer[None]):
    """Which submission an uploaded feedback is for."""

    submission = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    student = serializers.CharField(max_length=255, trim_whitespace=False, required=False)
    timestamp = serializers.DateTimeField(required=False)


class GivenSerializer(serializers.Serializer[Feedback]):
    """A Feedback that was returned."""

    submission = serializers.IntegerField(source="submission_id")
    student = serializers.CharField(source="submission.student.username")
    timestamp = TimestampField(source="submission.created")


class RefusedSerializer(serializers.Serializer[Mapping[str, object]]):
    """A FeedbackItem that was refused, and the error."""

    submission = serializers.IntegerField(source="item.submission", allow_null=True)
    student = serializers.CharField(source="item.student", allow_null=True)
    timestamp = TimestampField(source="item.timestamp", allow_null=True)
    code = serializers.CharField(source="error.code")
    message = serializers.CharField(source="error.message")


class ReturnedSerializer(serializers.Serializer[Mapping[str, object]]):
    returned = GivenSerializer(many=True)
    refused = RefusedSerializer(many=True)


# Blobs


class HashesSerializer(serializers.Serializer[None]):
    sha256 = BoundedListField(child=serializers.RegexField("^[0-9a-f]{64}$"), max_length=20_000)


class FewHashesSerializer(serializers.Serializer[None]):
    sha256 = BoundedListField(child=serializers.RegexField("^[0-9a-f]{64}$"), max_length=1000)


class AddressesSerializer(serializers.Serializer[Mapping[str, object]]):
    addresses = serializers.DictField(child=serializers.URLField(), help_text="presigned, by hash")


class ManifestSerializer(serializers.Serializer[None]):
    files = FileSerializer(many=True)


class MissingSerializer(serializers.Serializer[Mapping[str, object]]):
    missing = serializers.ListField(child=serializers.CharField())


# Uploads in parts


class NewUploadSerializer(serializers.Serializer[None]):
    sha256 = serializers.RegexField("^[0-9a-f]{64}$")
    size = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="bytes")


class PartAddressesField(serializers.DictField):
    """{number: presigned address}, left out unless parts may be sent to the store itself."""

    def get_attribute(self, instance: BlobUpload) -> dict[int, str]:
        addresses = parts.addresses(instance)
        if addresses is None:
            raise SkipField
        return addresses


class UploadSerializer(serializers.ModelSerializer[BlobUpload]):
    id = serializers.UUIDField(allow_null=True, help_text="null for what its sender may read anyway")
    parts = serializers.SerializerMethodField(help_text="the numbers of those that have arrived, from 1")
    complete = serializers.SerializerMethodField()
    expires = TimestampField()
    addresses = PartAddressesField(child=serializers.URLField(), required=False, help_text="of the missing parts")

    class Meta:
        model = BlobUpload
        fields = ("id", "sha256", "size", "part_size", "parts", "complete", "expires", "addresses")

    def get_parts(self, upload: BlobUpload) -> list[int]:
        return [] if upload.completed else parts.numbers(upload)

    def get_complete(self, upload: BlobUpload) -> bool:
        return upload.completed is not None
