"""Receipts over the life of a service, checked as anybody can: offline, with the public keys alone."""

import json

import pytest

from nbgrader_plugin.cli.receipt import main
from tests import cast, servers
from tests.nbgrader_plugin.people import write
from tests.ngshare_site.backups.conftest import Place
from tests.upgrades.record import ask

pytestmark = pytest.mark.live


def test_receipts_verify_offline_after_a_new_due_date_a_rotation_and_a_restore(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))  # nothing of the machine's own nbgrader
    monkeypatch.chdir(tmp_path)
    before, after = Place(tmp_path / "data"), Place(tmp_path / "restored")
    with servers.service(before.data, workers=1) as service:
        url = service.url
        ask(url, "root", "POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
        ask(url, "alice", "POST", cast.v2("courses", cast.COURSE, "members"), json={"username": "bob"})
        ask(url, "alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))
        ask(url, "alice", "PATCH", cast.of_assignment(), json={"due": "2101-01-01T00:00Z"})
        submissions = cast.of_assignment("submissions")
        receipts = [ask(url, "bob", "POST", submissions, data=cast.bundle(cast.WORK)).json()]
        ask(url, "alice", "PATCH", cast.of_assignment(), json={"due": "2021-01-01T00:00Z"})
        before.must("rotate_receipt_key")
        receipts.append(ask(url, "bob", "POST", submissions, data=cast.bundle(cast.WORK)).json())
        before.must("backup", tmp_path / "backup")
    after.must("restore", tmp_path / "backup")
    with servers.service(after.data, workers=1) as service:
        again = [
            ask(service.url, "bob", "GET", cast.v2("submissions", receipt["id"], "receipt")).json()
            for receipt in receipts
        ]
        assert main(["key", "keys.json", "--url", service.url]) == 0
    assert again == receipts and len({receipt["key"] for receipt in receipts}) == 2
    folder = write(tmp_path / "ps1", cast.WORK)
    for receipt, said in zip(receipts, ("in time (due 2101-01-01", "late (due 2021-01-01"), strict=True):
        (tmp_path / "receipt.json").write_text(json.dumps(receipt))
        assert main(["verify", "receipt.json", str(folder), "--key", "keys.json"]) == 0
        assert said in capsys.readouterr().out
