"""Knowing a hash gives access to nothing: the attack, by every way there is."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchange import services
from exchange.models import Submission
from tests import cast
from tests.cast import PS1, WORK, of_assignment, post_bundle, v2

SECRET = WORK["ps1.ipynb"]  # in bob's hand-in and nowhere else
HASH = cast.sha256(SECRET)
LINE = cast.manifest({"stolen.ipynb": SECRET})


@pytest.fixture
def dave():
    return cast.client("dave")


def test_hash_of_another_students_file_counts_as_missing(submission, dave, bob):
    assert dave.post(v2("blobs", "missing"), {"files": LINE}, format="json").json() == {"missing": [HASH]}
    assert bob.post(v2("blobs", "missing"), {"files": LINE}, format="json").json() == {"missing": []}


def test_answer_does_not_tell_whether_the_bytes_are_here(submission, dave):
    absent = cast.manifest({"stolen.ipynb": b"nobody has this"})
    for lines in (LINE, absent):
        answer = dave.post(v2("blobs", "missing"), {"files": lines}, format="json")
        assert answer.json() == {"missing": [lines[0]["sha256"]]}
    guessed_size = [LINE[0] | {"size": 1}]
    assert dave.post(v2("blobs", "missing"), {"files": guessed_size}, format="json").status_code == 200


def test_manifest_that_names_it_makes_no_submission(submission, dave):
    before = cast.everything()
    body = cast.bundle({"stolen.ipynb": SECRET}, leave_out=["stolen.ipynb"])
    answer = post_bundle(dave, of_assignment("submissions"), body)
    assert (answer.status_code, answer.json()["code"]) == (409, "blobs_missing")
    assert cast.everything() == before


def test_bytes_are_not_served_by_hash(submission, dave):
    assert dave.get(v2("blobs", HASH)).status_code == 404
    assert dave.get(v2("blobs", HASH), headers={"If-None-Match": f'"{HASH}"'}).status_code == 404
    assert dave.post(v2("blobs", "bundle"), {"sha256": [HASH]}, format="json").status_code == 404


def test_one_forbidden_hash_among_own_ones_gives_nothing(submission, dave):
    own = services.submit(submission.assignment, cast.upload({"a": b"mine"}), by=cast.actor("dave"))[0]
    assert own
    answer = dave.post(v2("blobs", "bundle"), {"sha256": [cast.sha256(b"mine"), HASH]}, format="json")
    assert answer.status_code == 404 and b"mine" not in answer.content


def test_who_sends_the_same_bytes_may_read_them_and_they_rest_once(submission, dave, stored):
    before = stored()
    answer = post_bundle(dave, of_assignment("submissions"), cast.bundle({"own.ipynb": SECRET}))
    assert answer.status_code == 201
    assert stored() == before
    assert b"".join(dave.get(v2("blobs", HASH))) == SECRET


def test_feedback_of_another_student_is_not_readable(submission, dave, bob, alice):
    manifest = {"feedback": [{"submission": submission.pk, "files": cast.manifest({"ps1.html": b"9 of 10"})}]}
    body = cast.bundle({"ps1.html": b"9 of 10"}, **manifest)
    assert post_bundle(alice, of_assignment("feedback"), body).json()["refused"] == []
    address = v2("blobs", cast.sha256(b"9 of 10"))
    assert dave.get(address).status_code == 404
    assert b"".join(bob.get(address)) == b"9 of 10"


def test_withdrawn_release_is_not_readable_to_students(assignment, dave, alice):
    address = v2("blobs", assignment.releases.get().file_set.entries.first().blob.sha256)
    assert dave.get(address).status_code == 200
    services.unrelease(assignment, by=cast.actor("alice"))
    assert dave.get(address).status_code == 404
    assert alice.get(address).status_code == 200


def test_instructor_of_another_course_reads_nothing(submission):
    carol = cast.client("carol")
    assert carol.get(v2("blobs", HASH)).status_code == 404
    address = of_assignment("releases", course=cast.ELSEWHERE, assignment="mine")
    body = cast.bundle({"stolen.ipynb": SECRET}, leave_out=["stolen.ipynb"])
    assert post_bundle(carol, address, body).status_code == 409


def test_staff_who_lost_the_role_read_nothing_at_once(submission, alice):
    assert alice.get(v2("blobs", HASH)).status_code == 200
    submission.assignment.course.memberships.filter(user__username="alice").delete()
    assert alice.get(v2("blobs", HASH)).status_code == 404
    assert Submission.objects.exists()


def test_course_in_the_bin_gives_students_their_own_work_alone(submission, bob, alice):
    cast.client("root").delete(v2("courses", cast.COURSE))
    assert bob.get(v2("blobs", HASH)).status_code == 200
    assert alice.get(v2("blobs", HASH)).status_code == 404
    for who in (bob, alice):
        assert who.get(v2("submissions")).json()["results"] == []


@pytest.fixture
def statements():
    """The SQL of a request, without the hash that was asked for, without times, ids of uploads and savepoints."""
    random = re.compile(r"'\d{4}-\d\d-\d\d[ T][^']*'|'[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}'|\"s\d+_x\d+\"")

    def sql(send, sha256):
        with CaptureQueriesContext(connection) as captured:
            send(sha256)
        return [random.sub("'…'", query["sql"]).replace(sha256, "…") for query in captured]

    return sql


def get_blob(who, sha256):
    assert who.get(v2("blobs", sha256)).status_code == 404


def ask_for_missing(who, sha256):
    files = [{"path": "a", "sha256": sha256, "size": len(SECRET)}]
    assert who.post(v2("blobs", "missing"), {"files": files}, format="json").json() == {"missing": [sha256]}


def submit_without_it(who, sha256):
    text = json.dumps({"files": [{"path": "a", "sha256": sha256, "size": len(SECRET)}]}).encode()
    answer = post_bundle(who, of_assignment("submissions"), cast.tar([("manifest.json", text)]))
    assert answer.json()["code"] == "blobs_missing"


def begin_upload(who, sha256):
    answer = who.post(v2("courses", cast.COURSE, "uploads"), {"sha256": sha256, "size": len(SECRET)}, format="json")
    assert (answer.status_code, answer.json()["complete"], answer.json()["parts"]) == (201, False, [])
    assert who.post(v2("courses", cast.COURSE, "uploads", answer.json()["id"], "complete")).status_code == 409


@pytest.mark.parametrize("send", [get_blob, ask_for_missing, submit_without_it, begin_upload])
def test_hash_of_somebody_elses_bytes_costs_what_any_hash_costs(submission, dave, statements, send):
    theirs, nobodys = (statements(lambda sha256: send(dave, sha256), sha256) for sha256 in (HASH, "0" * 64))
    assert theirs == nobodys and any("blob" in sql for sql in theirs)


def test_superseded_release_is_not_readable_to_students(assignment, dave, alice):
    old = cast.sha256(PS1["ps1.ipynb"])
    assert dave.get(v2("blobs", old)).status_code == 200
    services.release(assignment.course, "ps1", cast.upload({"ps1.ipynb": b"new"}), by=cast.actor("alice"), force=True)
    assert dave.get(v2("blobs", old)).status_code == 404
    assert dave.post(v2("blobs", "bundle"), {"sha256": [old]}, format="json").status_code == 404
    assert b"".join(dave.get(v2("blobs", cast.sha256(b"new")))) == b"new"
    assert alice.get(v2("blobs", old)).status_code == 200


def test_submission_that_counted_on_a_superseded_release_is_told_what_to_send(assignment, dave):
    files = {**PS1, "answer.txt": b"42"}
    left_out = cast.bundle(files, leave_out=PS1)
    services.release(assignment.course, "ps1", cast.upload({"ps1.ipynb": b"new"}), by=cast.actor("alice"), force=True)
    answer = post_bundle(dave, of_assignment("submissions"), left_out)
    assert (answer.status_code, answer.json()["code"]) == (409, "blobs_missing")
    assert set(answer.json()["details"]["missing"]) == {cast.sha256(content) for content in PS1.values()}
    assert post_bundle(dave, of_assignment("submissions"), cast.bundle(files)).status_code == 201
