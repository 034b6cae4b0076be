"""Garbage collection and uploads that meet: nobody dies of it, and no two wait for each other."""

import io
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from courses.errors import TryAgain
from exchange import services
from exchange.models import Blob, Feedback, FileSet, Submission
from exchange.services import FeedbackItem, uploads
from exchange.storage import blobs, file_sets, garbage
from exchange.storage.file_sets import Upload
from exchange.storage.uploads import remove_expired
from tests import cast
from tests.cast import WORK, actor

# SQLite has one writer: nobody meets anybody there.
if connection.vendor == "postgresql":
    pytestmark = pytest.mark.django_db(transaction=True)

    def in_an_hour():
        return timezone.now() + timedelta(hours=1)

    def in_another_process(act, found):
        """Start it in a thread with a connection of its own; its result or error goes to `found`."""

        def run():
            try:
                found.append(act())
            except (TryAgain, DatabaseError, ProtectedError) as error:
                found.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    @pytest.fixture
    def assignment():
        course = cast.make_courses()
        return services.release(course, "ps1", cast.upload(cast.PS1), by=actor("alice")).assignment

    @pytest.mark.parametrize("is_submitting_again", [True, False])
    def test_sweep_survives_an_upload_that_ends_beside_it(assignment, monkeypatch, is_submitting_again):
        """An upload of equal files uses the file set between the look at it and its deletion."""
        services.submit(assignment, cast.upload(WORK), by=actor("bob"))[0].delete()
        found, threads, delete = [], [], FileSet.delete

        def use():
            if is_submitting_again:
                return services.submit(assignment, cast.upload(WORK), by=actor("dave"))[0]
            course = assignment.course
            return services.release(course, "ps2", cast.upload(WORK), by=actor("alice"))

        def delete_beside_an_upload(file_set):
            threads.append(in_another_process(use, found))
            threads[0].join(1)  # it waits for us, or is done
            return delete(file_set)

        monkeypatch.setattr(FileSet, "delete", delete_beside_an_upload)
        garbage.collect_garbage(in_an_hour())
        threads[0].join()
        if isinstance(found[0], Exception):
            assert isinstance(found[0], TryAgain)
            use()
        for entry in FileSet.objects.get(digest=cast_digest(WORK)).entries.select_related("blob"):
            assert blobs.verify(entry.blob.sha256) and entry.blob.stored

    def cast_digest(files):
        return file_sets.digest(cast.upload(files).manifests[0])

    def test_upload_whose_file_set_goes_before_its_commit_is_to_be_repeated(assignment):
        services.submit(assignment, cast.upload(WORK), by=actor("bob"))[0].delete()
        upload = cast.upload(WORK)
        with pytest.raises(TryAgain), file_sets.store_upload(upload, by=actor("alice")), transaction.atomic():
            file_set, _ = file_sets.create_file_set(upload.manifests[0])
            row = {"assignment": assignment, "student": cast.person("dave"), "created": timezone.now()}
            Submission.objects.create(**row, file_set=file_set)
            in_another_process(lambda: FileSet.objects.filter(pk=file_set.pk).delete(), []).join()
        assert not Submission.objects.exists()

    def test_graders_who_return_the_same_files_in_opposite_order_do_not_wait_for_each_other(assignment):
        rows = [cast.submit(assignment, "bob"), cast.submit(assignment, "dave")]
        for turn in range(5):
            pages = [f"{turn} {number}".encode() for number in range(60)]
            start, found = threading.Barrier(2, timeout=60), []

            def give(username, row, contents, start=start):
                by = actor(username)
                uploads = [cast.upload({"ps1.html": content}) for content in contents]
                items = [FeedbackItem(one.manifests[0], submission=row.pk) for one in uploads]
                sent = [blob for one in uploads for blob in one.sent]
                start.wait()
                return services.return_feedback(assignment, items, Upload([i.entries for i in items], sent), by=by)

            threads = [
                in_another_process(lambda pages=pages, give=give: give("alice", rows[0], pages), found),
                in_another_process(lambda pages=pages, give=give: give("gina", rows[1], pages[::-1]), found),
            ]
            for thread in threads:
                thread.join()
            assert [type(one) for one in found] == [tuple, tuple], found
        assert Feedback.objects.count() == 5 * 2 * 60

    def test_sweep_locks_in_the_order_of_uploads(assignment):
        """Blobs of broken uploads are marked while an upload sends the same ones."""
        contents = [f"left over {number}".encode() for number in range(200)]
        for turn in range(5):
            upload = cast.upload({f"{number}.txt": content for number, content in enumerate(contents)})
            with pytest.raises(ZeroDivisionError), file_sets.store_upload(upload, by=actor("bob")):
                raise ZeroDivisionError("the process dies")
            Blob.objects.update(touched=timezone.now() - timedelta(days=2))
            found = []
            before = timezone.now() - timedelta(hours=3)
            again = cast.upload({f"{turn} {number}.txt": content for number, content in enumerate(contents)})
            threads = [
                in_another_process(lambda before=before: garbage.collect_garbage(before), found),
                in_another_process(lambda again=again: services.submit(assignment, again, by=actor("bob"))[0], found),
            ]
            for thread in threads:
                thread.join()
            (submission,) = [one for one in found if isinstance(one, Submission)]
            assert len(found) == 2 and not any(isinstance(one, Exception) for one in found), found
            assert all(blobs.verify(entry.blob.sha256) for entry in submission.file_set.entries.all())
            submission.delete()
            garbage.collect_garbage(in_an_hour())

    def test_processes_that_begin_complete_and_sweep_at_once_agree(assignment, monkeypatch):
        monkeypatch.setattr(uploads, "PART_SIZE", 10)
        content = b"0123456789abcdefghijklmno"
        for turn in range(5):
            sent, found = content + str(turn).encode(), []

            def send(sent=sent):
                by = actor("bob")
                upload, _ = services.begin_upload(assignment.course, cast.sha256(sent), len(sent), by=by)
                for number in range(1, upload.part_count + 1):
                    part = io.BytesIO(sent[(number - 1) * 10 : number * 10])
                    services.store_part(upload, number, part, by=by)
                services.complete_upload(upload, by=by)
                return upload.pk

            def sweep():
                for _ in range(5):
                    garbage.collect_garbage(timezone.now() - timedelta(hours=2))
                    remove_expired()
                return "swept"

            threads = [in_another_process(act, found) for act in (send, send, sweep, send)]
            for thread in threads:
                thread.join()
            assert len(found) == 4 and len({*found} - {"swept"}) == 1, found
            manifests = cast.upload({f"{turn}.bin": sent}).manifests
            submission, _ = services.submit(assignment, Upload(manifests), by=actor("bob"))
            assert submission.own_bytes == len(sent) and blobs.verify(cast.sha256(sent))
