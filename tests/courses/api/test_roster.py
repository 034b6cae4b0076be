"""The roster as CSV through the API: who may, what it answers, and that a refusal writes nothing."""

import pytest

from courses.importers import tables
from courses.models import AuditEntry, Course, Membership, Role, User
from tests import cast
from tests.cast import CALLERS, v2

ROSTER = v2("courses", cast.COURSE, "roster")
EMPTY = {"first_name": None, "last_name": None, "email": None, "section": ""}


def post(who, content, query="", content_type="text/csv"):
    content = content.encode() if isinstance(content, str) else content
    return cast.client(who).generic("POST", ROSTER + query, content, content_type=content_type)


@pytest.fixture
def refused(course):
    """Posts a roster and shows that it was refused with this status and code and that nothing was written."""

    def check(status, code, *arguments, who="alice", **options):
        before, people = cast.everything(), User.objects.count()
        answer = post(who, *arguments, **options)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
        assert set(answer.json()) == {"code", "message", "details", "request_id"}
        assert (cast.everything(), User.objects.count()) == (before, people)
        return answer.json()["message"]

    return check


def members(course):
    return dict(course.memberships.values_list("user__username", "role"))


# Rights


@pytest.mark.parametrize(
    ("who", "status"), list(zip(CALLERS, (401, 403, 403, 403, 200, 200, 403, 200), strict=True)), ids=CALLERS
)
@pytest.mark.parametrize("query", ["", "?for=nbgrader"])
def test_staff_may_read(course, who, status, query):
    answer = cast.client(CALLERS[who]).get(ROSTER + query)
    assert answer.status_code == status
    assert answer.streaming is (status == 200)


@pytest.mark.parametrize(
    ("who", "status"), list(zip(CALLERS, (401, 403, 403, 403, 403, 200, 403, 200), strict=True)), ids=CALLERS
)
@pytest.mark.parametrize("query", ["", "?dry_run=true", "?remove_others=1"])
def test_instructors_may_write(course, who, status, query):
    before = cast.everything()
    answer = post(CALLERS[who], "id\nbob\nfrank", query)
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"code", "message", "details", "request_id"}
    assert (cast.everything() == before) is (status != 200 or "dry" in query)


def test_right_is_asked_before_the_file_is_looked_at(refused):
    refused(403, "permission_denied", "", who="gina")
    refused(403, "permission_denied", b"x" * tables.MAX_BYTES, who="bob")


@pytest.mark.parametrize("method", ["get", "post"])
def test_course_that_does_not_exist_or_is_in_the_bin_is_not_found(course, method):
    Course.objects.filter(pk=course.pk).update(removed_at=course.created)
    before = cast.everything()
    for address in (ROSTER, v2("courses", "Nowhere", "roster")):
        answer = cast.client("root").generic(method.upper(), address, b"id\nfrank", content_type="text/csv")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert cast.everything() == before


# Out


def test_roster_is_answered_as_csv(course, alice):
    answer = alice.get(ROSTER)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="NBG 101 roster.csv"'
    lines = answer.getvalue().decode().splitlines()
    assert lines[:2] == ["username,first_name,last_name,email,section,role", "alice,,,,,instructor"]


def test_students_are_answered_for_nbgrader(course, alice):
    assert alice.get(f"{ROSTER}?for=nbgrader").getvalue() == b"id,first_name,last_name,email\r\nbob,,,\r\ndave,,,\r\n"


def test_unknown_reader_is_refused(course, alice):
    answer = alice.get(f"{ROSTER}?for=excel")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_posting_what_was_got_changes_nothing(course, alice):
    cast.enrol(course, "'-eve", Role.STUDENT, first_name=" É\r\n", last_name="=1", email="@", section='";')
    exported = alice.get(ROSTER).getvalue()
    before = cast.everything()
    answer = post("alice", exported, "?remove_others=true").json()
    assert (answer["unchanged"], len(answer["rows"])) == (5, 5)
    assert cast.everything() == before


# In


def test_every_line_is_answered(course):
    Membership.objects.filter(user__username="bob").update(section="A")
    lines = ("id;section;shoe;role", "bob;B;44;", "frank;;;grader", "gina;;;student", ";x;;", "alice;;;", "a/b;;;")
    answer = post("alice", "\r\n".join(lines).encode("utf-8-sig"))
    assert answer.status_code == 200
    told = answer.json()
    rows = told.pop("rows")
    assert told == {
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "removed": 0,
        "refused": 3,
        "columns": ["id", "section", "role"],
        "ignored_columns": ["shoe"],
    }
    assert [(row["line"], row["username"], row["result"]) for row in rows] == [
        (2, "bob", "changed"),
        (3, "frank", "created"),
        (4, "gina", "refused"),
        (5, "", "refused"),
        (6, "alice", "unchanged"),
        (7, "a/b", "refused"),
    ]
    student = {**EMPTY, "role": "student"}
    assert (rows[0]["before"], rows[0]["after"]) == ({**student, "section": "A"}, {**student, "section": "B"})
    assert (rows[1]["before"], rows[1]["after"], rows[1]["message"]) == (None, {"role": "grader"}, "")
    assert "never demotes staff" in rows[2]["message"] and rows[2]["after"] is None
    assert members(course) == {**cast.ROLES, "frank": "grader"}


def test_import_is_one_line_of_the_log_and_a_repeat_is_none(course):
    for _ in range(2):
        post("alice", "id,role\nbob,grader\nfrank,", "?remove_others=true")
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.role, entry.action, entry.course) == (
        "alice",
        "instructor",
        "change roster",
        cast.COURSE,
    )
    assert entry.details == {"created": ["frank"], "changed": ["bob"], "removed": ["dave"], "source": "CSV"}


@pytest.mark.parametrize(
    ("query", "stays"), [("", True), ("?remove_others=false", True), ("?remove_others=true", False)]
)
def test_others_go_only_if_that_is_asked_for(course, query, stays):
    rows = post("alice", "id\nbob", query).json()["rows"]
    assert ("dave" in members(course)) is stays
    gone = {"line": None, "username": "dave", "result": "removed", "message": "", "after": None}
    assert rows[1:] == ([] if stays else [{**gone, "before": {**EMPTY, "role": "student"}}])


def test_dry_run_answers_the_same_and_writes_nothing(course):
    content, before, people = "id,role\nbob,grader\nfrank,\ngina,student", cast.everything(), User.objects.count()
    foreseen = post("alice", content, "?dry_run=true&remove_others=true").json()
    assert (cast.everything(), User.objects.count()) == (before, people)
    assert post("alice", content, "?remove_others=true").json() == foreseen


@pytest.mark.parametrize(
    "line", ["bob,instructor", "erin,INSTRUCTOR", "gina,instructor", "alice,student", "gina,student"]
)
def test_instructor_gives_and_takes_no_rights_of_staff(course, line):
    before = cast.everything()
    assert post("alice", f"id,role\n{line}").json()["refused"] == 1
    assert cast.everything() == before


def test_administrator_makes_instructors(course):
    assert post("root", "id,role\nbob,instructor").json()["changed"] == 1
    assert members(course)["bob"] == "instructor"


@pytest.mark.parametrize("line", ["dave,owner", "dave,instructor"])
def test_whom_a_refused_line_names_stays(course, line):
    assert post("alice", f"id,role\nbob,\n{line}", "?remove_others=true").json()["refused"] == 1
    assert members(course) == cast.ROLES


# Refusals


@pytest.mark.parametrize("line", [",student", "dave,,x", "da/ve,"])
def test_nobody_is_removed_while_a_line_does_not_say_whom_it_names(refused, line):
    assert "Line 3" in refused(409, "conflict", f"id,role\nbob,\n{line}", "?remove_others=true")


def test_file_of_nobody_does_not_empty_the_course(refused):
    assert "names nobody" in refused(409, "conflict", "id,role", "?remove_others=true")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\0", "NUL"),
        (b"\xff\xfe\0", "cannot be read"),
        (b"bob", "must name the columns"),
        (b'[{"username": "bob"}]', "must name the columns"),
        (b"id,id\nbob,bob", "Two columns"),
        (b'id\n"bob', "Line 2 cannot be read"),
        (b"id\n" + b"x\n" * 20_001, "20,000 lines"),
    ],
    ids=range(8),
)
def test_what_is_no_roster_is_refused(refused, content, sentence):
    assert sentence in refused(400, "bad_request", content)


def test_file_that_is_too_large_is_refused(refused):
    assert "the limit is 5 MB." in refused(413, "too_large", b"id\n" + b" " * tables.MAX_BYTES)


@pytest.mark.parametrize("query", ["?dry_run=perhaps", "?remove_others=yes", "?dry_run=true&remove_others=2"])
def test_flag_that_is_neither_true_nor_false_is_refused(refused, query):
    refused(400, "bad_request", "id\nfrank", query)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "x"])
def test_another_content_type_is_refused(refused, content_type):
    refused(415, "unsupported_media_type", "id\nfrank", content_type=content_type)


def test_charset_beside_the_content_type_is_let_pass(course):
    assert post("alice", "id\nfrank", content_type="text/csv; charset=utf-8").json()["created"] == 1


def test_body_of_unannounced_length_is_refused(course, alice):
    before = cast.everything()
    answer = alice.generic(
        "POST", ROSTER, b"", content_type="text/csv", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH=""
    )
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    assert cast.everything() == before


# Columns


def test_column_that_is_meant_can_be_chosen(refused, course):
    content = "Username,Student ID,mail\nfrank,2026003,grace@example.edu\n"
    assert "Two columns say “username”: “Username”, “Student ID”" in refused(400, "bad_request", content)
    assert "chooses no column" in refused(400, "bad_request", content, "?column=shoe")
    answer = post("alice", content, "?column=username%3DUsername&column=email%3D")
    assert answer.status_code == 200 and answer.json()["ignored_columns"] == ["Student ID", "mail"]
    assert course.memberships.get(user__username="frank").email is None
    assert post("alice", content, "?column=username%3Dmail&before_at=1").json()["created"] == 1
    assert course.memberships.filter(user__username="grace").exists()
