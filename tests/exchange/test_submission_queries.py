"""What a submission asks of the database: each statement takes longer to make than to answer, each commit a sync."""

import os
import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchange import receipt_keys, services
from exchange.models import Submission
from tests import cast
from tests.cast import PS1, WORK, actor, of_assignment, post_bundle

pytestmark = pytest.mark.django_db(transaction=True)
TRANSACTION = "BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK|SET LOCAL synchronous_commit"
ALL_NEW = {"ps1.ipynb": b'{"cells": ["new"]}', "data/numbers.csv": b"4,5,6\n"}


@pytest.fixture
def assignment(settings):
    settings.NGSHARE_STANDALONE = True
    course = cast.make_courses()
    services.release(course, "ps1", cast.upload(PS1), by=actor("alice"))
    return services.release(course, "ps1", cast.upload({**PS1, "a": b"a"}), by=actor("alice"), force=True).assignment


@contextmanager
def synced_logs():
    """The logs of SQLite that are synced meanwhile."""
    found, sync = [], os.fdatasync

    def note(file):
        found.append(os.readlink(f"/proc/self/fd/{file}"))
        sync(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", note)
        yield found


@pytest.fixture(autouse=True)
def receipt_key(assignment):
    """The first submission of a site also writes down the key of its receipts."""
    return receipt_keys.current_key()


def submit(files, leave_out=(), key="1"):
    """Return the statements of a submission through API v2, and how many commits wait for the disk and do not."""
    body = cast.bundle(files, leave_out)
    bob = cast.client("bob")
    with CaptureQueriesContext(connection) as captured, synced_logs() as logs:
        answer = post_bundle(bob, of_assignment("submissions"), body, **{"Idempotency-Key": key})
    assert answer.status_code == 201
    texts = [query["sql"] for query in captured]
    commits = sum(text == "COMMIT" for text in texts)
    if connection.vendor == "sqlite":
        synced = len(logs)
    else:
        synced = commits - sum(text.endswith("synchronous_commit = off") for text in texts)
    return [text for text in texts if not re.match(TRANSACTION, text)], (synced, commits - synced)


@pytest.mark.parametrize(
    ("files", "leave_out"),
    [(WORK, ["data/numbers.csv"]), (ALL_NEW, ())],
    ids=["new notebook, the release's data", "all files are new"],
)
def test_submission_makes_twelve_queries_and_syncs_once(assignment, files, leave_out):
    statements, commits = submit(files, leave_out)
    assert len(statements) == 12, "\n".join(statements)
    assert commits == (1, 1)
    submission = Submission.objects.get()
    assert submission.release == assignment.latest_release and submission.release.number == 2


def test_submission_of_known_files_makes_one_commit(assignment):
    submit(WORK)
    statements, commits = submit(WORK, leave_out=WORK, key="2")
    assert len(statements) == 7, "\n".join(statements)
    assert commits == (1, 0)


def test_number_of_files_and_attempts_costs_no_queries(assignment):
    files = {f"{number}.txt": f"{number}".encode() for number in range(100)}
    assert len(submit(files)[0]) == 12
    for attempt in range(3):
        statements, _ = submit({**files, "0.txt": f"attempt {attempt}".encode()}, [*files][1:], key=f"again-{attempt}")
        assert len(statements) == 12
