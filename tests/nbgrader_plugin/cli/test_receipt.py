"""ngshare-receipt: a student's own check, with the service stopped."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import requests

from exchange import receipt_keys
from nbgrader_plugin.cli import receipt as receipt_command
from nbgrader_plugin.client.receipt_files import as_key_set
from tests import cast

pytestmark = pytest.mark.live
STOPPED = {"NGSHARE_URL": "http://127.0.0.1:1"}


@pytest.fixture
def submitted(exchange, course, desk):
    """A folder that alice has submitted, and its receipt."""
    folder = desk.home / "ps1"
    folder.mkdir()
    (folder / "p1.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    address = f"courses/{course}/assignments/ps1"
    files = {"p1.ipynb": (folder / "p1.ipynb").read_bytes()}
    call(exchange, "POST", f"{address}/releases/", user="alice", data=cast.bundle(files))
    receipt = call(exchange, "POST", f"{address}/submissions/", user="alice", data=cast.bundle(files))
    (desk.home / "receipt.json").write_text(json.dumps(receipt, indent=2))
    return receipt


def call(exchange, method, path, user, **request):
    headers = {"Authorization": f"token {user}", "Content-Type": "application/x-tar"}
    answer = requests.request(method, f"{exchange.url}/api/v2/{path}", headers=headers, timeout=300, **request)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture
def run(desk, monkeypatch, capsys):
    """Run the command on alice's computer, in this process: reading nbgrader's settings anew takes seconds."""
    for name, value in desk.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(desk.home)

    def run(*arguments, **environment):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            status = receipt_command.main(arguments)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=status, stdout=printed.out, stderr=printed.err)

    return run


def test_command_is_installed(desk):
    done = subprocess.run(["ngshare-receipt", "--help"], env=desk.env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "verify" in done.stdout


def test_receipt_and_folder_are_checked_offline_with_the_saved_keys(run, submitted, course):
    saved = run("key")
    assert saved.returncode == 0 and saved.stdout.endswith("has 1 public key.\n")
    done = run("verify", "receipt.json", "ps1", **STOPPED)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Genuine: ps1 in {course} was submitted for alice at 20")
    assert "1 file of" in done.stdout and done.stdout.endswith("which are exactly those in ps1.\n")
    assert run("verify", "receipt.json", **STOPPED).returncode == 0


def test_other_files_and_changed_receipts_are_told(run, desk, submitted):
    run("key")
    (desk.home / "ps1" / "more.txt").write_text("more")
    done = run("verify", "receipt.json", "ps1", **STOPPED)
    assert done.returncode == 1 and "The receipt is genuine, but ps1 has other files: 2 files of" in done.stderr
    (desk.home / "receipt.json").write_text(json.dumps({**submitted, "student": "bob"}))
    done = run("verify", "receipt.json", **STOPPED)
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith("This receipt was changed")


def test_copy_in_the_cache_is_compared_without_what_nbgrader_put_there(run, desk, submitted):
    for name in ("receipt.json", "timestamp.txt"):
        (desk.home / "ps1" / name).write_text((desk.home / "receipt.json").read_text())
    done = run("verify", "ps1/receipt.json", "ps1")
    assert done.returncode == 0, done.stderr


def test_keys_can_be_given_as_a_file_or_by_the_address_of_the_service(run, exchange, submitted):
    run("key", "course-keys.json")
    assert run("verify", "receipt.json", "--key", "course-keys.json", **STOPPED).returncode == 0
    by_address = run("verify", "receipt.json", "--url", exchange.url, JUPYTERHUB_API_TOKEN="", **STOPPED)
    assert by_address.returncode == 0, by_address.stderr


def test_what_cannot_be_found_out_is_neither_yes_nor_no(run, desk, submitted):
    run("key", "keys.json")
    done = run("verify", "receipt.json", **STOPPED)
    assert done.returncode == 2 and "does not say its public keys" in done.stderr
    other = receipt_keys.derive("another server's", 1)
    (desk.home / "other.json").write_text(json.dumps(as_key_set({other.key_id: other.public_key})))
    assert run("verify", "receipt.json", "--key", "other.json").returncode == 2
    for arguments, sentence in (
        (["nowhere.json"], "nowhere.json: No such file or directory.\n"),
        (["ps1"], "ps1: Is a directory.\n"),
        (["receipt.json", "nowhere", "--key", "keys.json"], "nowhere: No such file or directory.\n"),
        (["receipt.json", "receipt.json", "--key", "keys.json"], "receipt.json: Not a directory.\n"),
    ):
        done = run("verify", *arguments)
        assert (done.returncode, done.stderr) == (2, sentence)


def test_saving_the_keys_again_keeps_those_that_are_there(run, desk, submitted):
    other = receipt_keys.derive("another server's", 1)
    (desk.home / "keys.json").write_text(json.dumps(as_key_set({other.key_id: other.public_key})))
    assert run("key", "keys.json").stdout == "keys.json has 2 public keys.\n"
    assert run("verify", "receipt.json", "--key", "keys.json", **STOPPED).returncode == 0
