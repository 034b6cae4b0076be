"""What the plugin asks costs what it shows: no request reads a table whole, or makes more queries for more rows."""

import re

import pytest
from django.db import connection, transaction

from courses.models import Role
from exchange import services
from exchange.models import Submission
from tests import cast
from tests.cast import COURSE, WORK, of_assignment, post_bundle, v2

LARGE = {
    *("courses_user", "courses_membership", "courses_auditentry", "exchange_assignment", "exchange_release"),
    *("exchange_submission", "exchange_feedback", "exchange_fileset", "exchange_fileentry", "exchange_blob"),
}
EVERYTHING = {"page_size": 5000, "files": "true"}


def post(who, address, body):
    return cast.client(who).post(address, body, format="json")


def own(username):
    return Submission.objects.filter(student__username=username).order_by("pk")[0]


REQUESTS = {
    "who am I": lambda: cast.client("bob").get(v2("me")),
    "courses": lambda: cast.client("bob").get(v2("courses")),
    "assignments": lambda: cast.client("bob").get(v2("assignments"), {"page_size": 5000}),
    "assignments of a course": lambda: cast.client("bob").get(v2("assignments"), {"course": COURSE}),
    "assignments, staff": lambda: cast.client("alice").get(v2("courses", COURSE, "assignments"), {"status": "all"}),
    "latest release": lambda: cast.client("bob").get(of_assignment("releases", "latest")),
    "own submissions": lambda: cast.client("bob").get(v2("submissions"), {"mine": "true"}),
    "own feedback": lambda: cast.client("bob").get(
        v2("submissions"), {"course": COURSE, "assignment": "ps1", "mine": "true"}
    ),
    "submissions, staff": lambda: cast.client("alice").get(v2("submissions"), {"course": COURSE, "assignment": "ps1"}),
    "submissions of a course": lambda: cast.client("alice").get(v2("submissions"), {"course": COURSE}),
    "submissions of a student": lambda: cast.client("alice").get(
        v2("submissions"), {"course": COURSE, "student": "bob"}
    ),
    "submissions below an assignment": lambda: cast.client("alice").get(of_assignment("submissions")),
    "collect": lambda: cast.client("alice").get(
        v2("submissions"), {**EVERYTHING, "course": COURSE, "assignment": "ps1", "latest": "true"}
    ),
    "collect before the due date": lambda: cast.client("alice").get(
        v2("submissions"),
        {**EVERYTHING, "course": COURSE, "assignment": "ps1", "latest": "true", "before_due": "true"},
    ),
    "mark as collected": lambda: post("alice", v2("submissions", "collected"), {"ids": [own("bob").pk]}),
    "missing blobs": lambda: post("bob", v2("blobs", "missing"), {"files": cast.manifest(WORK)}),
    "bundle": lambda: post("alice", v2("blobs", "bundle"), {"sha256": [cast.sha256(each) for each in WORK.values()]}),
    "submit": lambda: post_bundle(
        cast.client("bob"), of_assignment("submissions"), cast.bundle(WORK), **{"Idempotency-Key": "k"}
    ),
    "receipt": lambda: cast.client("bob").get(v2("submissions", own("bob").pk, "receipt")),
    "status": lambda: cast.client("alice").get(v2("courses", COURSE, "status")),
    "members": lambda: cast.client("alice").get(v2("courses", COURSE, "members")),
    "search of a member": lambda: cast.client("alice").get(v2("courses", COURSE, "members"), {"search": "bob"}),
    "roster": lambda: cast.client("alice").get(v2("courses", COURSE, "roster")),
}


def explain(sql, parameters):
    """The lines of the database's plan. PostgreSQL would read these few rows without an index, if it may."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", parameters)
            return [line for (line,) in cursor.fetchall()]
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        return [row[-1] for row in cursor.fetchall()]


def read_whole(sql, plan):
    """The tables that a plan reads from their first row to their last, with or without an index."""
    if connection.vendor == "postgresql":
        return {table for line in plan for table in re.findall(r"Seq Scan on (\w+)", line)}
    scanned = {name for line in plan for name in re.findall(r"^SCAN (\w+)", line)}
    tables = re.findall(r'(?:FROM|JOIN) "(\w+)"(?: ([A-Z]\d+))?', sql)
    return {table for table, alias in tables if (alias or table) in scanned}


def sent_by(request):
    """What a request sends to the database; what it did there is undone."""
    sent = []

    def note(execute, sql, parameters, many, context):
        sent.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(note):
            response = request()
            assert response.status_code in (200, 201)
            if response.streaming:
                list(response.streaming_content)
        transaction.set_rollback(True)
    return sent


@pytest.mark.parametrize("name", REQUESTS)
def test_request_reads_no_large_table_whole(two_courses, name):
    cast.submit(two_courses["assignment"], "dave")
    sent = sent_by(REQUESTS[name])
    if connection.vendor == "postgresql":  # not what other tests have left of these tables decides
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(sorted(LARGE))}")
    plans = [(sql, explain(sql, parameters)) for sql, parameters in sent if sql.startswith(("SELECT", "UPDATE"))]
    assert plans
    for sql, plan in plans:
        assert not read_whole(sql, plan) & LARGE, (sql, plan)


@pytest.mark.parametrize("name", REQUESTS)
def test_request_makes_as_many_queries_for_many_rows_as_for_few(two_courses, name):
    sent_by(REQUESTS[name])  # what is kept in memory is there from here on
    few = len(sent_by(REQUESTS[name]))
    course = two_courses["course"]
    more = services.release(course, "ps2", cast.upload(cast.PS1), by=cast.actor("alice")).assignment
    for number in range(6):
        cast.enrol(course, f"student {number}", Role.STUDENT)
        for assignment in (two_courses["assignment"], more):
            for who in ("bob", f"student {number}"):
                cast.return_feedback(cast.submit(assignment, who, **{f"part{number}": b"%d" % number}), "alice")
    assert len(sent_by(REQUESTS[name])) == few
