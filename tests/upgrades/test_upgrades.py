"""What earlier versions have stored is there after this version has migrated it: each recording is copied, and the
service started on the copy. record.py makes recordings."""

import json
import re
import zipfile

import pytest
import requests

from nbgrader_plugin.client import receipt_files
from tests import cast, servers
from tests.upgrades import record

pytestmark = pytest.mark.live

ARCHIVES = sorted(record.RECORDINGS.glob("*.zip"))


class Migrated:
    """The service on a copy of a recording."""

    def __init__(self, url, data, database, expected):
        self.url = url
        self.data = data
        self.database = database
        self.answers, self.receipts, self.audit = (expected[name] for name in ("answers", "receipts", "audit"))

    def ask(self, who, method, address, **request):
        return record.ask(self.url, who, method, address, **request)

    def files(self):
        """Return {(student, SHA-256)} of what the recorded submissions contain."""
        submissions = [one["answer"] for one in self.answers if re.search(r"/submissions/\d+/$", one["address"])]
        return {(one["student"], file["sha256"]) for one in submissions for file in one["files"]}


def lacks(recorded, found, where="answer"):
    """Return what was recorded and is not so any more. New keys may have come."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        return [
            line
            for key, value in recorded.items()
            for line in (lacks(value, found[key], f"{where}.{key}") if key in found else [f"{where}.{key} is missing"])
        ]
    if isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        pairs = enumerate(zip(recorded, found, strict=True))
        return [line for position, pair in pairs for line in lacks(*pair, f"{where}.{position}")]
    return [] if recorded == found else [f"{where} was {recorded!r} and is {found!r}"]


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda archive: archive.stem)
def recording(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def migrated(request, recording):
    data = recording / request.param
    with record.restored(data) as database, record.service(data, database) as url:
        yield Migrated(url, data, database, record.expected(data))


def test_every_answer_is_as_it_was(migrated):
    assert len(migrated.answers) > 40
    changed = {
        f"{one['who']}: {one['address']}": lines
        for one in migrated.answers
        if not one["address"].endswith(("/receipt/", "/status/"))  # signed, and said, in another way: see below
        if (lines := lacks(one["answer"], migrated.ask(one["who"], "GET", one["address"]).json()))
    }
    assert changed == {}


def test_status_still_counts_every_attempt(migrated):
    """It also names what somebody has not submitted, and says of the latest attempt alone what became of it."""
    (recorded,) = (one for one in migrated.answers if one["address"].endswith("/status/"))
    found = migrated.ask(recorded["who"], "GET", recorded["address"]).json()
    assert lacks(recorded["answer"]["assignments"], found["assignments"]) == []
    members = {member["username"]: member for member in found["members"]}
    for member in recorded["answer"]["members"]:
        work = {each["assignment"]: each for each in members[member["username"]]["work"]}
        for each in member["work"]:
            was = {name: each[name] for name in ("attempts", "last", "late", "feedback")}
            assert lacks(was, work[each["assignment"]]) == []


def test_receipts_are_still_genuine_and_false_ones_still_are_not(migrated):
    def verify(receipt):
        return migrated.ask("carol", "POST", cast.v2("receipts", "verify"), json=receipt).json()["valid"]

    assert [verify(receipt) for receipt in migrated.receipts] == [True] * 5
    assert not verify({**migrated.receipts[0], "digest": migrated.receipts[1]["digest"]})


def test_receipts_that_are_asked_for_again_state_the_same_and_verify_offline(migrated):
    answer = requests.get(f"{migrated.url}{cast.v2('receipts', 'keys')}", timeout=30)  # by nobody
    keys = receipt_files.read_keys(answer.json())
    for old in migrated.receipts:
        address = cast.v2("submissions", old["id"], "receipt")
        new, again = (migrated.ask(old["student"], "GET", address).json() for _ in range(2))
        if "key" in old:  # signed with Ed25519: it is the same for ever
            assert new == old
        assert new == again and not lacks({name: old[name] for name in old.keys() - {"late", "signature"}}, new)
        receipt_files.verify(receipt_files.read(json.dumps(new)), keys)
        with pytest.raises(receipt_files.NotGenuine):
            receipt_files.verify({**new, "digest": "0" * 64}, keys)


def test_the_audit_log_says_what_it_said(migrated):
    found = record.rows(migrated.database, migrated.data, "courses_auditentry")[: len(migrated.audit)]
    assert len(migrated.audit) > 15
    assert lacks(migrated.audit, found, "entry") == []


def test_students_can_go_on_and_garbage_collection_removes_nothing_of_theirs(migrated):
    before = migrated.files()
    assert {student for student, _ in before} == {"bob", "dave", "erin", "gina"}
    made = migrated.ask(
        "bob", "POST", cast.of_assignment("submissions"), data=cast.bundle(cast.WORK, leave_out=cast.WORK)
    )  # without a byte: the service has them
    assert made.json()["id"] > max(receipt["id"] for receipt in migrated.receipts)
    swept = record.manage(migrated.data, migrated.database, "sweep_blobs", "--hours", "2")
    assert swept.startswith("0 blobs"), swept
    for student, sha256 in before:
        assert cast.sha256(migrated.ask(student, "GET", cast.v2("blobs", sha256)).content) == sha256


def test_there_is_a_recording_of_each_release():
    released = re.findall(r"^## (\S+) \(", (servers.ROOT / "CHANGELOG.md").read_text(), re.M)
    assert set(released) <= {archive.stem for archive in ARCHIVES}
    assert len(ARCHIVES) >= 2
