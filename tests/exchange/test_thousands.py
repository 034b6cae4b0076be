"""Courses and submissions with thousands of rows: no statement grows beyond what a database takes."""

import io
import zipfile

import pytest
from django.db import connection
from django.utils import timezone

from courses.models import AuditEntry, Membership, Role, User
from exchange import services
from exchange.models import Blob, Feedback, FileEntry, FileSet, Submission
from exchange.storage import archives
from tests import cast
from tests.cast import actor, v2

pytestmark = pytest.mark.wide

STUDENTS = 5000


def text_of(number):
    return f"{number:05}".encode()


def make_file_sets(count, files=1):
    """File sets that have no file in common; their bytes are in the database alone."""
    now = timezone.now()
    rows = [
        Blob(sha256=cast.sha256(text_of(number)), size=5, stored=True, touched=now) for number in range(count * files)
    ]
    rows = Blob.objects.bulk_create(rows, 1000)
    sets = [FileSet(digest=f"{number:064x}", size=5 * files, file_count=files) for number in range(count)]
    sets = FileSet.objects.bulk_create(sets, 1000)
    entries = [
        FileEntry(file_set=sets[number // files], position=number % files, path=f"{number % files}.ipynb", blob=blob)
        for number, blob in enumerate(rows)
    ]
    FileEntry.objects.bulk_create(entries, 1000)
    gather_statistics()
    return sets


def gather_statistics():
    """As PostgreSQL does by itself within a minute of what was committed."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.fixture
def crowd(assignment, settings):
    """Submissions of 5,000 students, each with feedback."""
    settings.NGSHARE_STANDALONE = True
    now = timezone.now()
    users = User.objects.bulk_create([User(username=f"student{number}") for number in range(STUDENTS)], 1000)
    members = [Membership(course=assignment.course, user=user, role=Role.STUDENT) for user in users]
    Membership.objects.bulk_create(members, 1000)
    rows = [
        Submission(assignment=assignment, student=user, created=now, file_set=file_set)
        for user, file_set in zip(users, make_file_sets(STUDENTS), strict=True)
    ]
    rows = Submission.objects.bulk_create(rows, 1000)
    feedbacks = [Feedback(submission=row, file_set=row.file_set, created=now) for row in rows]
    Feedback.objects.bulk_create(feedbacks, 1000)
    gather_statistics()
    return rows


def test_everything_that_collect_asks_for_comes_on_one_page(crowd):
    alice = cast.client("alice")
    options = {"course": cast.COURSE, "assignment": "ps1", "latest": "true", "files": "true", "page_size": STUDENTS}
    answer = alice.get(v2("submissions"), options)
    results = answer.json()["results"]
    assert answer.status_code == 200 and len(results) == STUDENTS
    assert all(len(row["files"]) == len(row["feedback"]["files"]) == 1 for row in results)
    ids = [row["id"] for row in results]
    answer = alice.post(v2("submissions", "collected"), {"ids": ids}, format="json")
    assert answer.json() == {"changed": STUDENTS}
    for act in ("withdraw", "restore"):
        answer = alice.post(v2("submissions", act), {"ids": ids}, format="json")
        assert answer.json() == {"changed": STUDENTS}


def test_lists_by_id_take_what_an_address_holds(crowd):
    ids = ",".join(str(row.pk) for row in crowd[:1500])
    answer = cast.client("alice").get(v2("submissions"), {"id": ids, "page_size": STUDENTS, "files": "true"})
    assert len(answer.json()["results"]) == 1500


def test_pages_show_thousands_of_students(crowd, browser):
    alice = browser("alice")
    for address in ("/", "/view/course/NBG 101/ps1/", "/view/course/NBG 101/ps1/hand-ins.csv"):
        answer = alice.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200 and b"5000" in content or b"student4999" in content


def test_action_of_the_admin_takes_all_rows(crowd, browser):
    chosen = {"action": "move_to_trash", "_selected_action": crowd[0].pk, "select_across": "1", "index": "0"}
    answer = browser("alice").post("/admin/exchange/submission/", chosen)
    assert answer.status_code == 302
    assert Submission.objects.present().count() == 0


def test_submission_of_thousands_of_files_is_shown_and_read(assignment, browser, settings):
    settings.NGSHARE_STANDALONE = True
    (file_set,) = make_file_sets(1, files=STUDENTS)
    bob = cast.person("bob")
    submission = Submission.objects.create(
        assignment=assignment, student=bob, created=timezone.now(), file_set=file_set
    )
    answer = cast.client("bob").get(v2("submissions", submission.pk))
    assert len(answer.json()["files"]) == STUDENTS
    page = browser("bob").get(f"/view/submission/{submission.pk}/")
    assert page.status_code == 200
    folder = archives.ArchiveFolder(FileSet.objects.get(pk=file_set.pk), "ps1", submission.created)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(archives.stream_zip([folder]))))
    assert "ps1/4999.ipynb" in archive.read(archives.LOST).decode()


def test_feedback_on_thousands_is_returned_at_once(crowd, assignment):
    Feedback.objects.all().delete()
    contents = {f"{number}.html": b"good" for number in range(2)}
    upload = cast.upload(contents)
    (entries,) = upload.manifests
    items = [services.FeedbackItem(entries, submission=row.pk) for row in crowd]
    upload.manifests = [item.entries for item in items]
    returned, refused = services.return_feedback(assignment, items, upload, by=actor("alice"))
    assert len(returned) == Feedback.objects.count() == STUDENTS and not refused


def test_bytes_of_thousands_are_marked_as_missing_and_found_missing(crowd):
    hashes = [cast.sha256(text_of(number)) for number in range(STUDENTS)]
    answer = cast.client("alice").post(v2("blobs", "bundle"), {"sha256": hashes}, format="json")
    assert answer.status_code == 410
    assert Blob.objects.filter(stored=False).count() == STUDENTS
    assert AuditEntry.objects.filter(action="mark bytes as missing").count() == STUDENTS
