"""Submitting in the browser: what the form takes, refuses and never doubles."""

import io
import json
import stat
import zipfile
from datetime import timedelta
from threading import BoundedSemaphore
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from courses import services as course_services
from courses.models import Membership
from courses.permissions import SERVER
from exchange import services
from exchange.models import Submission
from exchange.storage import blobs, file_sets, unpacking
from exchange.storage.blobs import staging_folder
from ngshare_site.portal import sent_files, submitting
from ngshare_site.portal.form_files import FormFiles
from tests import cast
from tests.cast import COURSE, actor, everything, person

PAGE = f"/view/course/{COURSE}/ps1/submit/"
MEBIBYTE = 2**20


def sent(files, **more):
    """The fields of the form with {path: bytes}, as the script sends them."""
    parts = [SimpleUploadedFile(f"file{number}", content) for number, content in enumerate(files.values())]
    return {"paths": json.dumps(list(files)), "files": parts, "end": "1", **more}


def sent_plainly(**files):
    """The same without a script: names alone."""
    return {"files": [SimpleUploadedFile(name, content) for name, content in files.items()], "end": "1"}


def zipped(files, *, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def files_of(submission):
    return {
        entry.path: b"".join(blobs.read(entry.blob.sha256, length=entry.blob.size)) for entry in entries(submission)
    }


def entries(submission):
    return submission.file_set.entries.select_related("blob")


def text_of(reply):
    return reply.content.decode()


def is_staging_empty():
    return not staging_folder().exists() or not list(staging_folder().iterdir())


def assert_refused(reply, before, sentence, status=400):
    assert reply.status_code == status and sentence in text_of(reply), text_of(reply)
    assert everything() == before and is_staging_empty()


@pytest.fixture
def bob(assignment, browse):
    return browse("bob")


# What is submitted


def test_files_are_submitted_and_the_receipt_is_shown(bob):
    reply = bob.post(PAGE, sent(cast.WORK))
    submission = Submission.objects.get()
    assert reply.status_code == 302 and reply.headers["Location"] == f"/view/submission/{submission.pk}/?submitted"
    assert files_of(submission) == cast.WORK and submission.student == person("bob") and not submission.trial
    assert [entry.path for entry in entries(submission)] == sorted(cast.WORK) and is_staging_empty()
    text = text_of(bob.get(reply.headers["Location"]))
    assert "<strong>Submitted.</strong>" in text and "MISSING" not in text and "EXTRA" not in text


def test_digest_is_that_of_the_same_files_from_the_plugin(bob, submission):
    bob.post(PAGE, sent(cast.WORK))
    services.submit(submission.assignment, cast.upload(cast.WORK), by=actor("dave"))
    mine, daves = Submission.objects.exclude(pk=submission.pk)
    assert mine.file_set == daves.file_set


def test_plain_form_submits_names_alone(bob):
    assert bob.post(PAGE, sent_plainly(**{"ps1.ipynb": b"{}", "notes.txt": b""})).status_code == 302
    assert files_of(Submission.objects.get()) == {"ps1.ipynb": b"{}", "notes.txt": b""}


@pytest.mark.parametrize(
    "make", [lambda zip_: sent({"my work.zip": zip_}), lambda zip_: sent_plainly(**{"a.zip": zip_})]
)
@pytest.mark.parametrize("top", ["", "ps1/", "my work/", "ps1/ps1/"])
def test_zip_is_unpacked_and_its_one_folder_left_off(bob, make, top):
    inside = {f"{top}{path}": content for path, content in cast.WORK.items()}
    inside |= {f"{top}.ipynb_checkpoints/x.ipynb": b"", "__MACOSX/._x": b"", f"{top}.DS_Store": b""}
    assert bob.post(PAGE, make(zipped(inside))).status_code == 302
    assert files_of(Submission.objects.get()) == cast.WORK


def test_zip_with_directories_and_names_of_other_systems(bob):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.mkdir("ps1")
        archive.writestr("ps1/ps1.ipynb", b"{}")
        windows = zipfile.ZipInfo("ps1/data/x.txt")
        windows.orig_filename = windows.filename = "ps1\\data\\x.txt"
        windows.create_system = 0
        archive.writestr(windows, b"x")
        folder = zipfile.ZipInfo("ps1/empty")
        folder.orig_filename = folder.filename = "ps1\\empty\\"
        folder.create_system = 0
        archive.writestr(folder, b"")
        archive.writestr("ps1/übung.txt", b"y")
    assert bob.post(PAGE, sent({"a.zip": out.getvalue()})).status_code == 302
    assert sorted(files_of(Submission.objects.get())) == ["data/x.txt", "ps1.ipynb", "übung.txt"]


def test_zip_of_macos_has_utf8_without_a_mark(bob):
    name = "ps1/u\u0308.txt"  # NFD, as macOS writes it
    content = zipped({name: b"x", "ps1/ps1.ipynb": b"{}"})
    at = content.index(b"PK\x01\x02")
    marked = bytearray(content)
    for place in (content.index(b"PK\x03\x04") + 6, at + 8):  # the flags of the first file
        marked[place + 1] &= ~0x08
    assert bob.post(PAGE, sent({"a.zip": bytes(marked)})).status_code == 302
    assert "ü.txt" in files_of(Submission.objects.get())


def test_zip_that_the_release_has_is_a_file(course, browse):
    released = {"data.zip": zipped({"x": b"x"})}
    services.release(course, "ps1", cast.upload(released), by=actor("alice"))
    browse("bob").post(PAGE, sent(released))
    assert files_of(Submission.objects.get()) == released


def test_zip_beside_other_files_is_a_file(bob):
    files = {"ps1.ipynb": b"{}", "more.zip": zipped({"x": b"x"})}
    bob.post(PAGE, sent(files))
    assert files_of(Submission.objects.get()) == files


def test_missing_and_extra_notebooks_are_told_with_the_receipt(bob):
    text = text_of(bob.post(PAGE, sent({"other.ipynb": b"{}"}), follow=True))
    assert "ps1.ipynb: <strong>MISSING</strong>" in text and "other.ipynb: EXTRA" in text


def test_staff_submit_trials(assignment, browse):
    gina = browse("gina")
    assert "is a trial" in text_of(gina.get(PAGE))
    gina.post(PAGE, sent(cast.WORK))
    assert Submission.objects.get().trial


# Nothing is doubled


def test_same_files_again_are_the_same_submission(bob):
    first, second = (bob.post(PAGE, sent(cast.WORK)) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"] and Submission.objects.count() == 1


def test_same_files_much_later_are_said_to_be_submitted_before(bob):
    bob.post(PAGE, sent(cast.WORK))
    Submission.objects.update(created=timezone.now() - timedelta(hours=1))
    reply = bob.post(PAGE, sent(cast.WORK))
    assert reply.headers["Location"].endswith("?again") and Submission.objects.count() == 1
    assert "<strong>Submitted before.</strong>" in text_of(bob.get(reply.headers["Location"]))


def test_repeat_is_no_error_though_no_attempt_is_left_and_the_assignment_closed(bob, assignment):
    services.set_deadlines(assignment, {"max_attempts": 1}, by=actor("alice"))
    locations = {bob.post(PAGE, sent(cast.WORK)).headers["Location"]}
    locations.add(bob.post(PAGE, sent(cast.WORK)).headers["Location"])
    services.set_deadlines(assignment, {"cut_off": timezone.now() - timedelta(hours=1)}, by=actor("alice"))
    locations.add(bob.post(PAGE, sent(cast.WORK)).headers["Location"])
    assert len(locations) == 1 and Submission.objects.count() == 1


def test_other_files_are_a_new_attempt_and_the_first_files_after_them_too(bob):
    other = {**cast.WORK, "more.txt": b"more"}
    for files in (cast.WORK, other, cast.WORK, cast.WORK):
        assert bob.post(PAGE, sent(files)).status_code == 302
    assert [files_of(each) for each in Submission.objects.order_by("created")] == [cast.WORK, other, cast.WORK]


def test_withdrawn_attempt_can_be_submitted_again(bob):
    bob.post(PAGE, sent(cast.WORK))
    services.withdraw_submissions([Submission.objects.get()], by=actor("alice"))
    bob.post(PAGE, sent(cast.WORK))
    assert Submission.objects.filter(withdrawn_at=None).count() == 1 and Submission.objects.count() == 2


# What is refused, with one sentence, and changes nothing


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"../x.txt": b""}, "it has a part"),
        ({"/etc/passwd": b"", "x": b""}, "it starts or ends with"),
        ({"a\\b": b"", "c": b""}, "it has a backslash"),
        ({"a.txt": b"1", "A.txt": b"2"}, "differ only in case"),
        ({"a\x00b": b"1", "x": b""}, "control character"),
        ({".DS_Store": b""}, "nothing to submit"),
        ({"x.zip": b"no zip"}, "The zip is damaged"),
        ({"x.zip": zipped({"../../x": b"1"})}, "it has a part"),
        ({"x.zip": zipped({"/etc/x": b"1", "y": b""})}, "it starts or ends with"),
        ({"x.zip": zipped({"nameless": b"1"}).replace(b"nameless", b"\0ameless")}, "control character"),
        ({"x.zip": zipped({"x": b"1" * 99}, method=zipfile.ZIP_BZIP2)}, "unusual way"),
        ({"x.zip": zipped({"x": b"1" * 99}, method=zipfile.ZIP_LZMA)}, "unusual way"),
        ({"x.zip": zipped({"x": b"1" * 99})[:-30]}, "The zip is damaged"),
        ({"x.zip": zipped({})}, "nothing to submit"),
    ],
)
def test_bad_files_are_refused(bob, files, sentence):
    before = everything()
    assert_refused(bob.post(PAGE, sent(files)), before, sentence)


def test_same_name_twice_in_a_plain_form_is_refused(bob):
    before = everything()
    files = [SimpleUploadedFile("a.txt", content) for content in (b"1", b"2")]
    assert_refused(bob.post(PAGE, {"files": files, "end": "1"}), before, "comes twice")


def test_link_in_a_zip_is_refused(bob):
    out, before = io.BytesIO(), everything()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("ps1.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert_refused(bob.post(PAGE, sent({"x.zip": out.getvalue()})), before, "is a link")


def test_zip_with_a_password_is_refused(bob):
    content, before = bytearray(zipped({"x": b"1"})), everything()
    for place in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1
    assert_refused(bob.post(PAGE, sent({"x.zip": bytes(content)})), before, "has a password")


def test_zip_that_unpacks_to_too_much_is_refused_by_what_it_announces(bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = MEBIBYTE
    before = everything()
    reply = bob.post(PAGE, sent({"x.zip": zipped({"x": bytes(MEBIBYTE), "y": bytes(9)})}))
    assert_refused(reply, before, "The zip unpacks to", 413)


@pytest.mark.parametrize("limit", ["NGSHARE_MAX_SUBMISSION_SIZE", "NGSHARE_MAX_FILE_SIZE"])
def test_zip_that_announces_less_than_it_has_is_refused(bob, settings, limit):
    setattr(settings, limit, MEBIBYTE)
    content, before = bytearray(zipped({"x": bytes(2 * MEBIBYTE)})), everything()
    for place in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[place : place + 4] = (10).to_bytes(4, "little")
    reply = bob.post(PAGE, sent({"x.zip": bytes(content)}))
    assert reply.status_code in (400, 413) and everything() == before and is_staging_empty()


def test_zip_of_too_many_files_is_refused(bob, settings):
    settings.NGSHARE_MAX_FILES = 3
    before = everything()
    reply = bob.post(PAGE, sent({"x.zip": zipped({f"{number}": b"" for number in range(4)})}))
    assert_refused(reply, before, "the limit is 3", 413)


def test_zip_with_an_endless_list_is_refused_before_it_is_read(bob, settings, monkeypatch):
    settings.NGSHARE_MAX_FILES = 3
    monkeypatch.setattr("exchange.storage.zip_files.CHUNK", 10)
    before = everything()
    reply = bob.post(PAGE, sent({"x.zip": zipped({f"{number}": b"" for number in range(100)})}))
    assert_refused(reply, before, "too many files in the zip", 413)


@pytest.mark.parametrize(("limit", "value"), [("NGSHARE_MAX_SUBMISSION_SIZE", 10), ("NGSHARE_MAX_FILE_SIZE", 10)])
def test_limits_are_those_of_every_submission(bob, settings, limit, value):
    setattr(settings, limit, value)
    before = everything()
    assert_refused(bob.post(PAGE, sent(cast.WORK)), before, "limit", 413)


def test_too_many_files_are_refused(bob, settings):
    settings.NGSHARE_MAX_FILES = settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    before = everything()
    assert_refused(bob.post(PAGE, sent({**cast.WORK, "x": b""})), before, "the limit is 2", 413)


def test_body_larger_than_any_submission_is_refused_before_it_is_read(bob, settings, monkeypatch):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 10
    monkeypatch.setattr(submitting, "IN_FORM", 0)
    reply = bob.post(PAGE, sent({"x": bytes(1000)}))
    assert reply.status_code == 413 and "The request is" in text_of(reply)


def test_quota_is_asked(bob, settings):
    settings.NGSHARE_MAX_PERSON_BYTES = 5
    before = everything()
    assert_refused(bob.post(PAGE, sent(cast.WORK)), before, "limit for one person", 413)


def test_frequency_is_limited(bob, settings):
    settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR = 1
    bob.post(PAGE, sent(cast.WORK))
    before = everything()
    assert_refused(bob.post(PAGE, sent({"ps1.ipynb": b"2"})), before, "within an hour", 429)


def test_form_that_breaks_off_submits_nothing(bob):
    before = everything()
    form = sent(cast.WORK)
    del form["end"]
    assert_refused(bob.post(PAGE, form), before, "Not everything has arrived")


@pytest.mark.parametrize("paths", ['["a"]', "{", "5", "[1, 2]", "[" * 100_000, f"[{' ' * 9000}]"])
def test_malformed_list_of_paths_is_refused(bob, paths):
    before = everything()
    assert_refused(
        bob.post(PAGE, sent(cast.WORK, paths=paths)), before, "Submit again" if paths == '["a"]' else "malformed"
    )


def test_nothing_chosen_is_said(bob):
    before = everything()
    assert_refused(bob.post(PAGE, {"end": "1"}), before, "Choose the files")


def test_forged_form_is_refused(assignment):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("bob"))
    before = everything()
    assert browser.post(PAGE, sent(cast.WORK)).status_code == 403
    assert everything() == before and is_staging_empty()
    token = browser.get(PAGE).context["csrf_token"]
    assert browser.post(PAGE, {"csrfmiddlewaretoken": str(token), **sent(cast.WORK)}).status_code == 302


# Deadlines


def test_closed_assignment_takes_nothing_and_says_so(bob, assignment):
    services.set_deadlines(assignment, {"cut_off": timezone.now() - timedelta(hours=1)}, by=actor("alice"))
    before = everything()
    assert_refused(bob.post(PAGE, sent(cast.WORK)), before, "nothing is accepted after that", 409)
    text = text_of(bob.get(PAGE))
    assert "This assignment is closed" in text and "multipart/form-data" not in text


CLOSED = {"cut_off": timezone.now() - timedelta(hours=1)}


@pytest.mark.parametrize(("limits", "status"), [(CLOSED, 409), ({"max_attempts": 1}, 409), ({}, 429)])
def test_what_no_files_could_change_is_refused_unread(bob, assignment, settings, monkeypatch, limits, status):
    cast.submit(assignment, "bob")  # elsewhere than on this page
    services.set_deadlines(assignment, limits, by=actor("alice"))
    settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR = 60 if limits else 1
    monkeypatch.setattr(FormFiles, "new_file", None)
    assert bob.post(PAGE, sent(cast.WORK)).status_code == status


def test_few_zip_files_are_unpacked_at_once(bob, monkeypatch):
    """Each may take as much of the disk as a whole submission."""
    free = []

    def unpack(*arguments):
        free.append(sent_files.unpacking_turn.acquire(blocking=False))
        if free[-1]:
            sent_files.unpacking_turn.release()
        return unpacking.unpack(*arguments)

    monkeypatch.setattr(sent_files, "unpacking_turn", BoundedSemaphore(2))
    monkeypatch.setattr(sent_files, "unpacking", SimpleNamespace(list_files=unpacking.list_files, unpack=unpack))
    assert bob.post(PAGE, sent_plainly(**{"a.zip": zipped(cast.WORK)})).status_code == 302
    with sent_files.unpacking_turn:
        bob.post(PAGE, sent_plainly(**{"a.zip": zipped({"b.txt": b"b"})}))
    assert free == [True, False]


def write_nothing(*arguments):
    raise AssertionError("Something is written.")


def test_zip_without_room_in_the_quota_is_refused_before_it_is_written(bob, settings, monkeypatch):
    settings.NGSHARE_MAX_PERSON_BYTES = 2 * MEBIBYTE
    bob.post(PAGE, sent({"data.csv": b"d" * MEBIBYTE}))
    zip_ = zipped({"x": bytes(MEBIBYTE), "y": b"y"})
    assert len(zip_) < 10_000
    monkeypatch.setattr(unpacking, "unpack", write_nothing)
    before = everything()
    reply = bob.post(PAGE, sent({"x.zip": zip_}))
    assert_refused(reply, before, "This submission adds 1.05 MB to the 1.05 MB that bob has submitted", 413)


@pytest.mark.parametrize("more", [{}, {".ipynb_checkpoints/x": bytes(MEBIBYTE)}, {"again": bytes(MEBIBYTE - 1) + b"x"}])
def test_zip_that_just_fits_beside_what_does_not_count_is_submitted(bob, settings, more):
    """What the sender has submitted before, what comes twice, and what is left out."""
    bob.post(PAGE, sent({"data.csv": b"d" * MEBIBYTE}))
    settings.NGSHARE_MAX_PERSON_BYTES = 2 * MEBIBYTE
    new = bytes(MEBIBYTE - 1) + b"x"
    zip_ = zipped({"data.csv": b"d" * MEBIBYTE, "new.csv": new, **more})
    assert bob.post(PAGE, sent({"x.zip": zip_})).status_code == 302
    assert files_of(Submission.objects.latest("created"))["new.csv"] == new
    before = everything()
    assert_refused(bob.post(PAGE, sent({"x.zip": zipped({"y": b"y"})})), before, "adds 1 byte to the 2.1 MB", 413)


def test_zip_that_was_submitted_is_found_again_without_room_in_the_quota(bob, settings):
    for _ in range(2):
        assert bob.post(PAGE, sent({"x.zip": zipped({"a.txt": b"a", "b.txt": b"b"})})).status_code == 302
        settings.NGSHARE_MAX_PERSON_BYTES = 1
    assert Submission.objects.count() == 1


def test_last_attempt_is_warned_of_and_then_used_up(bob, assignment):
    services.set_deadlines(assignment, {"max_attempts": 1}, by=actor("alice"))
    assert "This is your last attempt" in text_of(bob.get(PAGE))
    bob.post(PAGE, sent(cast.WORK))
    assert "You have no attempts left" in text_of(bob.get(PAGE))
    before = everything()
    assert_refused(bob.post(PAGE, sent({"x": b""})), before, "the limit is 1", 409)


def test_late_submission_and_near_cut_off_are_warned_of(bob, assignment):
    now = timezone.now()
    changes = {"due": now - timedelta(hours=1), "cut_off": now + timedelta(minutes=3)}
    services.set_deadlines(assignment, changes, by=actor("alice"))
    text = text_of(bob.get(PAGE))
    assert "what you submit now is late" in text and "in 3 minutes" in text
    bob.post(PAGE, sent(cast.WORK))
    assert "late" in text_of(bob.get(f"/view/submission/{Submission.objects.get().pk}/"))


def test_closed_assignment_is_not_warned_of_as_late(bob, submission):
    past = timezone.now() - timedelta(hours=1)
    services.set_deadlines(submission.assignment, {"due": past, "cut_off": past, "max_attempts": 2}, by=actor("alice"))
    text = text_of(bob.get(PAGE))
    assert "nothing can be submitted any more" in text and "your last attempt" not in text
    assert "what you submit now is late" not in text and text.index("any more") < text.index("<dt>Due")


def test_unreleased_assignment_takes_nothing(bob, submission):
    services.unrelease(submission.assignment, by=actor("alice"))
    before = everything()
    assert bob.get(PAGE).status_code == 200
    assert_refused(bob.post(PAGE, sent(cast.WORK)), before, "is not released", 404)


# Who may


@pytest.mark.parametrize("who", ["carol", "erin"])
@pytest.mark.parametrize("address", [PAGE, PAGE.replace("submit/", "release.zip")])
def test_outsiders_find_nothing(assignment, browse, who, address):
    before = everything()
    other = browse(who)
    assert other.get(address).status_code == 404
    assert other.post(address, sent(cast.WORK)).status_code in (404, 405)
    assert everything() == before


def test_who_left_the_course_submits_nothing_more(bob, submission):
    course_services.remove_member(Membership.objects.get(user__username="bob"), by=SERVER)
    before = everything()
    for address in (PAGE, PAGE.replace("submit/", "release.zip")):
        assert bob.get(address).status_code == 404
    assert bob.post(PAGE, sent(cast.WORK)).status_code == 404 and everything() == before


def test_log_in_is_asked_for(assignment, client):
    assert client.get(PAGE).status_code == 302
    assert client.post(PAGE, sent(cast.WORK)).status_code == 302 and not Submission.objects.exists()


# The release


@pytest.mark.parametrize("who", ["bob", "gina", "alice", "root"])
def test_release_comes_as_a_zip(assignment, browse, who):
    reply = browse(who).get(PAGE.replace("submit/", "release.zip"))
    with zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"ps1/{path}": content for path, content in cast.PS1.items()
        }
    assert 'filename="ps1.zip"' in reply.headers["Content-Disposition"]


def test_release_that_students_do_not_see_yet_is_for_staff(bob, browse, assignment):
    services.set_deadlines(assignment, {"release_at": timezone.now() + timedelta(days=1)}, by=actor("alice"))
    address = PAGE.replace("submit/", "release.zip")
    assert bob.get(address).status_code == 404 and browse("gina").get(address).status_code == 200


def test_release_zip_can_be_submitted_as_it_is(bob):
    content = b"".join(bob.get(PAGE.replace("submit/", "release.zip")).streaming_content)
    bob.post(PAGE, sent({"ps1.zip": content}))
    assert files_of(Submission.objects.get()) == cast.PS1


def test_bytes_are_moved_into_the_store_and_not_copied(bob, monkeypatch):
    """What arrived is hashed and written once."""
    monkeypatch.setattr(blobs, "stage", None)
    monkeypatch.setattr(file_sets, "_receive", lambda *arguments: {})
    bob.post(PAGE, sent(cast.WORK))
    assert files_of(Submission.objects.get()) == cast.WORK
