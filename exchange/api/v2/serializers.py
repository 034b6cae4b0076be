"""The shapes of answers and of JSON bodies of the exchange, as docs/api.md describes them.

The brackets name what a serializer answers; None, that it only reads a body.
"""

from collections.abc import Mapping

from rest_framework import serializers
from rest_framework.fields import SkipField

from courses.api.fields import BoundedListField
from courses.api.serializers import TimestampField
from exchange import queries
from exchange.models import Assignment, BlobUpload, Feedback, FileEntry, Release, Submission
from exchange.storage import parts


class FileSerializer(serializers.Serializer[FileEntry]):
    path = serializers.CharField()
    sha256 = serializers.CharField(source="blob.sha256")
    size = serializers.IntegerField(source="blob.size", help_text="bytes")


class NotebookSerializer(serializers.Serializer[FileEntry]):
    """A file that is a notebook."""

    notebook_id = serializers.SerializerMethodField()
    path = serializers.CharField()

    def get_notebook_id(self, entry: FileEntry) -> str:
        return entry.path.removesuffix(".ipynb")


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
    files = FileSerializer(many=True, source="file_set.entries")

    class Meta(ReleaseSerializer.Meta):
        fields = (*ReleaseSerializer.Meta.fields, "files")


class LatestReleaseSerializer(serializers.ModelSerializer[Release]):
    """The latest release of a row of queries.visible_assignments."""

    created = TimestampField()
    digest = serializers.CharField(source="file_set.digest")

    class Meta:
        model = Release
        fields = ("number", "created", "digest")

    def get_attribute(self, instance: Assignment) -> Release | None:  # type: ignore[override]  # None: no release yet
        return latest_release(instance)


class AssignmentNotebooksSerializer(serializers.ListSerializer[Assignment]):
    """The notebooks of the latest release."""

    def get_attribute(self, instance: Assignment) -> list[FileEntry]:  # a list has no iterator
        release = latest_release(instance)
        return release.file_set.notebooks if release else []  # type: ignore[attr-defined]  # prefetched


def latest_release(assignment: Assignment) -> Release | None:
    return next(iter(assignment.latest), None)  # type: ignore[attr-defined]  # prefetched


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """A row of queries.visible_assignments."""

    course = serializers.CharField(source="course.name", read_only=True)
    name = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    due = TimestampField(allow_null=True)
    release = LatestReleaseSerializer(allow_null=True)
    notebooks = AssignmentNotebooksSerializer(child=NotebookSerializer())
    my_submissions = serializers.IntegerField(read_only=True)

    class Meta:
        model = Assignment
        fields = ("course", "name", "status", "due", "release", "notebooks", "my_submissions")


class DueSerializer(serializers.Serializer[None]):
    due = serializers.DateTimeField(allow_null=True)


# Submissions and feedback


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    """The current feedback of a row of queries.with_details."""

    created = TimestampField()
    digest = serializers.CharField(source="file_set.digest")
    files = FileSerializer(many=True, source="file_set.entries")

    class Meta:
        model = Feedback
        fields = ("id", "created", "digest", "files")

    def get_attribute(self, instance: Submission) -> Feedback | None:  # type: ignore[override]  # None: no feedback yet
        return queries.current_feedback(instance)


class SubmissionNotebooksSerializer(serializers.ListSerializer[Submission]):
    """The notebooks at the top of the submission's files."""

    def get_attribute(self, instance: Submission) -> list[FileEntry]:  # a list has no iterator
        file_set = instance.file_set
        if hasattr(file_set, "notebooks"):  # prefetched by queries.load_files
            return list(file_set.notebooks)
        top = [entry for entry in file_set.entries.all() if entry.path.endswith(".ipynb") and "/" not in entry.path]
        return sorted(top, key=lambda entry: entry.path)


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    """A row of queries.with_details."""

    course = serializers.CharField(source="assignment.course.name")
    assignment = serializers.CharField(source="assignment.name")
    student = serializers.CharField(source="student.username")
    submitted_by = serializers.CharField(source="submitted_by.username", allow_null=True, default=None)
    timestamp = TimestampField(source="created")
    release = serializers.IntegerField(source="release.number", allow_null=True, default=None)
    late = serializers.BooleanField()
    collected = TimestampField(source="collected_at", allow_null=True)
    withdrawn = TimestampField(source="withdrawn_at", allow_null=True)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size", help_text="bytes")
    file_count = serializers.IntegerField(source="file_set.file_count")
    notebooks = SubmissionNotebooksSerializer(child=NotebookSerializer())
    feedback = FeedbackSerializer(allow_null=True)

    class Meta:
        model = Submission
        fields: tuple[str, ...] = (
            "id",
            "course",
            "assignment",
            "student",
            "submitted_by",
            "timestamp",
            "release",
            "late",
            "trial",
            "collected",
            "withdrawn",
            "digest",
            "size",
            "file_count",
            "notebooks",
            "feedback",
        )


class SubmissionWithFilesSerializer(SubmissionSerializer):
    files = FileSerializer(many=True, source="file_set.entries")

    class Meta(SubmissionSerializer.Meta):
        fields = (*SubmissionSerializer.Meta.fields, "files")


class ListedSubmissionSerializer(SubmissionWithFilesSerializer):
    """A row of a list, which has `files` when asked for with `files=true`."""

    files = FileSerializer(many=True, source="file_set.entries", required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        if not self.context.get("with_files", True):
            del fields["files"]
        return fields


class ReceiptSerializer(serializers.Serializer[Mapping[str, object]]):
    """What receipts.receipt signs."""

    id = serializers.IntegerField()
    course = serializers.CharField()
    assignment = serializers.CharField()
    student = serializers.CharField()
    submitted_by = serializers.CharField(allow_null=True)
    timestamp = serializers.CharField()
    release = serializers.IntegerField(allow_null=True)
    late = serializers.BooleanField()
    trial = serializers.BooleanField()
    digest = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    file_count = serializers.IntegerField()
    signature = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Mapping[str, object]]):
    valid = serializers.BooleanField()
    message = serializers.CharField()


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
