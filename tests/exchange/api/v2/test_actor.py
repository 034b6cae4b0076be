"""A request reads the roster once to learn what its actor may do; an upload once more when its bytes have arrived."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import cast
from tests.cast import WORK, of_assignment, post_bundle, v2


@pytest.fixture
def roster_reads():
    """Count the queries of a request that read roles from the roster; deadlines read when somebody joined."""

    def count(send, status=200):
        with CaptureQueriesContext(connection) as captured:
            assert send().status_code == status
        selects = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
        return len([sql for sql in selects if '"courses_membership"' in sql and '"role"' in sql])

    return count


def test_submit_reads_the_roster_before_and_after_its_bytes(assignment, bob, roster_reads):
    assert roster_reads(lambda: post_bundle(bob, of_assignment("submissions"), cast.bundle(WORK)), 201) == 2


@pytest.mark.parametrize("username", ["alice", "bob"])
def test_list_reads_the_roster_once(submission, roster_reads, username):
    client = cast.client(username)
    assert roster_reads(lambda: client.get(v2("submissions"))) == 1
    assert roster_reads(lambda: client.get(of_assignment("submissions"))) == 1
    assert roster_reads(lambda: client.get(v2("assignments"))) == 1


def test_feedback_reads_the_roster_before_and_after_its_bytes(submission, alice, roster_reads):
    files = {"ps1.html": b"<p>9 of 10</p>"}
    body = cast.bundle(files, feedback=[{"submission": submission.pk, "files": cast.manifest(files)}])
    assert roster_reads(lambda: post_bundle(alice, of_assignment("feedback"), body)) == 2
