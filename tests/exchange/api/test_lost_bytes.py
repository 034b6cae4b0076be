"""Bytes that the store has lost: every reader says so and notes it, and whoever sends them again heals them."""

import base64
import io
import json
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from exchange import file_responses
from exchange.models import Blob
from exchange.storage import archives, blobs
from tests import cast
from tests.api_fixtures import *  # noqa: F403
from tests.cast import PS1, WORK, v2

NOTEBOOK, NUMBERS = cast.sha256(PS1["ps1.ipynb"]), cast.sha256(PS1["data/numbers.csv"])
SUBMISSIONS = cast.of_assignment("submissions")


def truncate(sha256):
    blobs.delete(sha256)
    default_storage.save(blobs.key(sha256), ContentFile(b"{"))


def lost_marks():
    return set(Blob.objects.filter(stored=False).values_list("sha256", flat=True))


# Uploads


@pytest.mark.parametrize("lose", [blobs.delete, truncate])
def test_bytes_that_are_counted_on_must_be_there_and_bytes_that_are_sent_are(assignment, bob, lose):
    """Also right after the release: nobody relies on what somebody saw a moment ago."""
    lose(NOTEBOOK), lose(NUMBERS)
    counting = cast.bundle(PS1, leave_out=PS1)
    answer = cast.post_bundle(bob, SUBMISSIONS, counting)
    assert (answer.status_code, answer.json()["code"]) == (409, "blobs_missing")
    assert sorted(answer.json()["details"]["missing"]) == sorted([NOTEBOOK, NUMBERS])
    assert not assignment.submissions.exists() and lost_marks() == {NOTEBOOK, NUMBERS}
    assert cast.post_bundle(bob, SUBMISSIONS, cast.bundle(PS1)).status_code == 201
    assert blobs.verify(NOTEBOOK) and blobs.verify(NUMBERS) and not lost_marks()
    assert cast.post_bundle(bob, SUBMISSIONS, counting).status_code == 201


@pytest.mark.parametrize("lose", [blobs.delete, truncate])
def test_bytes_that_are_sent_are_stored_although_their_row_says_that_they_are(assignment, bob, lose):
    used = assignment.course.stored_bytes
    lose(NOTEBOOK), lose(NUMBERS)
    assert cast.post_bundle(bob, SUBMISSIONS, cast.bundle(PS1)).status_code == 201
    assert blobs.verify(NOTEBOOK) and blobs.verify(NUMBERS) and not lost_marks()
    assignment.course.refresh_from_db()
    assert assignment.course.stored_bytes == used  # healing brings nothing new
    assert assignment.submissions.get().new_bytes == 0


@pytest.mark.parametrize("lose", [blobs.delete, truncate])
def test_attempt_that_is_repeated_brings_its_lost_bytes_back(assignment, bob, lose):
    """Its receipt goes out again only when the bytes are there."""
    first = cast.post_bundle(bob, SUBMISSIONS, cast.bundle(WORK), **{"Idempotency-Key": "k"})
    used = assignment.course.stored_bytes
    notebook = cast.sha256(WORK["ps1.ipynb"])
    lose(notebook)
    counting = cast.bundle(WORK, leave_out=WORK)
    answer = cast.post_bundle(bob, SUBMISSIONS, counting, **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["details"]) == (409, {"missing": [notebook]})
    again = cast.post_bundle(bob, SUBMISSIONS, cast.bundle(WORK), **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert blobs.verify(notebook) and not lost_marks()
    assert assignment.submissions.count() == 1 and assignment.course.stored_bytes == used


def test_question_what_to_send_names_lost_bytes(assignment, bob):
    ask = {"files": cast.manifest(PS1)}
    assert bob.post(v2("blobs", "missing"), ask, format="json").json() == {"missing": []}
    blobs.delete(NOTEBOOK)
    assert bob.post(v2("blobs", "missing"), ask, format="json").json() == {"missing": [NOTEBOOK]}


def test_nobody_learns_that_bytes_of_others_are_lost(submission, bob):
    """Only what the sender may read is looked for."""
    secret = cast.sha256(WORK["ps1.ipynb"])
    blobs.delete(secret)
    dave = cast.client("dave")
    assert dave.get(v2("blobs", secret)).status_code == 404
    answer = cast.post_bundle(dave, SUBMISSIONS, cast.bundle(WORK, leave_out=["ps1.ipynb"]))
    assert answer.json()["details"]["missing"] == [secret]
    assert not lost_marks()


def test_same_bytes_have_one_size_in_all_manifests_of_an_upload(submission):
    page = b"well done"
    item = {"submission": submission.pk, "files": cast.manifest({"a.html": page})}
    other = {**item, "files": [{**item["files"][0], "size": 5}]}
    manifest = json.dumps({"feedback": [other, item]}).encode()
    body = cast.tar([("manifest.json", manifest), (cast.sha256(page), page)])
    answer = cast.post_bundle(cast.client("alice"), cast.of_assignment("feedback"), body)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_size")


# Readers


@pytest.mark.parametrize("lose", [blobs.delete, truncate])
@pytest.mark.parametrize("kind", ["blob", "bundle"])
def test_native_api_names_what_is_lost(submission, bob, lose, kind):
    lose(NUMBERS)

    def fetch():
        if kind == "blob":
            return bob.get(v2("blobs", NUMBERS))
        return bob.post(v2("blobs", "bundle"), {"sha256": [NUMBERS, NOTEBOOK]}, format="json")

    for _ in range(2):  # also when it is known already
        answer = fetch()
        assert (answer.status_code, answer.json()["code"]) == (410, "bytes_lost")
        assert answer.json()["details"] == {"lost": [NUMBERS]} and "has lost" in answer.json()["message"]
        assert lost_marks() == {NUMBERS}
    default_storage.save(blobs.key(NUMBERS), ContentFile(PS1["data/numbers.csv"]))  # a backup brings it back
    assert PS1["data/numbers.csv"] in b"".join(fetch().streaming_content)


@pytest.mark.parametrize("address", ["/assignment/NBG%20101/ps1", "/submission/NBG%20101/ps1/bob"])
@pytest.mark.parametrize("lose", [blobs.delete, truncate])
def test_api_v1_names_what_is_lost(submission, alice, address, lose):
    lose(NUMBERS)
    answer = alice.get(address)
    assert answer.status_code == 410
    assert json.loads(answer.content)["message"].startswith("The server has lost the content of data/numbers.csv.")
    assert lost_marks() == {NUMBERS}
    assert alice.get(f"{address}?list_only=true").status_code == 200


def test_zip_names_what_is_lost(submission, browser):
    blobs.delete(NUMBERS)
    answer = browser("bob").get(f"/view/submission/{submission.pk}/files.zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert "ps1/data/numbers.csv" in archive.read(archives.LOST).decode()
    assert archive.read("ps1/ps1.ipynb") == WORK["ps1.ipynb"]
    assert lost_marks() == {NUMBERS}


@pytest.mark.parametrize(
    "begin",
    [
        lambda submission: cast.client("bob").get(v2("blobs", NUMBERS)),
        lambda submission: cast.client("bob").post(v2("blobs", "bundle"), {"sha256": [NUMBERS]}, format="json"),
        lambda submission: cast.client("alice").get("/submission/NBG%20101/ps1/bob"),
        lambda submission: file_responses.open_file(submission.file_set.entries.get(blob__sha256=NUMBERS)),
    ],
    ids=["blob", "bundle", "v1", "page"],
)
def test_answer_whose_bytes_go_after_its_start_breaks_off_and_notes_it(submission, monkeypatch, begin):
    answer = begin(submission)
    blobs.delete(NUMBERS)
    with pytest.raises(blobs.Absent):
        list(answer.streaming_content)
    assert lost_marks() == {NUMBERS}


def test_upload_of_api_v1_heals(assignment, bob):
    blobs.delete(NUMBERS)
    files = [{"path": path, "content": base64.encodebytes(content).decode()} for path, content in PS1.items()]
    answer = APIClient().post("/submission/NBG%20101/ps1?user=bob", {"files": json.dumps(files)})
    assert answer.status_code == 200 and blobs.verify(NUMBERS)
