"""Feedback from a zip: whose it is, for which attempt, and what is refused."""

import io
import zipfile

import pytest

from courses.errors import NotFound, TooLarge
from courses.models import AuditEntry
from exchange import services
from exchange.importers.feedback_archive import BadArchive, FeedbackArchive, keep_archive, open_kept, return_rows
from exchange.models import BlobUpload, Feedback
from tests import cast

PAGE = b"<b>well done</b>"


def make_zip(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    file.seek(0)
    return file


def timestamp(submission):
    return f"{submission.created:%Y-%m-%d %H:%M:%S.%f} UTC\n".encode()


@pytest.fixture
def read(assignment):
    return lambda files: FeedbackArchive(make_zip(files), assignment)


@pytest.mark.parametrize("root", ["", "feedback/", "nbg101/feedback/"])
def test_folders_of_nbgrader_are_found_wherever_they_begin(submission, read, root):
    archive = read({f"{root}bob/ps1/ps1.html": PAGE, f"{root}bob/ps2/ps2.html": PAGE, f"{root}x.html": PAGE})
    (row,) = archive.rows()
    assert (row.student, [entry.path for entry in row.entries], row.submission) == ("bob", ["ps1.html"], submission)
    assert row.is_returned and archive.ignored == 2


def test_only_pages_are_returned(submission, read):
    archive = read(
        {
            "bob/ps1/ps1.html": PAGE,
            "bob/ps1/ps1.ipynb": b"{}",
            "bob/ps1/data/x.html": PAGE,
            "__MACOSX/bob/ps1/._ps1.html": b"x",
            "bob/ps1/._ps1.html": b"x",
            "dave/ps1/timestamp.txt": b"x",
        }
    )
    (row,) = archive.rows()
    assert [entry.path for entry in row.entries] == ["ps1.html"]


def test_pages_are_for_the_attempt_of_their_time(submission, read):
    cast.submit(submission.assignment, "bob", more=b"more")
    (row,) = read({"bob/ps1/ps1.html": PAGE, "bob/ps1/timestamp.txt": timestamp(submission)}).rows()
    assert (row.submission, row.how) == (submission, "the time in timestamp.txt")


def test_without_a_time_they_are_for_what_was_collected_last_or_the_latest(submission, read):
    newer = cast.submit(submission.assignment, "bob", more=b"more")
    (row,) = read({"bob/ps1/ps1.html": PAGE}).rows()
    assert (row.submission, row.how) == (newer, "the latest")
    services.mark_collected([submission], by=cast.actor("alice"))
    (row,) = read({"bob/ps1/ps1.html": PAGE}).rows()
    assert (row.submission, row.how) == (submission, "collected last")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"dave/ps1/ps1.html": PAGE}, "This student has not submitted."),
        ({"nobody/ps1/ps1.html": PAGE}, "This student has not submitted."),
        ({"bob/ps1/ps1.html": PAGE, "bob/ps1/timestamp.txt": b"soon"}, "The time in timestamp.txt cannot be read."),
        (
            {"bob/ps1/ps1.html": PAGE, "bob/ps1/timestamp.txt": b"2020-01-01 00:00:00 UTC"},
            "There is no attempt of 2020-01-01 00:00:00 UTC, the time in timestamp.txt.",
        ),
        ({"bob/ps1/a.html": PAGE, "bob/ps1/A.html": PAGE}, "differ only in case"),
    ],
)
def test_what_has_no_attempt_is_named_and_not_returned(submission, read, files, problem):
    archive = read(files)
    (row,) = archive.rows()
    assert problem in row.problem and not row.is_returned
    assert return_rows(archive, [row], by=cast.actor("gina")) == 0 and not Feedback.objects.exists()


def test_feedback_is_returned_some_students_at_a_time(submission, read, monkeypatch):
    monkeypatch.setattr("exchange.importers.feedback_archive.AT_ONCE", 1)
    other = cast.submit(submission.assignment, "dave")
    archive = read(
        {"bob/ps1/ps1.html": PAGE, "dave/ps1/ps1.html": PAGE, "dave/ps1/p2.html": b"p2", "x/ps1/x.html": b""}
    )
    assert return_rows(archive, archive.rows(), by=cast.actor("gina")) == 2
    found = {
        each.submission_id: [entry.path for entry in each.file_set.entries.all()] for each in Feedback.objects.all()
    }
    assert found == {submission.pk: ["ps1.html"], other.pk: ["p2.html", "ps1.html"]}
    assert AuditEntry.objects.filter(action="return feedback").count() == 2


def test_the_same_again_is_not_returned_twice(submission, read):
    for count in (1, 0):
        archive = read({"bob/ps1/ps1.html": PAGE})
        assert return_rows(archive, archive.rows(), by=cast.actor("gina")) == count
    (row,) = archive.rows()
    assert row.is_repeat and Feedback.objects.count() == 1
    archive = read({"bob/ps1/ps1.html": b"corrected"})
    assert return_rows(archive, archive.rows(), by=cast.actor("gina")) == 1


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"x" * 50])
def test_what_is_no_zip_is_refused(assignment, content):
    with pytest.raises(BadArchive, match="This is no zip file"):
        FeedbackArchive(io.BytesIO(content), assignment)


def test_broken_page_is_refused(submission, read):
    file = make_zip({"bob/ps1/ps1.html": b"x" * 1000})
    content = bytearray(file.getvalue())
    content[50:52] = b"\xff\xff"
    archive = FeedbackArchive(io.BytesIO(bytes(content)), submission.assignment)
    with pytest.raises(BadArchive, match="is broken"):
        archive.rows()


def test_encrypted_page_is_refused(submission):
    content = bytearray(make_zip({"bob/ps1/ps1.html": PAGE}).getvalue())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadArchive, match="encrypted"):
        FeedbackArchive(io.BytesIO(bytes(content)), submission.assignment)


def test_time_that_is_encrypted_is_said_at_its_student(submission):
    content = bytearray(make_zip({"bob/ps1/timestamp.txt": timestamp(submission), "bob/ps1/ps1.html": PAGE}).getvalue())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (row,) = FeedbackArchive(io.BytesIO(bytes(content)), submission.assignment).rows()
    assert row.problem == "The time in timestamp.txt cannot be read."


def test_zip_of_another_time_is_refused(submission):
    content = bytearray(make_zip({"bob/ps1/ps1.html": PAGE}).getvalue())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version that is needed to read it
    with pytest.raises(BadArchive):
        FeedbackArchive(io.BytesIO(bytes(content)), submission.assignment)


def test_small_zip_of_huge_pages_is_refused(submission, read, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 10_000
    with pytest.raises(TooLarge, match="The pages are 2 MB"):
        read({"bob/ps1/ps1.html": b"0" * 2_000_000})


def test_file_without_a_name_is_ignored(submission):
    content = make_zip({"bob/ps1/ps1.html": PAGE, "nameless": b"x"}).getvalue()
    archive = FeedbackArchive(io.BytesIO(content.replace(b"nameless", b"\0ameless")), submission.assignment)
    assert [row.student for row in archive.rows()] == ["bob"] and archive.ignored == 1


class Watched(io.BytesIO):
    """A file that knows how much was read of it at once."""

    most = 0

    def read(self, size=-1, /):
        content = super().read(size)
        self.most = max(self.most, len(content))
        return content


def test_endless_list_of_files_is_refused_before_it_is_read(assignment, monkeypatch):
    monkeypatch.setattr("exchange.importers.feedback_archive.MAX_FILES", 10)
    monkeypatch.setattr("exchange.storage.zip_files.CHUNK", 10)
    file = Watched(make_zip({f"bob/ps1/{number}.html": PAGE for number in range(1000)}).getvalue())
    with pytest.raises(TooLarge, match="too many files in the zip; the limit is 10"):
        FeedbackArchive(file, assignment)
    assert file.most < 10_000
    with pytest.raises(TooLarge, match="The zip has 11 files, the limit is 10"):
        FeedbackArchive(make_zip({f"bob/ps1/{number}.html": PAGE for number in range(11)}), assignment)


# A zip that waits


def test_kept_zip_is_found_by_its_sender_alone(course, monkeypatch):
    monkeypatch.setattr("exchange.services.uploads.PART_SIZE", 10)
    content = make_zip({"bob/ps1/ps1.html": PAGE}).getvalue()
    ids = {keep_archive(io.BytesIO(content), len(content), course, by=cast.actor("gina")) for _ in range(2)}
    (kept,) = ids
    with open_kept(course, kept, by=cast.actor("gina")) as file:
        assert file.read() == content
    for who in ("alice", "bob", "root"):
        with pytest.raises(NotFound), open_kept(course, kept, by=cast.actor(who)):
            pass


def test_zip_that_is_gone_says_so(course):
    content = make_zip({"bob/ps1/ps1.html": PAGE}).getvalue()
    kept = keep_archive(io.BytesIO(content), len(content), course, by=cast.actor("gina"))
    BlobUpload.objects.all().delete()
    with pytest.raises(NotFound), open_kept(course, kept, by=cast.actor("gina")):
        pass
