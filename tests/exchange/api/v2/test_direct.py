"""Users who reach the object store themselves, at presigned addresses; what the store allows is asked of a real one."""

import logging

import pytest
import requests
from django.conf import settings
from django.core.files.storage import storages

from exchange import file_responses
from exchange.models import Blob, FileEntry
from exchange.services import uploads as services_uploads
from exchange.storage import blobs
from tests import cast
from tests.cast import WORK, of_assignment, post_bundle, v2

CONTENT = b"0123456789abcdefghijklmno"  # three parts
SHA256 = cast.sha256(CONTENT)
UPLOADS = v2("courses", cast.COURSE, "uploads")
TIMEOUT = 10  # seconds

# A folder has no addresses: there is nothing to test then.
if "bucket_name" in settings.STORAGES["default"]["OPTIONS"]:

    @pytest.fixture(autouse=True)
    def direct(settings, monkeypatch):
        settings.NGSHARE_S3_DIRECT = ["downloads", "uploads"]
        monkeypatch.setattr(services_uploads, "PART_SIZE", 10)

    def begin(who):
        return who.post(UPLOADS, {"sha256": SHA256, "size": len(CONTENT)}, format="json").json()

    def complete(who, upload):
        return who.post(v2("courses", cast.COURSE, "uploads", upload["id"], "complete"))

    def send_directly(upload, content=CONTENT):
        for number, address in upload["addresses"].items():
            part = content[(int(number) - 1) * 10 : int(number) * 10]
            assert requests.put(address, data=part, timeout=TIMEOUT).status_code == 200

    # Downloads

    def test_blob_is_redirected_to_the_store(submission, bob):
        sha256 = cast.sha256(WORK["ps1.ipynb"])
        answer = bob.get(v2("blobs", sha256))
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "private, no-store")
        sent = requests.get(answer.headers["Location"], timeout=TIMEOUT)
        assert (sent.status_code, sent.content) == (200, WORK["ps1.ipynb"])
        assert sent.headers["Content-Type"] == "application/octet-stream"
        assert sent.headers["Content-Disposition"] == f'attachment; filename="{sha256}"'
        part = requests.get(answer.headers["Location"], headers={"Range": "bytes=1-3"}, timeout=TIMEOUT)
        assert (part.status_code, part.content) == (206, WORK["ps1.ipynb"][1:4])

    def test_blob_comes_from_the_service_for_those_who_cannot_reach_the_store(submission, bob):
        address = v2("blobs", cast.sha256(WORK["ps1.ipynb"])) + "?redirect=false"
        answer = bob.get(address, headers={"Range": "bytes=1-3"})
        assert (answer.status_code, b"".join(answer.streaming_content)) == (206, WORK["ps1.ipynb"][1:4])

    def test_many_addresses_come_at_once(submission, bob):
        hashes = [cast.sha256(content) for content in WORK.values()]
        addresses = bob.post(v2("blobs", "addresses"), {"sha256": hashes}, format="json").json()["addresses"]
        assert {sha256: requests.get(url, timeout=TIMEOUT).content for sha256, url in addresses.items()} == {
            cast.sha256(content): content for content in WORK.values()
        }

    def test_permission_comes_first(submission):
        sha256 = cast.sha256(WORK["ps1.ipynb"])
        dave = cast.client("dave")
        assert dave.get(v2("blobs", sha256)).status_code == 404
        assert dave.post(v2("blobs", "addresses"), {"sha256": [sha256]}, format="json").status_code == 404

    def test_lost_blob_is_gone_before_anybody_is_redirected(submission, bob):
        sha256 = cast.sha256(WORK["ps1.ipynb"])
        blobs.delete(sha256)
        assert bob.get(v2("blobs", sha256)).status_code == 410
        assert bob.post(v2("blobs", "addresses"), {"sha256": [sha256]}, format="json").status_code == 410

    def test_address_allows_one_act_on_one_object(submission, bob):
        address = bob.get(v2("blobs", cast.sha256(WORK["ps1.ipynb"]))).headers["Location"]
        other = blobs.key(cast.sha256(WORK["data/numbers.csv"]))
        assert requests.put(address, data=b"x", timeout=TIMEOUT).status_code == 403
        assert requests.delete(address, timeout=TIMEOUT).status_code == 403
        foreign = address.replace(blobs.key(cast.sha256(WORK["ps1.ipynb"])), other)
        assert foreign != address and requests.get(foreign, timeout=TIMEOUT).status_code == 403
        assert blobs.verify(cast.sha256(WORK["ps1.ipynb"]))

    def test_file_that_a_browser_downloads_is_redirected_and_one_that_it_shows_is_not(submission):
        entry = FileEntry.objects.select_related("blob").get(file_set=submission.file_set, path="data/numbers.csv")
        answer = file_responses.download_file(entry)
        sent = requests.get(answer.headers["Location"], timeout=TIMEOUT)
        assert (sent.content, sent.headers["Content-Disposition"]) == (b"1,2,3\n", 'attachment; filename="numbers.csv"')
        shown = file_responses.open_file(entry)
        assert shown.status_code == 200 and "sandbox" in shown.headers["Content-Security-Policy"]

    def test_users_get_the_public_endpoint(submission, bob, settings):
        options = {**settings.STORAGES["default"]["OPTIONS"], "public_endpoint_url": "https://files.example.edu"}
        default = {**settings.STORAGES["default"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": default}
        address = bob.get(v2("blobs", cast.sha256(WORK["ps1.ipynb"]))).headers["Location"]
        assert address.startswith(f"https://files.example.edu/{options['bucket_name']}/{options['location']}/")

    def test_addresses_are_not_logged(submission, bob, caplog):
        caplog.set_level(logging.DEBUG)
        bob.get(v2("blobs", cast.sha256(WORK["ps1.ipynb"])))
        bob.post(v2("blobs", "addresses"), {"sha256": [cast.sha256(WORK["ps1.ipynb"])]}, format="json")
        begin(bob)
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("botocore")]
        assert ours and not [message for message in ours if "Signature" in message]

    # Uploads

    def test_parts_that_went_to_the_store_itself_make_a_submission(assignment, bob, stored):
        upload = begin(bob)
        assert list(upload["addresses"]) == ["1", "2", "3"]
        send_directly(upload)
        again = begin(bob)
        assert (again["parts"], again["addresses"]) == ([1, 2, 3], {})
        assert complete(bob, upload).json()["complete"]
        answer = post_bundle(bob, of_assignment("submissions"), cast.bundle({"a.bin": CONTENT}, leave_out=["a.bin"]))
        assert answer.status_code == 201 and blobs.verify(SHA256)
        assert not [name for name in stored() if name.startswith("parts")]

    def test_parts_may_go_either_way(assignment, bob):
        upload = begin(bob)
        address = v2("courses", cast.COURSE, "uploads", upload["id"], "parts", 2)
        answer = bob.put(address, CONTENT[10:20], content_type="application/octet-stream").json()
        assert list(answer["addresses"]) == ["1", "3"]
        send_directly(answer)
        assert complete(bob, upload).json()["complete"]

    def test_store_takes_a_part_of_its_length_alone(assignment, bob):
        upload = begin(bob)
        for body in (CONTENT[:9], CONTENT[:11], b""):
            assert requests.put(upload["addresses"]["1"], data=body, timeout=TIMEOUT).status_code == 403
        assert begin(bob)["parts"] == []

    def test_wrong_bytes_that_went_to_the_store_itself_are_removed(assignment, bob, stored):
        before, upload = stored(), begin(bob)
        send_directly(upload, CONTENT[::-1])
        answer = complete(bob, upload)
        assert (answer.status_code, answer.json()["code"]) == (400, "wrong_hash")
        assert stored() == before and not Blob.objects.filter(sha256=SHA256).exists()

    def test_part_that_is_sent_once_more_after_the_end_changes_nothing(assignment, bob):
        upload = begin(bob)
        send_directly(upload)
        complete(bob, upload)
        send_directly(upload, CONTENT[::-1])
        assert blobs.verify(SHA256) and complete(bob, upload).json()["complete"]

    def test_store_is_the_one_that_users_reach():
        assert type(storages["default"]).__name__ == "Bucket"
