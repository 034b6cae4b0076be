"""Every table that the service writes: rectangular, times with their offset, yes and no, no formula."""

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from courses.models import Membership, Role
from courses.permissions import SERVER
from exchange import course_archive, personal_archive, services
from exchange.services import Grant
from tests import cast

MARK = "\ufeff"
TIMES = re.compile(r"\d{4}-\d\d-\d\dT.*")


@pytest.fixture
def written(submission, browser):
    """{name: its text}: all tables about a course with a trial, a late submission, extensions and a formula."""
    assignment, course = submission.assignment, submission.assignment.course
    services.set_deadlines(assignment, {"due": timezone.now() - timedelta(days=1)}, by=cast.actor("alice"))
    services.grant_extensions(
        assignment, [Grant("dave", None, due=timezone.now() + timedelta(days=1))], by=cast.actor("alice")
    )
    cast.submit(assignment, "alice", trial=b"a trial")
    cast.submit(assignment, "bob", second=b"second")
    cast.enrol(course, "eve", Role.STUDENT, last_name="=1+1", section="-")
    Membership.objects.filter(user__username="dave").update(first_name=None)
    alice, bob = browser("alice"), cast.person("bob")
    addresses = {
        "roster": f"/admin/courses/course/{course.pk}/roster.csv",
        "progress": f"/admin/exchange/assignment/status/{course.pk}/status.csv",
        "extensions": f"/admin/exchange/assignment/{assignment.pk}/extensions.csv",
        "assignment": f"/view/course/{course.name}/{assignment.name}/hand-ins.csv",
    }
    tables = {name: b"".join(alice.get(address).streaming_content).decode() for name, address in addresses.items()}
    own = zipfile.ZipFile(io.BytesIO(b"".join(personal_archive.export_person(bob, by=cast.actor("bob")))))
    whole = zipfile.ZipFile(io.BytesIO(b"".join(course_archive.export_course(course, by=SERVER))))
    tables["own"] = own.read("submissions.csv").decode()
    return {**tables, "archive": whole.read("roster.csv").decode(), "log": whole.read("audit.csv").decode()}


def test_rows_have_as_many_cells_as_there_are_columns(written):
    for name, text in written.items():
        rows = list(csv.reader(io.StringIO(text.removeprefix(MARK), newline="")))
        assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}, name
        assert len(set(rows[0])) == len(rows[0]) and all(rows[0]), name


def test_times_have_an_offset_and_yes_is_yes(written):
    seen = set()
    for name, text in written.items():
        for row in csv.DictReader(io.StringIO(text.removeprefix(MARK), newline="")):
            for column, cell in row.items():
                assert cell not in ("True", "False", "None"), (name, column)
                if TIMES.fullmatch(cell):
                    seen.add(name)
                    assert datetime.fromisoformat(cell).tzinfo and not cell.endswith("Z"), (name, column, cell)
                if column.rpartition(": ")[2] in ("late", "trial"):
                    assert cell in ("yes", "no", ""), (name, column)
    assert seen == {"progress", "extensions", "assignment", "own", "log"}


def test_lines_end_alike_and_only_what_spreadsheets_open_has_a_mark(written):
    for name, text in written.items():
        assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", ""), name
        assert text.startswith(MARK) == (name in ("roster", "progress", "extensions", "assignment")), name


def test_no_cell_is_a_formula(written):
    assert "'=1+1" in written["roster"] and "'=1+1" in written["archive"]
    for name, text in written.items():
        for row in csv.reader(io.StringIO(text.removeprefix(MARK), newline="")):
            assert not [cell for cell in row if cell[:1] in ("=", "+", "-", "@")], name
