"""The shapes of answers and of small JSON bodies, as docs/api.md describes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange import receipts
from exchange.models import Assignment, Feedback, FileEntry, FileSet, Release, Submission


class FileSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")


class NotebookSerializer(serializers.Serializer[Any]):
    notebook_id = serializers.CharField()
    path = serializers.CharField()


def files(file_set: FileSet) -> list[dict[str, Any]]:
    return [
        {"path": entry.path, "sha256": entry.blob.sha256, "size": entry.blob.size} for entry in file_set.entries.all()
    ]


def notebooks(entries: list[FileEntry]) -> list[dict[str, str]]:
    return [{"notebook_id": entry.path.removesuffix(".ipynb"), "path": entry.path} for entry in entries]


# Assignments and releases


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    released_by = serializers.CharField(source="released_by.username", allow_null=True, default=None)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size")
    file_count = serializers.IntegerField(source="file_set.file_count")

    class Meta:
        model = Release
        fields = ("number", "created", "released_by", "digest", "size", "file_count")


class ReleaseWithFilesSerializer(ReleaseSerializer):
    files = serializers.SerializerMethodField()

    class Meta(ReleaseSerializer.Meta):
        fields = (*ReleaseSerializer.Meta.fields, "files")  # type: ignore[assignment]

    @extend_schema_field(FileSerializer(many=True))
    def get_files(self, release: Release) -> list[dict[str, Any]]:
        return files(release.file_set)


class ReleaseSummarySerializer(serializers.ModelSerializer[Release]):
    digest = serializers.CharField(source="file_set.digest")

    class Meta:
        model = Release
        fields = ("number", "created", "digest")


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """Rows of listings.assignments."""

    course = serializers.CharField(source="course.name", read_only=True)
    name = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    release = serializers.SerializerMethodField()
    notebooks = serializers.SerializerMethodField()
    my_submissions = serializers.IntegerField(read_only=True)

    class Meta:
        model = Assignment
        fields = ("course", "name", "status", "due", "release", "notebooks", "my_submissions")

    @extend_schema_field(ReleaseSummarySerializer(allow_null=True))
    def get_release(self, assignment: Any) -> dict[str, Any] | None:
        return ReleaseSummarySerializer(assignment.latest[0]).data if assignment.latest else None

    @extend_schema_field(NotebookSerializer(many=True))
    def get_notebooks(self, assignment: Any) -> list[dict[str, str]]:
        return notebooks(assignment.latest[0].file_set.notebooks) if assignment.latest else []


class DueSerializer(serializers.Serializer[Any]):
    due = serializers.DateTimeField(allow_null=True)


# Submissions and feedback


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    digest = serializers.CharField(source="file_set.digest")
    files = serializers.SerializerMethodField()

    class Meta:
        model = Feedback
        fields = ("id", "created", "digest", "files")

    @extend_schema_field(FileSerializer(many=True))
    def get_files(self, feedback: Feedback) -> list[dict[str, Any]]:
        return files(feedback.file_set)


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    """Rows of listings.with_everything."""

    course = serializers.CharField(source="assignment.course.name")
    assignment = serializers.CharField(source="assignment.name")
    student = serializers.CharField(source="student.username")
    submitted_by = serializers.CharField(source="submitted_by.username", allow_null=True, default=None)
    timestamp = serializers.DateTimeField(source="created")
    release = serializers.IntegerField(source="release.number", allow_null=True, default=None)
    late = serializers.BooleanField()
    collected = serializers.DateTimeField(source="collected_at", allow_null=True)
    withdrawn = serializers.DateTimeField(source="withdrawn_at", allow_null=True)
    digest = serializers.CharField(source="file_set.digest")
    size = serializers.IntegerField(source="file_set.size")
    file_count = serializers.IntegerField(source="file_set.file_count")
    notebooks = serializers.SerializerMethodField()
    feedback = serializers.SerializerMethodField()

    class Meta:
        model = Submission
        fields = (
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

    @extend_schema_field(NotebookSerializer(many=True))
    def get_notebooks(self, submission: Any) -> list[dict[str, str]]:
        return notebooks(submission.file_set.notebooks)

    @extend_schema_field(FeedbackSerializer(allow_null=True))
    def get_feedback(self, submission: Submission) -> dict[str, Any] | None:
        feedbacks = submission.feedbacks.all()
        return FeedbackSerializer(feedbacks[0]).data if feedbacks else None


class SubmissionWithFilesSerializer(SubmissionSerializer):
    files = serializers.SerializerMethodField()

    class Meta(SubmissionSerializer.Meta):
        fields = (*SubmissionSerializer.Meta.fields, "files")  # type: ignore[assignment]

    @extend_schema_field(FileSerializer(many=True))
    def get_files(self, submission: Submission) -> list[dict[str, Any]]:
        return files(submission.file_set)

    def get_notebooks(self, submission: Any) -> list[dict[str, str]]:
        top = [one for one in submission.file_set.entries.all() if one.path.endswith(".ipynb") and "/" not in one.path]
        return notebooks(sorted(top, key=lambda entry: entry.path))


class ReceiptSerializer(serializers.Serializer[Any]):
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
    size = serializers.IntegerField()
    file_count = serializers.IntegerField()
    signature = serializers.CharField()

    def to_representation(self, instance: Submission) -> dict[str, Any]:
        return receipts.receipt(instance)


class VerdictSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    message = serializers.CharField()


class IdsSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=20_000)


class ChangedSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField()


class GivenSerializer(serializers.Serializer[Any]):
    submission = serializers.IntegerField()
    student = serializers.CharField()
    timestamp = serializers.DateTimeField()


class RefusedSerializer(serializers.Serializer[Any]):
    submission = serializers.IntegerField(allow_null=True)
    student = serializers.CharField(allow_null=True)
    timestamp = serializers.DateTimeField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ReturnedSerializer(serializers.Serializer[Any]):
    returned = GivenSerializer(many=True)
    refused = RefusedSerializer(many=True)


# Blobs


class HashesSerializer(serializers.Serializer[Any]):
    sha256 = serializers.ListField(child=serializers.RegexField("^[0-9a-f]{64}$"), max_length=200_000)


class ManifestSerializer(serializers.Serializer[Any]):
    files = FileSerializer(many=True)


class MissingSerializer(serializers.Serializer[Any]):
    missing = serializers.ListField(child=serializers.CharField())
