"""File sets: the rules for manifests, who may read which bytes, and how an upload is stored."""

import io
import re
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses import services as course_services
from courses.errors import DomainError, TryAgain
from courses.permissions import SERVER, Actor
from exchange import services
from exchange.api.v2 import bundles
from exchange.models import Blob, FileEntry, FileSet
from exchange.storage import batches, blobs, file_sets, manifests, possession
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry
from tests import cast
from tests.cast import PS1, WORK, actor

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])  # in bob's submission alone
RELEASED = cast.sha256(PS1["ps1.ipynb"])  # in the release alone
ZEROS, ONES = "0" * 64, "1" * 64


def is_stored(content):
    return default_storage.exists(blobs.key(cast.sha256(content)))


def unsent(files):
    """An upload that names files and sends none of them."""
    upload = cast.upload(files)
    return Upload(upload.manifests)


def store(upload, username="bob"):
    with file_sets.store_upload(upload, by=actor(username)), transaction.atomic():
        return file_sets.create_file_set(upload.manifests[0])[0]


# Who may read what


def readable(who, *hashes):
    return set(possession.readable_blobs(who, hashes))


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("bob", {NOTEBOOK, RELEASED}),
        ("dave", {RELEASED}),
        ("gina", {NOTEBOOK, RELEASED}),
        ("alice", {NOTEBOOK, RELEASED}),
        ("carol", set()),
        ("erin", set()),
        ("root", {NOTEBOOK, RELEASED}),
    ],
)
def test_role_decides_which_bytes_are_readable(submission, username, expected):
    assert readable(actor(username), NOTEBOOK, RELEASED, ZEROS) == expected


def test_server_reads_everything_and_nobody_nothing(submission):
    assert readable(SERVER, NOTEBOOK, RELEASED) == {NOTEBOOK, RELEASED}
    assert readable(Actor(), NOTEBOOK, RELEASED) == set()


def test_unreleased_files_are_for_staff_alone(submission):
    services.unrelease(submission.assignment, by=actor("alice"))
    assert readable(actor("dave"), RELEASED) == set()
    assert readable(actor("bob"), RELEASED, NOTEBOOK) == {NOTEBOOK}
    assert readable(actor("gina"), RELEASED) == {RELEASED}


def test_superseded_release_is_for_staff_alone(submission):
    services.release(
        submission.assignment.course, "ps1", cast.upload({"ps1.ipynb": b"new"}), by=actor("alice"), force=True
    )
    assert readable(actor("dave"), RELEASED, cast.sha256(b"new")) == {cast.sha256(b"new")}
    assert readable(actor("gina"), RELEASED) == {RELEASED}
    services.release(submission.assignment.course, "other", cast.upload(PS1), by=actor("alice"))
    assert readable(actor("dave"), RELEASED) == {RELEASED}


@pytest.mark.parametrize("username", ["bob", "dave", "gina", "alice", "carol", "erin", "root"])
def test_same_queries_for_every_hash(submission, username):
    """Nobody learns from the time of an answer whether somebody else has the same bytes."""

    def queries(sha256):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            readable(by, sha256)
        return [re.sub(r"'\d{4}-\d\d-\d\d[ T][^']*'", "now", query["sql"]).replace(sha256, "…") for query in captured]

    by = actor(username)
    statements = [queries(sha256) for sha256 in (NOTEBOOK, RELEASED, ZEROS)]
    assert statements[0] == statements[1] == statements[2] and len(statements[0]) == 1


def test_feedback_is_for_its_student_and_for_staff(submission):
    feedback = cast.return_feedback(submission, "alice").file_set.entries.get().blob.sha256
    assert [name for name in ("bob", "dave", "gina", "carol") if readable(actor(name), feedback)] == ["bob", "gina"]


def test_course_in_the_trash_gives_students_their_own_work_alone(submission):
    feedback = cast.return_feedback(submission, "alice").file_set.entries.get().blob.sha256
    course_services.trash_course(submission.assignment.course, by=SERVER)
    assert readable(actor("bob"), NOTEBOOK, RELEASED, feedback) == {NOTEBOOK, feedback}
    assert readable(actor("alice"), NOTEBOOK, RELEASED, feedback) == set()


def test_student_who_left_reads_their_own_work_alone(submission):
    submission.assignment.course.memberships.filter(user__username="bob").delete()
    assert readable(actor("bob"), NOTEBOOK, RELEASED) == {NOTEBOOK}


def test_lost_bytes_are_readable_to_nobody(submission):
    Blob.objects.filter(sha256=NOTEBOOK).update(stored=False)
    for username in ("bob", "root"):
        assert readable(actor(username), NOTEBOOK) == set()


def test_rights_are_asked_for_more_hashes_than_one_statement_takes(submission, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 2)
    assert readable(actor("bob"), *[cast.sha256(name.encode()) for name in "abcde"], NOTEBOOK, RELEASED) == {
        NOTEBOOK,
        RELEASED,
    }


def test_missing_blobs_are_those_that_the_user_cannot_read(submission):
    manifest = [ManifestEntry("a", ONES, 1), *cast.upload(WORK).manifests[0], ManifestEntry("z", ONES, 1)]
    assert file_sets.missing_blobs(manifest, by=actor("bob")) == [ONES]
    assert file_sets.missing_blobs(manifest, by=actor("dave")) == [ONES, NOTEBOOK]


# Storing


def test_named_bytes_that_are_not_readable_must_be_sent(submission):
    before = cast.everything()
    with pytest.raises(file_sets.BlobsMissing, match="1 of the files must be sent") as caught:
        store(unsent(WORK), "dave")
    assert caught.value.details == {"missing": [NOTEBOOK]}
    assert cast.everything() == before
    assert store(unsent(WORK)) == submission.file_set


def test_wrong_size_of_known_bytes_is_refused(submission):
    manifest = [ManifestEntry("a", NOTEBOOK, 1)]
    before = cast.everything()
    with pytest.raises(blobs.WrongSize):
        file_sets.missing_blobs(manifest, by=actor("bob"))
    with pytest.raises(blobs.WrongSize):
        store(Upload([manifest]))
    assert cast.everything() == before


@pytest.mark.parametrize("times", [0, 2])
def test_blob_is_sent_once_and_only_if_the_manifest_names_it(course, times):
    manifest = cast.upload({"a": b"a"} if times else {}).manifests[0]
    sent = [(cast.sha256(b"a"), io.BytesIO(b"a")) for _ in range(max(times, 1))]
    with pytest.raises(manifests.BadManifest, match="does not ask for it"):
        store(Upload([manifest], sent))
    assert not is_stored(b"a") and not Blob.objects.exists()


@pytest.mark.parametrize(("content", "error"), [(b"BAD", blobs.WrongHash), (b"ba", blobs.WrongSize)])
def test_nothing_is_stored_unless_everything_is_right(course, content, error):
    manifest = [ManifestEntry("a", cast.sha256(b"good"), 4), ManifestEntry("b", cast.sha256(b"bad"), 3)]
    sent = [(cast.sha256(b"good"), io.BytesIO(b"good")), (cast.sha256(b"bad"), io.BytesIO(content))]
    with pytest.raises(error):
        store(Upload([manifest], sent))
    assert not is_stored(b"good") and not Blob.objects.exists()
    assert list(blobs.staging_folder().iterdir()) == []


def test_manifest_is_checked_before_anything_is_read(course):
    def sent():
        pytest.fail("nothing may be read")
        yield

    with pytest.raises(manifests.BadPath):
        store(Upload([[ManifestEntry("../a", ZEROS, 1)]], sent()))


def test_row_comes_before_the_bytes_and_says_that_they_are_not_there_yet(course, monkeypatch):
    put, rows = blobs.put, []

    def record(staged):
        rows.append(Blob.objects.get(sha256=staged.sha256).stored)
        put(staged)

    monkeypatch.setattr(blobs, "put", record)
    with file_sets.store_upload(cast.upload({"a": b"a"}), by=actor("bob")):
        assert rows == [False] and is_stored(b"a") and not Blob.objects.get().stored
    store(cast.upload({"a": b"a"}))
    blob = Blob.objects.get()
    assert blob.stored and blob.size == 1
    store(cast.upload({"a": b"a"}))
    assert rows == [False, False]  # stored bytes are not written again


def test_bytes_that_are_sent_are_touched(submission):
    Blob.objects.update(touched=timezone.now() - timedelta(days=2))
    start = timezone.now()
    store(cast.upload({"a": WORK["ps1.ipynb"]}), "dave")
    assert Blob.objects.get(sha256=NOTEBOOK).touched >= start


@pytest.mark.parametrize(("minutes", "is_touched"), [(30, False), (90, True)])
def test_bytes_that_are_relied_on_are_touched_once_in_an_hour(submission, minutes, is_touched):
    then = timezone.now() - timedelta(minutes=minutes)
    Blob.objects.update(touched=then)
    store(unsent(WORK))
    assert (Blob.objects.get(sha256=NOTEBOOK).touched > then) is is_touched
    assert Blob.objects.get(sha256=RELEASED).touched == then


@pytest.mark.parametrize("is_removed", [False, True])
def test_bytes_that_are_collected_while_an_upload_relies_on_them_must_be_sent_again(
    submission, monkeypatch, is_removed
):
    """Garbage collection comes between looking them up and touching them."""
    Blob.objects.update(touched=timezone.now() - timedelta(days=2))
    find = possession.readable_blobs

    def find_then_collect(*arguments):
        found = find(*arguments)
        rows = Blob.objects.filter(sha256=NOTEBOOK)
        if is_removed:
            FileEntry.objects.filter(blob__in=rows).delete()
            rows.delete()
        else:
            rows.update(stored=False)
        return found

    monkeypatch.setattr(file_sets, "readable_blobs", find_then_collect)
    with pytest.raises(TryAgain, match="just been removed"):
        store(unsent(WORK))


def test_blob_that_is_collected_before_its_file_set_is_made_is_noticed(course):
    upload = cast.upload({"a": b"a"})
    with pytest.raises(TryAgain), file_sets.store_upload(upload, by=actor("bob")), transaction.atomic():
        Blob.objects.all().delete()
        file_sets.create_file_set(upload.manifests[0])
    assert not FileSet.objects.exists()


def test_bytes_are_new_to_one_of_two_uploads_that_bring_them_at_once(assignment):
    first = cast.upload({"a": b"same", "b": b"own"})
    with file_sets.store_upload(first, by=actor("bob")) as stored:
        second, _ = services.submit(assignment, cast.upload({"z": b"same"}), by=actor("dave"))
        with transaction.atomic():
            _, new_bytes = file_sets.create_file_set(first.manifests[0], stored)
    assert (second.new_bytes, new_bytes) == (len(b"same"), len(b"own"))


def test_equal_file_sets_that_arrive_at_once_are_one(assignment):
    first = cast.upload(WORK)
    with file_sets.store_upload(first, by=actor("bob")) as stored:
        second, _ = services.submit(assignment, cast.upload(WORK), by=actor("dave"))
        with transaction.atomic():  # which looked for it a moment too early
            file_set, new_bytes = file_sets.create_file_set(first.manifests[0], stored, existing={})
    assert (file_set, new_bytes) == (second.file_set, 0)
    assert file_sets.manifest_of(file_set) == first.manifests[0]


def test_database_that_returns_no_rows_stores_the_same(assignment, monkeypatch):
    """SQLite before 3.35."""
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    for username in ("bob", "dave"):
        submission, _ = services.submit(assignment, cast.upload(WORK), by=actor(username))
        assert file_sets.manifest_of(submission.file_set) == cast.upload(WORK).manifests[0]
    assert all(blob.stored and blobs.verify(blob.sha256) for blob in Blob.objects.all())


def test_equal_uploads_are_one_file_set_and_one_copy(assignment):
    files = {"b": b"x", "a": b"x", "c": b"other"}
    first, second = store(cast.upload(files)), store(cast.upload(files), "dave")
    assert first == second and (first.file_count, first.size) == (3, 7)
    assert FileEntry.objects.filter(file_set=first).count() == 3
    assert Blob.objects.filter(sha256=cast.sha256(b"x")).count() == 1


def test_manifest_comes_back_in_its_order(course):
    manifest = [*reversed(cast.upload({"a": b"1", "b": b"2", "c": b"3"}).manifests[0])]
    upload = Upload([manifest], cast.upload({"a": b"1", "b": b"2", "c": b"3"}).sent)
    file_set = store(upload)
    assert file_sets.manifest_of(file_set) == manifest and file_set.digest == manifests.digest(manifest)


def test_lost_bytes_are_noted_and_healed_by_the_next_upload(submission):
    lost = Blob.objects.get(sha256=NOTEBOOK)
    blobs.delete(lost.sha256)
    with pytest.raises(FileNotFoundError):
        list(bundles.stream([lost]))
    assert readable(actor("bob"), NOTEBOOK) == set()
    with pytest.raises(DomainError):
        services.submit(submission.assignment, unsent(WORK), by=actor("bob"))
    services.submit(submission.assignment, cast.upload(WORK), by=actor("bob"))
    assert blobs.verify(NOTEBOOK) and readable(actor("bob"), NOTEBOOK)


# What the database itself holds


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a\\b"])
def test_database_refuses_paths_that_lead_outside(submission, path):
    entry = FileEntry.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        FileEntry.objects.filter(pk=entry.pk).update(path=path)


@pytest.mark.parametrize("sha256", ["", "x" * 64, "A" * 64, "0" * 63])
def test_database_refuses_what_is_not_a_hash(submission, sha256):
    with pytest.raises(IntegrityError), transaction.atomic():
        Blob.objects.filter(pk=Blob.objects.first().pk).update(sha256=sha256)


# Locks: on PostgreSQL a reference to a row waits for whoever holds FOR UPDATE on it; SQLite has one writer


if connection.vendor == "postgresql":

    def is_free_to_refer_to(table):
        """Whether another connection can refer to the rows of this table now."""
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(f"SELECT 1 FROM {table} FOR KEY SHARE NOWAIT")
            return True
        except OperationalError:
            return False
        finally:
            other.close()

    @pytest.mark.django_db(transaction=True)
    def test_files_that_many_send_at_once_keep_no_reference_waiting():
        """Whoever waits so at its commit has the course's row, for which the other one waits: a deadlock."""
        entry = ManifestEntry("data.csv", "a" * 64, 1)
        Blob.objects.create(sha256=entry.sha256, md5="", size=1, stored=False, touched=timezone.now())
        with transaction.atomic():
            file_sets.create_file_set([entry])
            assert is_free_to_refer_to("exchange_blob")

    @pytest.mark.django_db(transaction=True)
    def test_release_keeps_no_submission_waiting(monkeypatch):
        course, seen = cast.make_courses(), []
        create = file_sets.create_file_set
        monkeypatch.setattr(
            file_sets,
            "create_file_set",
            lambda *given: seen.append(is_free_to_refer_to("exchange_assignment")) or create(*given),
        )
        for _ in range(2):
            services.release(course, "ps1", cast.upload(PS1), by=actor("alice"), force=True)
        assert seen == [True, True]
