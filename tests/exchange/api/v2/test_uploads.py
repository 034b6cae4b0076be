"""Uploads in parts, as a client sees them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses import people
from courses.models import Course, User
from courses.permissions import SERVER
from exchange import services
from exchange.models import Blob, BlobUpload, Submission
from exchange.services import uploads as services_uploads
from exchange.storage.file_sets import Upload
from tests import cast
from tests.cast import of_assignment, post_bundle, v2

CONTENT = b"0123456789abcdefghijklmno"  # three parts
SHA256 = cast.sha256(CONTENT)
WORK = {"large.bin": CONTENT, "ps1.ipynb": b"{}"}
UPLOADS = v2("courses", cast.COURSE, "uploads")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(services_uploads, "PART_SIZE", 10)


@pytest.fixture
def dave():
    return cast.client("dave")


def begin(who, content=CONTENT, status=201, **changes):
    answer = who.post(UPLOADS, {"sha256": cast.sha256(content), "size": len(content), **changes}, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def address(upload, *parts):
    return v2("courses", cast.COURSE, "uploads", upload["id"], *parts)


def put(who, upload, number, body):
    return who.put(address(upload, "parts", number), body, content_type="application/octet-stream")


def send_parts(who, upload, content=CONTENT, numbers=()):
    for number in numbers or range(1, (len(content) + 9) // 10 + 1):
        answer = put(who, upload, number, content[(number - 1) * 10 : number * 10])
        assert answer.status_code == 200, answer.content
    return answer.json()


def send(who, content=CONTENT):
    upload = begin(who, content)
    send_parts(who, upload, content)
    answer = who.post(address(upload, "complete"))
    assert answer.status_code == 200, answer.content
    return answer.json()


def submit(who, files=WORK, leave_out=("large.bin",)):
    return post_bundle(who, of_assignment("submissions"), cast.bundle(files, leave_out=leave_out))


def test_new_upload_says_what_to_send(assignment, bob):
    before = timezone.now()
    upload = begin(bob)
    assert upload.pop("id") and upload.pop("expires") > (before + timedelta(hours=23)).isoformat()
    assert upload == {"sha256": SHA256, "size": 25, "part_size": 10, "parts": [], "complete": False}


def test_file_in_parts_is_submitted_without_sending_it_again(assignment, bob, stored):
    upload = begin(bob)
    assert send_parts(bob, upload, numbers=(3, 1))["parts"] == [1, 3]  # in any order
    assert send_parts(bob, upload, numbers=(1, 2))["parts"] == [1, 2, 3]  # a repeat
    assert bob.post(address(upload, "complete")).json() == {
        **bob.get(address(upload)).json(),
        "complete": True,
        "parts": [],
    }
    files = {"files": cast.manifest(WORK)}
    assert bob.post(v2("blobs", "missing"), files, format="json").json() == {"missing": [cast.sha256(b"{}")]}
    answer = submit(bob)
    assert answer.status_code == 201, answer.content
    assert b"".join(bob.get(v2("blobs", SHA256))) == CONTENT
    assert stored() & {f"{SHA256[:2]}/{SHA256}"} and not [name for name in stored() if name.startswith("parts")]


def test_another_process_goes_on_where_the_first_one_stopped(assignment, bob):
    upload = begin(bob)
    send_parts(bob, upload, numbers=(1,))
    again = begin(bob, status=200)
    assert (again["id"], again["parts"]) == (upload["id"], [1])
    BlobUpload.objects.update(expires=timezone.now() + timedelta(hours=1))
    assert begin(bob, status=200)["expires"] > (timezone.now() + timedelta(hours=23)).isoformat()


def test_parts_that_are_missing_are_named(assignment, bob):
    upload = begin(bob)
    send_parts(bob, upload, numbers=(2,))
    answer = bob.post(address(upload, "complete"))
    assert (answer.status_code, answer.json()["code"]) == (409, "parts_missing")
    assert answer.json()["details"] == {"missing": [1, 3]}
    assert not Blob.objects.filter(sha256=SHA256).exists()


def test_wrong_bytes_are_removed_and_the_upload_begins_anew(assignment, bob, stored):
    before = stored()
    upload = begin(bob)
    send_parts(bob, upload, content=CONTENT[::-1])
    answer = bob.post(address(upload, "complete"))
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_hash")
    assert stored() == before and not Blob.objects.filter(sha256=SHA256).exists()
    assert begin(bob, status=200)["parts"] == []
    send_parts(bob, upload)
    assert bob.post(address(upload, "complete")).json()["complete"]


def test_complete_may_be_repeated(assignment, bob):
    upload = send(bob)
    for _ in range(2):
        assert bob.post(address(upload, "complete")).json()["complete"]
    assert begin(bob, status=200) == bob.get(address(upload)).json()
    assert submit(bob).status_code == 201
    assert begin(bob, status=200)["complete"]  # they may read it now


@pytest.mark.parametrize(("number", "size"), [(1, 9), (1, 0), (3, 6), (3, 4)])
def test_part_of_another_length_is_refused_before_it_is_read(assignment, bob, stored, number, size):
    before, upload = stored(), begin(bob)
    answer = put(bob, upload, number, b"x" * size)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_size")
    assert stored() == before


def test_part_larger_than_any_is_refused_by_its_length(assignment, bob):
    answer = put(bob, begin(bob), 1, b"x" * 11)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("number", [0, 4, 999_999_999])
def test_part_that_does_not_exist_is_not_found(assignment, bob, number):
    answer = put(bob, begin(bob), number, b"x" * 10)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_options_of_a_part_are_answered(assignment, bob):
    answer = bob.options(address(begin(bob), "parts", 1))
    assert answer.status_code == 200 and answer.json()["parses"] == ["application/octet-stream"]


def test_part_that_is_no_octet_stream_is_refused(assignment, bob, stored):
    before, upload = stored(), begin(bob)
    answer = bob.put(address(upload, "parts", 1), b"0123456789", content_type="text/plain")
    assert answer.status_code == 415 and stored() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sha256": "x", "size": 1},
        {"sha256": SHA256},
        {"sha256": SHA256, "size": 0},
        {"sha256": SHA256, "size": 2**63},
    ],
)
def test_malformed_announcement_is_refused(assignment, bob, body):
    before = cast.everything()
    answer = bob.post(UPLOADS, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert cast.everything() == before


# Errors that the submission would end with, before a byte is sent


def refused(who, code, status, content=CONTENT, **changes):
    before = cast.everything()
    assert begin(who, content, status, **changes)["code"] == code
    assert cast.everything() == before


def test_too_large_file_is_refused(assignment, bob, settings):
    settings.NGSHARE_MAX_FILE_SIZE = 24
    refused(bob, "too_large", 413)


def test_file_larger_than_a_submission_is_refused(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 24
    refused(bob, "too_large", 413)


def test_who_is_no_member_is_refused(assignment):
    refused(cast.client("erin"), "permission_denied", 403)


@pytest.mark.parametrize("limit", ["NGSHARE_MAX_PERSON_BYTES", "NGSHARE_MAX_COURSE_BYTES"])
def test_file_beyond_a_quota_is_refused(assignment, bob, settings, limit):
    setattr(settings, limit, 24)
    refused(bob, "quota_exceeded", 413)


def test_who_has_submitted_too_often_is_refused(submission, bob, settings):
    settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR = 1
    refused(bob, "too_many_submissions", 429)


def test_staff_are_not_bound_by_what_a_person_may_submit(assignment, alice, settings):
    settings.NGSHARE_MAX_PERSON_BYTES = 24
    upload = send(alice)
    answer = post_bundle(alice, of_assignment("releases", assignment="ps2"), cast.bundle(WORK, ["large.bin"]))
    assert upload["complete"] and answer.status_code == 201


# Quotas cannot be avoided


def test_bytes_of_an_upload_count_with_the_submission(assignment, bob):
    send(bob)
    assert Course.objects.get(name=cast.COURSE).stored_bytes == sum(map(len, cast.PS1.values()))
    assert submit(bob).status_code == 201
    row = Submission.objects.get()
    assert (row.own_bytes, row.new_bytes) == (27, 27)
    assert Course.objects.get(name=cast.COURSE).stored_bytes == sum(map(len, cast.PS1.values())) + 27


def test_submission_of_two_uploads_is_bound_by_the_quota(assignment, bob, settings, stored):
    settings.NGSHARE_MAX_PERSON_BYTES = 40
    other = CONTENT[::-1]
    send(bob), send(bob, other)
    before = cast.everything(), stored()
    answer = submit(bob, {"a": CONTENT, "b": other}, ("a", "b"))
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert (cast.everything(), stored()) == before


def test_uploads_of_a_person_are_bounded_and_the_oldest_make_room(assignment, bob, dave, settings, stored):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30  # twice that at a time
    theirs = begin(dave)
    contents = [CONTENT, CONTENT[::-1], CONTENT.upper()]
    first, second, third = (begin(bob, content) for content in contents[:2] + contents[2:])
    assert bob.get(address(first)).status_code == 404
    assert [bob.get(address(one)).status_code for one in (second, third)] == [200, 200]
    assert dave.get(address(theirs)).status_code == 200
    assert {str(pk) for pk in BlobUpload.objects.values_list("pk", flat=True)} == {
        one["id"] for one in (theirs, second, third)
    }


def test_parts_of_an_upload_that_made_room_are_removed(assignment, bob, settings, stored):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    before = stored()
    send_parts(bob, begin(bob))
    begin(bob, CONTENT[::-1]), begin(bob, CONTENT.upper())
    assert stored() == before


def test_number_of_uploads_is_bounded(assignment, bob, monkeypatch):
    monkeypatch.setattr(services_uploads, "MAX_UPLOADS", 2)
    for content in (b"1", b"2", b"3"):
        begin(bob, content)
    assert set(BlobUpload.objects.values_list("sha256", flat=True)) == {cast.sha256(b"2"), cast.sha256(b"3")}


def contents(size=25):
    return [letter * size for letter in (b"a", b"b", b"c", b"d", b"e")]


def test_what_was_sent_and_not_submitted_counts(assignment, bob, dave, settings, stored):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30  # twice that at a time
    first, second, third, *_ = contents()
    send(bob, first), send(bob, second)
    BlobUpload.objects.filter(sha256=cast.sha256(first)).update(expires="2100-01-01T10:00:30Z")
    BlobUpload.objects.filter(sha256=cast.sha256(second)).update(expires="2100-01-02T10:00:30Z")
    before = cast.everything(), stored()
    answer = begin(bob, third, status=413)
    assert (answer["code"], answer["details"]) == ("quota_exceeded", {"size": 25, "used": 50, "limit": 60})
    assert answer["message"] == (
        "bob has sent 50 bytes in 2 large files that no submission has used yet; the limit is 60 bytes in 1000 files. "
        "Submit what was sent, or try again after 2100-01-01 10:01 UTC."
    )
    assert (cast.everything(), stored()) == before
    assert begin(bob, first, status=200)["complete"]  # what was sent is still there
    send(bob, b"0123456789")  # what fits
    send(dave, third)


def test_number_of_complete_uploads_is_bounded(assignment, bob, monkeypatch):
    monkeypatch.setattr(services_uploads, "MAX_UPLOADS", 2)
    send(bob, b"1"), send(bob, b"2")
    refused(bob, "quota_exceeded", 413, b"3")


def test_unfinished_uploads_make_room_beside_complete_ones(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    first, second, third, *_ = contents()
    complete, unfinished = send(bob, first), begin(bob, second)
    send_parts(bob, unfinished, second)
    begin(bob, third)
    assert bob.get(address(unfinished)).status_code == 404
    assert bob.get(address(complete)).json()["complete"]


def test_room_is_free_again_after_the_submission(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    for content in contents():
        send(bob, content)
        assert submit(bob, {"large.bin": content}).status_code == 201
    assert Submission.objects.count() == 5


def test_room_is_free_again_after_the_files_were_submitted_in_another_way(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    for content in contents():
        send(bob, content)
        assert submit(bob, {"large.bin": content}, leave_out=()).status_code == 201


def test_room_is_free_again_after_a_day(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    first, second, third, *_ = contents()
    send(bob, first), send(bob, second)
    BlobUpload.objects.update(expires=timezone.now())
    send(bob, third)


def test_room_of_staff_is_free_again_after_release_and_feedback(submission, alice, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 30
    for number, content in enumerate(contents()):
        send(alice, content)
        bundle = cast.bundle({"large.bin": content}, ["large.bin"])
        answer = post_bundle(alice, of_assignment("releases", assignment=f"new{number}"), bundle)
        assert answer.status_code == 201, answer.content
    for content in contents(24):
        send(alice, content)
        item = services.FeedbackItem(cast.upload({"large.html": content}).manifests[0], submission=submission.pk)
        services.return_feedback(submission.assignment, [item], Upload([item.entries]), by=cast.actor("alice"))
    assert not BlobUpload.objects.exists()


# Possession


def test_upload_of_somebody_else_gives_nothing(assignment, bob, dave, alice, stored):
    complete, unfinished = send(bob), begin(bob, b"unfinished")
    before = cast.everything(), stored()
    for who in (dave, alice, cast.client("root")):
        for upload in (complete, unfinished):
            assert who.get(address(upload)).status_code == 404
            assert who.post(address(upload, "complete")).status_code == 404
        assert put(who, unfinished, 1, b"unfinished").status_code == 404
        assert who.get(v2("blobs", SHA256)).status_code == 404
    for who in (dave, alice):
        assert submit(who).json()["details"]["missing"] == [SHA256]
        answer = who.post(v2("blobs", "missing"), {"files": cast.manifest({"a": CONTENT})}, format="json")
        assert answer.json() == {"missing": [SHA256]}
    assert (cast.everything(), stored()) == before


def test_hash_that_somebody_else_has_gives_an_upload_of_which_nothing_is_there(submission, dave):
    content = cast.WORK["ps1.ipynb"]
    upload = begin(dave, content)
    assert (upload["complete"], upload["parts"]) == (False, [])
    assert dave.post(address(upload, "complete")).json()["code"] == "parts_missing"
    upload = send(dave, b"another file") and begin(dave, content, status=200)
    assert not upload["complete"]


def test_bytes_of_an_upload_cannot_be_read_before_they_are_submitted(assignment, bob):
    send(bob)
    assert bob.get(v2("blobs", SHA256)).status_code == 404


def test_what_the_sender_may_read_anyway_is_complete_at_once(submission, bob, dave):
    content = cast.WORK["ps1.ipynb"]
    upload = begin(bob, content, status=200)
    assert (upload["id"], upload["complete"]) == (None, True)
    assert not BlobUpload.objects.exists()
    assert begin(bob, cast.PS1["data/numbers.csv"], status=200)["complete"]  # of the release


def test_upload_to_one_course_is_none_of_another(two_courses, bob):
    upload = begin(bob)
    Course.objects.get(name=cast.ELSEWHERE).memberships.create(user=cast.person("bob"), role="student")
    assert bob.get(v2("courses", cast.ELSEWHERE, "uploads", upload["id"])).status_code == 404


def test_who_was_removed_from_the_course_cannot_complete(assignment, bob):
    upload = begin(bob)
    send_parts(bob, upload)
    assignment.course.memberships.filter(user__username="bob").delete()
    before = cast.everything()
    assert bob.post(address(upload, "complete")).status_code == 403
    assert put(bob, upload, 1, CONTENT[:10]).status_code == 403
    assert cast.everything() == before


# Time


def test_upload_ends_after_a_day(assignment, bob):
    complete, unfinished = send(bob), begin(bob, b"unfinished")
    BlobUpload.objects.update(expires=timezone.now())
    assert bob.get(address(unfinished)).status_code == 404
    assert put(bob, unfinished, 1, b"unfinished").status_code == 404
    assert bob.post(address(complete, "complete")).status_code == 404
    assert submit(bob).json()["code"] == "blobs_missing"
    begin(bob)  # anew


def test_upload_whose_bytes_were_lost_begins_anew(assignment, bob):
    upload = send(bob)
    Blob.objects.filter(sha256=SHA256).delete()  # by a collection that was told to be quick
    assert submit(bob).json()["code"] == "blobs_missing"
    again = begin(bob, status=200)
    assert (again["id"], again["complete"]) == (upload["id"], False)
    send_parts(bob, again)
    assert bob.post(address(again, "complete")).json()["complete"]
    assert submit(bob).status_code == 201


def test_upload_is_used_up_by_the_submission(assignment, bob):
    send(bob)
    assert submit(bob).status_code == 201
    assert not BlobUpload.objects.exists()


def test_merged_account_keeps_its_uploads(assignment, bob):
    """Both accounts of one person send the same file."""

    upload = begin(bob)
    begin(cast.client("dave"))
    people.merge(cast.person("dave"), cast.person("bob"), by=SERVER)
    assert begin(bob, status=200)["id"] in {upload["id"], *map(str, BlobUpload.objects.values_list("pk", flat=True))}
    assert User.objects.filter(username="dave").count() == 0
