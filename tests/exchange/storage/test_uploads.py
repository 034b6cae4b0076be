"""Uploads in parts that meet each other, garbage collection, or their end in the middle of something."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from courses.errors import NotFound, PermissionDenied
from exchange import services, usage
from exchange.models import Blob, BlobUpload, FileSet
from exchange.services import uploads as services_uploads
from exchange.storage import blobs, file_sets, garbage, parts, uploads
from exchange.storage.file_sets import BlobsMissing, Upload
from tests import cast
from tests.cast import actor

CONTENT = b"0123456789abcdefghijklmno"  # three parts
SHA256 = cast.sha256(CONTENT)
HOUR = timedelta(hours=1)


class Killed(BaseException):
    """kill -9: nothing that follows is done."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(services_uploads, "PART_SIZE", 10)


@pytest.fixture
def upload(assignment):
    """bob's, with all its parts."""
    return begin(assignment.course)


def begin(course, content=CONTENT):
    upload, _ = services.begin_upload(course, cast.sha256(content), len(content), by=actor("bob"))
    for number in range(1, upload.part_count + 1):
        part = content[(number - 1) * 10 : number * 10]
        services.store_part(upload, number, io.BytesIO(part), by=actor("bob"))
    return upload


def complete(upload):
    services.complete_upload(BlobUpload.objects.select_related("course").get(pk=upload.pk), by=actor("bob"))


def without_sending():
    manifest = cast.upload({"large.bin": CONTENT}).manifests
    return Upload(manifest)


def submit(assignment):
    return services.submit(assignment, without_sending(), by=actor("bob"))[0]


def before_calling(monkeypatch, module, name, act):
    """Run `act` once, as another process would, before a function of a module is called."""
    function, pending = getattr(module, name), [act]

    def act_and_call(*arguments, **options):
        if pending:
            pending.pop()()
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, act_and_call)


def names_of_parts():
    """`{upload}/{number}` of each. (An object store may list a folder that is empty.)"""
    return [f"{name}/{part}" for name in parts.upload_ids() for part in default_storage.listdir(f"parts/{name}")[1]]


# Two processes


@pytest.mark.parametrize(
    ("module", "name"),
    [(parts, "missing"), (blobs, "stage"), (file_sets, "store_blob"), (blobs, "put"), (parts, "delete")],
)
def test_two_processes_may_complete_at_once(upload, assignment, monkeypatch, module, name):
    before_calling(monkeypatch, module, name, lambda: complete(upload))
    complete(upload)
    assert BlobUpload.objects.get().completed and blobs.verify(SHA256) and not names_of_parts()
    assert submit(assignment).own_bytes == len(CONTENT)


def test_upload_may_be_completed_while_its_parts_are_read(upload, assignment, monkeypatch):
    opened = []
    open_ = Storage.open

    def complete_before_the_second(storage, name, *arguments):
        opened.append(name)
        if len(opened) == 2:
            complete(upload)
        return open_(storage, name, *arguments)

    monkeypatch.setattr(Storage, "open", complete_before_the_second)
    complete(upload)
    assert BlobUpload.objects.get().completed and blobs.verify(SHA256)


def test_part_that_is_sent_again_while_it_is_completed_does_no_harm(upload, assignment, monkeypatch):
    def send_again():
        services.store_part(upload, 2, io.BytesIO(CONTENT[10:20]), by=actor("bob"))

    before_calling(monkeypatch, parts, "delete", send_again)
    complete(upload)
    send_again()
    assert blobs.verify(SHA256) and submit(assignment)
    uploads.remove_expired()
    assert not names_of_parts()


def test_upload_that_another_process_completes_stays_complete_when_it_is_begun(upload, assignment, monkeypatch):
    before_calling(monkeypatch, services_uploads, "_check_quota", lambda: complete(upload))
    found, is_new = services.begin_upload(assignment.course, SHA256, len(CONTENT), by=actor("bob"))
    assert found == upload and found.completed and not is_new
    assert BlobUpload.objects.get().completed and submit(assignment)


def test_part_that_arrives_while_the_parts_are_removed_is_no_fault(upload, assignment, monkeypatch, caplog):
    delete = FileSystemStorage.delete

    def send_before_the_folder_goes(storage, name):  # an object store has no folders
        if name == f"parts/{upload.pk}":
            services.store_part(upload, 2, io.BytesIO(CONTENT[10:20]), by=actor("bob"))
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", send_before_the_folder_goes)
    complete(upload)
    assert submit(assignment)
    uploads.remove_expired()
    assert not caplog.records
    monkeypatch.undo()
    uploads.remove_expired()
    assert not names_of_parts()


def test_sender_who_is_removed_while_the_parts_are_read_completes_nothing(upload, assignment, monkeypatch):
    remove = assignment.course.memberships.filter(user__username="bob").delete
    before_calling(monkeypatch, blobs, "stage", remove)
    with pytest.raises(PermissionDenied):
        complete(upload)
    assert BlobUpload.objects.get().completed is None


def test_part_that_breaks_off_stores_nothing(assignment):
    upload, _ = services.begin_upload(assignment.course, SHA256, len(CONTENT), by=actor("bob"))

    class BreakingOff(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError("the connection is gone")
            return super().read(5)

    with pytest.raises(OSError, match="the connection is gone"):
        services.store_part(upload, 1, BreakingOff(CONTENT), by=actor("bob"))
    with pytest.raises(blobs.WrongSize, match="Part 1 ends after 9 of 10 bytes"):
        services.store_part(upload, 1, io.BytesIO(CONTENT[:9]), by=actor("bob"))
    assert names_of_parts() == [] and not list(blobs.staging_folder().iterdir())


# Killed in the middle


@pytest.mark.parametrize(
    ("module", "name"),
    [(blobs, "stage"), (file_sets, "store_blob"), (blobs, "put"), (BlobUpload.objects, "filter"), (parts, "delete")],
)
def test_upload_is_completed_after_the_process_was_killed(upload, assignment, monkeypatch, module, name):
    target = BlobUpload.objects.select_related("course").get(pk=upload.pk)

    def kill(*arguments, **options):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(module, name, kill)
        services.complete_upload(target, by=actor("bob"))
    complete(upload)
    assert submit(assignment).own_bytes == len(CONTENT) and blobs.verify(SHA256)
    assert not garbage.collect_garbage(timezone.now() + HOUR)[0]
    uploads.remove_expired()
    assert not names_of_parts()


# Beside garbage collection


@pytest.mark.parametrize(
    ("module", "name"),
    [(parts, "missing"), (blobs, "stage"), (file_sets, "store_blob"), (blobs, "put"), (parts, "delete")],
)
def test_sweep_beside_it_changes_nothing(upload, assignment, monkeypatch, module, name):
    before_calling(monkeypatch, module, name, lambda: call_command("sweep_blobs", hours=2))
    complete(upload)
    call_command("sweep_blobs", hours=2)
    assert submit(assignment) and blobs.verify(SHA256)


@pytest.mark.parametrize(("module", "name"), [(blobs, "stage"), (file_sets, "store_blob"), (blobs, "put")])
def test_upload_that_ends_while_it_is_completed_is_to_begin_anew(upload, assignment, monkeypatch, module, name):
    def end():
        BlobUpload.objects.update(expires=timezone.now())
        uploads.remove_expired()

    before_calling(monkeypatch, module, name, end)
    with pytest.raises(NotFound):
        complete(upload)
    with pytest.raises(BlobsMissing):
        submit(assignment)
    garbage.collect_garbage(timezone.now() + HOUR)
    assert not BlobUpload.objects.exists() and not names_of_parts() and not blobs.verify(SHA256)
    begin(assignment.course)
    complete(BlobUpload.objects.get())
    assert submit(assignment) and blobs.verify(SHA256)


def test_submission_keeps_the_blob_from_garbage_collection(upload, assignment):
    complete(upload)
    Blob.objects.update(touched=timezone.now() - 20 * HOUR)
    unsent = without_sending()
    with file_sets.store_upload(unsent, by=actor("bob")):
        assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
        with transaction.atomic():
            file_set, _ = file_sets.create_file_set(unsent.manifests[0])
    assert blobs.verify(SHA256) and file_set.entries.get().blob.stored


def test_blob_that_garbage_collection_took_first_is_to_be_sent_again(upload, assignment):
    complete(upload)
    garbage.collect_garbage(timezone.now() + HOUR)
    with pytest.raises(BlobsMissing):
        submit(assignment)
    assert begin(assignment.course).pk == upload.pk
    complete(upload)
    assert submit(assignment)


def test_bytes_that_the_store_has_lost_are_to_be_sent_again(upload, assignment):
    complete(upload)
    blobs.delete(SHA256)
    with pytest.raises(BlobsMissing):
        submit(assignment)
    complete(begin(assignment.course))
    assert submit(assignment) and blobs.verify(SHA256)


def test_damage_that_verification_found_is_to_be_sent_again(upload, assignment):
    complete(upload)
    submit(assignment).delete()
    complete(begin(assignment.course))
    Blob.objects.filter(sha256=SHA256).update(fault="damaged")
    with pytest.raises(BlobsMissing):
        submit(assignment)


def test_blob_that_was_lost_before_is_healed(submission):
    """Its row says so until a file set names it."""
    content = cast.WORK["ps1.ipynb"]
    blob = Blob.objects.get(sha256=cast.sha256(content))
    blobs.delete(blob.sha256)
    complete(begin(submission.assignment.course, content))
    unsent = Upload(cast.upload({"again.ipynb": content}).manifests)
    services.submit(submission.assignment, unsent, by=actor("bob"))
    blob.refresh_from_db()
    assert blobs.verify(blob.sha256) and blob.stored and not blob.fault


# What is over


def test_sweep_removes_what_has_ended_and_keeps_the_rest(assignment):
    old, complete_, new = (begin(assignment.course, letter * 25) for letter in (b"a", b"b", b"c"))
    complete(complete_)
    BlobUpload.objects.filter(pk__in=[old.pk, complete_.pk]).update(expires=timezone.now())
    before = cast.everything()
    out = io.StringIO()
    call_command("sweep_blobs", "--dry-run", stdout=out)
    assert "; 1 unfinished upload, too." in out.getvalue() and cast.everything() == before
    out = io.StringIO()
    call_command("sweep_blobs", stdout=out)
    assert "; 1 unfinished upload, too." in out.getvalue()
    assert [upload.pk for upload in BlobUpload.objects.all()] == [new.pk]
    assert sorted(names_of_parts()) == [f"{new.pk}/{number}" for number in (1, 2, 3)]


def test_what_has_ended_goes_when_its_sender_begins_the_next_upload(upload):
    BlobUpload.objects.update(expires=timezone.now())
    new = begin(upload.course, CONTENT[::-1])
    assert [row.pk for row in BlobUpload.objects.all()] == [new.pk]
    assert {name.partition("/")[0] for name in names_of_parts()} == {str(new.pk)}


def test_parts_of_a_course_that_is_deleted_permanently_go_with_the_next_sweep(upload):
    upload.course.delete()
    assert not BlobUpload.objects.exists() and names_of_parts()
    uploads.remove_expired()
    assert not names_of_parts()


def test_upload_that_begins_beside_the_sweep_stays(assignment, monkeypatch):
    before_calling(monkeypatch, parts, "upload_ids", lambda: begin(assignment.course))
    uploads.remove_expired()
    upload = BlobUpload.objects.get()
    assert parts.missing(upload) == []
    complete(upload)


def test_foreign_file_beside_the_parts_is_no_part(upload):
    default_storage.save(f"parts/{upload.pk}/4", ContentFile(b"x"))
    default_storage.save(f"parts/{upload.pk}/notes", ContentFile(b"x"))
    assert parts.numbers(upload) == [1, 2, 3]
    complete(upload)
    assert blobs.verify(SHA256)


def test_uploads_under_way_are_counted(upload):
    assert usage.uploads_under_way() == (1, len(CONTENT))
    assert not FileSet.objects.filter(size=len(CONTENT)).exists()
