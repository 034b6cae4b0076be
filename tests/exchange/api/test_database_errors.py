"""An error of the database that no repeat mends is a 500, with its traceback in the log alone."""

import errno

import pytest
from django.db import connection

from courses.api import errors
from exchange.api.v1 import answers
from tests import cast


@pytest.mark.parametrize(
    ("address", "log"),
    [
        (cast.v2("submissions"), "/api/v2/submissions/"),
        ("/feedback/NBG%20101/ps1/bob?timestamp=2026-01-01%2000:00:00.0", "/feedback/NBG 101/ps1/bob"),
    ],
    ids=["v2", "v1"],
)
def test_broken_database_is_not_called_busy(assignment, settings, caplog, address, log):
    settings.NGSHARE_STANDALONE = True
    with connection.cursor() as cursor:
        for table in ("exchange_feedback", "exchange_submission"):
            cursor.execute(f"DROP TABLE {table}")
    alice = cast.client("alice")
    alice.raise_request_exception = False
    answer = alice.get(address)
    assert answer.status_code == 500 and b"exchange_" not in answer.content
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info and log in record.getMessage()


@pytest.mark.parametrize("handle", [errors.handle, answers.handle], ids=["v2", "v1"])
def test_server_that_is_out_of_file_handles_is_busy(handle):
    answer = handle(OSError(errno.EMFILE, "Too many open files"), {})
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert handle(OSError(errno.EIO, "Input/output error"), {}) is None
