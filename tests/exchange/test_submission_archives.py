"""Many submissions as one zip: as nbgrader collects them, and under pseudonyms."""

import io
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.errors import PermissionDenied
from courses.models import AuditEntry, Course, Membership, Role
from exchange import services
from exchange.models import Submission
from exchange.submission_archives import (
    as_attempt,
    as_collected,
    export_anonymously,
    export_submissions,
    key_rows,
    pseudonym_of,
)
from tests import cast


def unzip(chunks):
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_zip_is_what_nbgrader_collects(submission):
    found = unzip(export_submissions(Submission.objects.all(), as_collected, by=cast.actor("gina")))
    timestamp = f"{submission.created:%Y-%m-%d %H:%M:%S.%f} UTC".encode()
    folder = "submitted/bob/ps1"
    assert found == {f"{folder}/{path}": each for path, each in cast.WORK.items()} | {
        f"{folder}/timestamp.txt": timestamp
    }


def test_time_is_the_servers_whatever_was_submitted(assignment):
    submission = cast.submit(assignment, "bob", timestamp=b"1999-01-01 00:00:00.000000 UTC")
    found = unzip(export_submissions(Submission.objects.all(), as_collected, by=cast.actor("alice")))
    assert sorted(found) == ["submitted/bob/ps1/ps1.ipynb", "submitted/bob/ps1/timestamp.txt"]
    assert found["submitted/bob/ps1/timestamp.txt"] == f"{submission.created:%Y-%m-%d %H:%M:%S.%f} UTC".encode()


def test_attempts_have_folders_of_their_own(assignment):
    for more in (b"1", b"2"):
        cast.submit(assignment, "bob", more=more)
    found = unzip(export_submissions(Submission.objects.all(), as_attempt, by=cast.actor("alice")))
    assert sorted(found.values()) == sorted([b"1", b"2", *[b'{"cells": ["42"]}'] * 2])


def test_anonymous_zip_names_nobody(submission):
    Membership.objects.filter(user__username="bob").update(first_name="Robert", last_name="Li", email="bob@x.org")
    assignment = submission.assignment
    chunks = b"".join(export_anonymously(assignment, Submission.objects.all(), by=cast.actor("gina")))
    pseudonym = pseudonym_of(assignment.course, submission.student_id)
    assert unzip([chunks]) == {
        **{f"ps1/base/{path}": each for path, each in cast.PS1.items()},
        **{f"ps1/submissions/{pseudonym}/{path}": each for path, each in cast.WORK.items()},
    }
    names = zipfile.ZipFile(io.BytesIO(chunks))
    assert {member.date_time for member in names.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for name in (b"bob", b"Robert", b"x.org"):
        assert name not in chunks


def test_pseudonym_is_stable_in_a_course_and_another_one_elsewhere(course):
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    bob, dave = cast.person("bob"), cast.person("dave")
    first = pseudonym_of(course, bob.pk)
    assert first == pseudonym_of(course, bob.pk) and len(first) == 10
    assert len({first, pseudonym_of(course, dave.pk), pseudonym_of(elsewhere, bob.pk)}) == 3


def test_pseudonyms_need_the_secret_key(course, settings):
    bob = cast.person("bob")
    before = pseudonym_of(course, bob.pk)
    settings.SECRET_KEY = "another"
    assert pseudonym_of(course, bob.pk) != before


def test_order_tells_nothing(assignment):
    for username in ("bob", "dave"):
        cast.submit(assignment, username)
    for number in range(8):
        cast.enrol(assignment.course, f"s{number}", Role.STUDENT)
        cast.submit(assignment, f"s{number}")
    found = unzip(export_anonymously(assignment, Submission.objects.all(), by=cast.actor("alice")))
    folders = list(dict.fromkeys(path.split("/")[2] for path in found if "/submissions/" in path))
    assert len(folders) == 10 and folders == sorted(folders)


def test_key_names_everybody_behind_a_pseudonym(submission):
    Membership.objects.filter(user__username="bob").update(first_name="Robert", section="A")
    header, row = key_rows(submission.assignment, Submission.objects.all(), by=cast.actor("gina"))
    assert header == ("pseudonym", "username", "first_name", "last_name", "section")
    assert row == (pseudonym_of(submission.assignment.course, submission.student_id), "bob", "Robert", "", "A")
    assert AuditEntry.objects.latest("pk").action == "download pseudonyms"


@pytest.mark.parametrize("who", ["bob", "carol", "erin"])
def test_only_staff_export_and_each_export_is_noted(submission, who):
    rows, before = Submission.objects.all(), AuditEntry.objects.count()
    for export in (
        lambda: export_submissions(rows, as_collected, by=cast.actor(who)),
        lambda: export_anonymously(submission.assignment, rows, by=cast.actor(who)),
        lambda: key_rows(submission.assignment, rows, by=cast.actor(who)),
    ):
        with pytest.raises(PermissionDenied):
            export()
    assert AuditEntry.objects.count() == before
    export_submissions(rows, as_collected, by=cast.actor("gina"))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.details["submissions"]) == ("download submissions", [submission.pk])


def test_rows_are_read_a_few_at_a_time(assignment, monkeypatch):
    monkeypatch.setattr("exchange.submission_archives.BATCH", 2)
    for number in range(5):
        cast.enrol(assignment.course, f"s{number}", Role.STUDENT)
        cast.submit(assignment, f"s{number}")
    services.release(assignment.course, "ps1", cast.upload(cast.PS1), by=cast.actor("alice"), force=True)
    with CaptureQueriesContext(connection) as captured:
        found = unzip(export_submissions(Submission.objects.all(), as_collected, by=cast.actor("alice")))
    assert len(found) == 10
    assert sum('FROM "exchange_submission"' in query["sql"] for query in captured) == 4
