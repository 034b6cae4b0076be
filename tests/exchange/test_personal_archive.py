"""Everything that a person submitted as one zip."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from courses import services as course_services
from courses.errors import PermissionDenied
from courses.models import AuditEntry, Membership
from courses.permissions import SERVER
from exchange import personal_archive, receipts, services
from exchange.storage import blobs
from tests import cast
from tests.cast import WORK, actor, person


def unpack(chunks):
    return zipfile.ZipFile(io.BytesIO(b"".join(chunks)))


def export(username, by=None):
    return unpack(personal_archive.export_person(person(username), by=by or actor(username)))


def test_zip_has_every_attempt_with_its_receipt_and_all_feedback(submission):
    cast.return_feedback(submission, "alice")
    cast.submit(submission.assignment, "bob", second=b"second")
    archive = export("bob")
    assert archive.testzip() is None
    first = f"NBG 101/ps1/{submission.created:%Y-%m-%d %H.%M.%S.%f} UTC"
    assert archive.read(f"{first}/files/ps1.ipynb") == WORK["ps1.ipynb"]
    assert archive.read(f"{first}/feedback 1/ps1.html") == b"<b>well done</b>"
    written = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("receipt.json")]
    assert len(written) == 2 and all(receipts.verify(receipt).valid for receipt in written)
    assert archive.read("submissions.csv").decode().count("NBG 101,ps1,") == 2


def test_left_courses_and_unreleased_assignments_are_in_it(submission):
    services.unrelease(submission.assignment, by=actor("alice"))
    services.withdraw_submissions([submission], by=actor("alice"))
    Membership.objects.filter(user=person("bob")).delete()
    assert any(name.endswith("files/ps1.ipynb") for name in export("bob").namelist())


def test_only_their_own_is_in_it(two_courses):
    cast.submit(two_courses["assignment"], "dave", secret=b"dave's")
    assert not [name for name in export("bob").namelist() if "secret" in name or "lab 1" in name]
    assert export("erin").namelist() == ["submissions.csv"]


@pytest.mark.parametrize("username", ["dave", "alice", "root"])
def test_nobody_else_gets_it(submission, username):
    before = AuditEntry.objects.count()
    with pytest.raises(PermissionDenied):
        personal_archive.export_person(person("bob"), by=actor(username))
    assert AuditEntry.objects.count() == before


def test_download_is_audited_once(submission):
    export("bob")
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor, entry.target) == ("download everything submitted", "bob", "bob")


def test_course_in_the_trash_is_in_it(submission):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    assert export("bob").namelist() == export("bob", by=SERVER).namelist() != ["submissions.csv"]


def test_lost_bytes_are_listed(submission):
    blobs.delete(cast.sha256(WORK["ps1.ipynb"]))
    archive = export("bob")
    assert "files/ps1.ipynb" in archive.read("MISSING FILES.txt").decode()


def test_queries_do_not_grow_with_the_bytes_but_with_the_submissions(submission, django_assert_max_num_queries):
    for number in range(5):
        cast.submit(submission.assignment, "bob", **{f"file{number}": b"%d" % number})
    with django_assert_max_num_queries(4 + 3 * 6):
        export("bob", by=SERVER)


def test_command_writes_it_for_its_owner_alone(submission, tmp_path):
    call_command("export_person", "bob", tmp_path / "bob.zip", stdout=io.StringIO())
    assert (tmp_path / "bob.zip").stat().st_mode & 0o077 == 0
    assert zipfile.ZipFile(tmp_path / "bob.zip").testzip() is None
    with pytest.raises(CommandError):
        call_command("export_person", "nobody", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_home_page_offers_it(submission, browser):
    page = browser("bob").get("/").content.decode()
    assert "Download everything you submitted" in page
    response = browser("bob").get("/view/my-submissions.zip")
    assert response["Content-Disposition"] == 'attachment; filename="bob submissions.zip"'
    assert len(unpack(response.streaming_content).namelist()) == 4
    assert "Download everything" not in browser("dave").get("/").content.decode()
