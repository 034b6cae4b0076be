"""Each assignment knows its latest release, whatever adds releases."""

from importlib import import_module
from io import BytesIO

import pytest
from django.apps import apps
from django.db.models import RestrictedError
from django.utils import timezone

from courses import services as course_services
from courses.permissions import SERVER
from exchange import course_archive, services
from exchange.importers import course_archive as archive_importer
from exchange.importers import history
from exchange.models import Assignment, Blob, Release
from tests import cast
from tests.cast import PS1, WORK, actor


def check():
    """The truth, which is in the numbers."""
    for assignment in Assignment.objects.all():
        assert assignment.latest_release == assignment.releases.order_by("number").last()


def release_again(assignment, **files):
    files = {name: text.encode() for name, text in files.items()}
    return services.release(assignment.course, assignment.name, cast.upload(files), by=actor("alice"), force=True)


def test_newest_release_is_the_latest_and_the_instance_knows(assignment):
    assert assignment.latest_release.number == 1
    again = release_again(assignment, a="a")
    assert again.assignment.latest_release == again and again.number == 2
    services.unrelease(again.assignment, by=actor("alice"))
    services.restore(again.assignment, by=actor("alice"))
    check()


def test_imported_releases_count(course):
    assignment, _ = history.import_assignment(course, "old", due=None, is_unreleased=False)
    assert assignment.latest_release is None
    for number in (1, 2):
        history.import_release(assignment, cast.upload({"a": b"%d" % number}), created=timezone.now())
        check()
    assert Assignment.objects.get(name="old").latest_release.number == 2


def test_course_that_moves_brings_its_latest_releases(assignment, tmp_path):
    for number in range(2, 12):
        release_again(assignment, a=f"{number}")
    Assignment.objects.create(course=assignment.course, name="without")
    archive = BytesIO(b"".join(course_archive.export_course(assignment.course, by=SERVER)))
    path = tmp_path / "course.zip"
    path.write_bytes(archive.getvalue())
    archive_importer.import_course(path, name="Moved")
    check()
    assert Assignment.objects.get(course__name="Moved", name="ps1").latest_release.number == 11


def test_assignment_is_deleted_with_its_releases_and_the_latest_one_with_nothing_else(submission):
    assignment, root = submission.assignment, actor("root")
    release_again(assignment, a="a")
    assignment.refresh_from_db()
    with pytest.raises(RestrictedError):
        assignment.latest_release.delete()
    services.unrelease(assignment, by=actor("alice"))
    services.delete_assignment_permanently(assignment, by=root)
    assert not Release.objects.exists() and not Assignment.objects.exists()


def test_course_is_deleted_with_its_releases(submission):
    course = submission.assignment.course
    course_services.trash_course(course, by=SERVER)
    course_services.delete_course_permanently(course, by=actor("root"))
    assert not Release.objects.exists()


def test_submission_names_the_release_that_came_while_its_bytes_did(assignment):
    upload = cast.upload(WORK)
    sent, upload.sent = upload.sent, []

    def slowly():
        release_again(Assignment.objects.get(), late="late")
        yield from sent

    upload.sent = slowly()
    submission, _ = services.submit(assignment, upload, by=actor("bob"))
    assert submission.release.number == 2
    submission.refresh_from_db()
    assert submission.release.number == 2


def test_migration_finds_the_latest_and_notes_what_was_lost_before_faults_were(assignment):
    release_again(assignment, a="a")
    services.release(assignment.course, "ps2", cast.upload(PS1), by=actor("alice"))
    Assignment.objects.create(course=assignment.course, name="without")
    Assignment.objects.update(latest_release=None)
    lost = Blob.objects.filter(sha256=cast.sha256(PS1["ps1.ipynb"]))
    lost.update(stored=False)
    Blob.objects.create(sha256="a" * 64, size=1, touched=timezone.now())
    import_module("exchange.migrations.0005_latest_release").fill(apps, None)
    check()
    assert [blob.fault for blob in Blob.objects.exclude(fault="")] == [blob.fault for blob in lost] == ["missing"]
