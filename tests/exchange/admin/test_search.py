"""Searching the admin's lists: by course, student, path, hash and digest."""

import hashlib

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import AuditEntry, Membership, Role
from exchange import receipts, services
from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission
from exchange.storage import blobs, checksums
from tests import cast
from tests.cast import WORK

pytestmark = pytest.mark.wide

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])
SHARED = cast.sha256(WORK["data/numbers.csv"])  # in the release, and unchanged in the submission
PLAN = cast.sha256(cast.PLANS["plans/my plan.txt"])
PLAN_MD5 = hashlib.md5(cast.PLANS["plans/my plan.txt"], usedforsecurity=False).hexdigest()
MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]


def address(model):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.fixture
def found(two_courses, browser):
    """The rows that a search finds, as an administrator. API v1 has asked for all checksums before."""
    checksums.complete(list(Blob.objects.all()))
    root = browser("root")
    checksums.complete([Blob.objects.get(sha256=PLAN)])

    def search(model, term, **filters):
        answer = root.get(address(model), {"q": term, **filters})
        assert answer.status_code == 200
        return list(answer.context["cl"].result_list)

    return search


# Receipts


@pytest.mark.parametrize("spell", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f"bob {code}"])
def test_submission_is_found_by_its_short_code(found, two_courses, spell):
    code = receipts.receipt(two_courses["submission"])["code"].replace("0", "O").replace("1", "l")
    assert found(Submission, spell(code)) == [two_courses["submission"]]


def test_submission_is_found_by_its_number_and_by_the_digest_as_it_is_logged(found, two_courses):
    receipt = receipts.receipt(two_courses["foreign submission"])
    assert two_courses["foreign submission"] in found(Submission, str(receipt["id"]))
    assert found(Submission, receipt["digest"][:16]) == [two_courses["foreign submission"]]
    assert found(Submission, "9" * 30) == []


def test_receipt_leads_to_its_feedback_assignment_and_what_was_recorded(found, two_courses):
    submission = two_courses["foreign submission"]
    receipt = receipts.receipt(submission)
    for term in (str(receipt["id"]), receipt["code"], receipt["code"].lower().replace("-", "")):
        assert found(Feedback, term) == [two_courses["foreign feedback"]]
        assert two_courses["foreign assignment"] in found(Assignment, term)
        entries = {(entry.action, entry.object_id) for entry in found(AuditEntry, term)}
        assert ("submit", submission.pk) in entries
    assert found(Assignment, receipt["code"]) == [two_courses["foreign assignment"]]


# Extensions


@pytest.mark.parametrize("term", ["bob", "bak", "Robert", "baker@example", "ps1 baker", "night"])
def test_assignment_is_found_by_who_has_an_extension(found, named, term):
    assignment = named["assignment"]
    services.set_deadlines(assignment, {"max_attempts": 5}, by=cast.actor("alice"))
    assert found(Assignment, term) == []
    members = assignment.course.memberships
    members.filter(user__username="bob").update(email="bob.baker@example.edu")
    members.filter(user__username="dave").update(section="night group")
    grants = [services.Grant("bob", attempts=1), services.Grant(section="night group", attempts=1)]
    services.grant_extensions(assignment, grants, by=cast.actor("alice"))
    assert found(Assignment, term) == [assignment]


def test_extension_is_not_found_by_a_name_on_the_roster_of_another_course(found, named):
    services.set_deadlines(named["assignment"], {"max_attempts": 5}, by=cast.actor("alice"))
    services.grant_extensions(named["assignment"], [services.Grant("bob", attempts=1)], by=cast.actor("alice"))
    cast.enrol(named["foreign course"], "bob", Role.STUDENT, first_name="Secret")
    assert found(Assignment, "Secret") == []


def test_assignment_is_found_by_a_path_of_its_latest_release_and_release_by_who_made_it(found, two_courses):
    assert found(Assignment, "data/num") == [two_courses["assignment"]]
    assert found(Release, "carol") == [two_courses["foreign release"]]


@pytest.mark.parametrize("model", [Submission, Assignment, Release, Feedback, AuditEntry])
def test_search_asks_the_same_in_a_course_of_hundreds(two_courses, browser, model):
    course, root = two_courses["course"], browser("root")
    code = receipts.receipt(two_courses["submission"])["code"]

    def count():
        with CaptureQueriesContext(connection) as queries:
            for term in ("student1", "Ada", "NBG ps1", "numbers.csv", code):
                assert root.get(address(model), {"q": term}).status_code == 200
        return len(queries)

    def enrol(*numbers):
        for number in numbers:
            cast.enrol(course, f"student{number}", Role.STUDENT, first_name="Ada")
        for number in numbers[:20]:
            cast.return_feedback(cast.submit(two_courses["assignment"], f"student{number}"), "alice")

    enrol(1)
    count()
    before = count()
    enrol(*range(10, 310))
    assert count() <= before


# Things of a course

OURS, THEIRS, BOTH = {"submission"}, {"foreign submission"}, {"submission", "foreign submission"}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("bob", OURS),
        ("BOB", OURS),
        ("zoe", THEIRS),
        ("bob ps1", OURS),
        ("bob lab", set()),
        ("NBG 101", OURS),
        ('"NBG 101"', OURS),
        ("Elsewhere", THEIRS),
        ("lab 1", THEIRS),
        ("numbers.csv", OURS),
        ("data/num", OURS),
        ("DATA/NUM", OURS),
        ("my plan.txt", THEIRS),
        ("plans/my plan.txt", THEIRS),
        ("'my plan.txt' zoe", THEIRS),
        ("plan.txt zoe", THEIRS),
        ("plan.txt bob", set()),
        ("日本.md", THEIRS),
        (".", BOTH),
        (NOTEBOOK, OURS),
        (NOTEBOOK[:12], OURS),
        (NOTEBOOK[:12].upper(), OURS),
        (f"{NOTEBOOK[:12]}…", OURS),
        (NOTEBOOK[:12] + "0", set()),
        (NOTEBOOK[12:], set()),
        (PLAN, THEIRS),
        (f"zoe {PLAN[:8]}", THEIRS),
        (PLAN_MD5, THEIRS),
        ("", BOTH),
        ("   ", BOTH),
        ("%", set()),
        ("plans/my_plan", set()),
    ],
)
def test_hand_ins_are_found(found, two_courses, term, expected):
    assert set(found(Submission, term)) == {two_courses[name] for name in expected}


@pytest.mark.parametrize("digits", [64, 12])
@pytest.mark.parametrize("kind", [Release, Submission, Feedback])
def test_digest_finds_what_has_the_tree(found, two_courses, kind, digits):
    one = two_courses[kind.__name__.lower()]
    assert one in found(kind, one.file_set.digest[:digits])
    assert two_courses[f"foreign {kind.__name__.lower()}"] not in found(
        kind, two_courses["submission"].file_set.digest[:digits]
    )


@pytest.mark.parametrize(
    ("kind", "term", "expected"),
    [
        (Assignment, "ps1", ["assignment"]),
        (Assignment, "NBG ps1", ["assignment"]),
        (Assignment, "else", ["foreign assignment"]),
        (Release, "NBG", ["release"]),
        (Release, "task.txt", ["foreign release"]),
        (Release, SHARED, ["release"]),
        (Release, NOTEBOOK, []),
        (Feedback, "bob", ["feedback"]),
        (Feedback, "Elsewhere", ["foreign feedback"]),
        (Feedback, "lab", ["foreign feedback"]),
        (Feedback, "ps1.html", ["foreign feedback", "feedback"]),
        (Feedback, cast.sha256(b"<b>well done</b>"), ["foreign feedback", "feedback"]),
    ],
)
def test_assignments_releases_and_feedback_are_found(found, two_courses, kind, term, expected):
    assert found(kind, term) == [two_courses[name] for name in expected]


def test_search_goes_together_with_filters(found, two_courses):
    mine, theirs = two_courses["submission"], two_courses["foreign submission"]
    assert found(Submission, ".", course=theirs.assignment.course_id) == [theirs]
    assert found(Submission, ".", course=mine.assignment.course_id, assignment=mine.assignment_id) == [mine]
    assert found(Submission, "numbers.csv", state="waiting") == []
    assert found(Submission, "numbers.csv", state="feedback_returned", _facets="1") == [mine]


def test_row_is_found_once_however_often_the_word_is_in_it(found, two_courses):
    assert len(found(Submission, "plans/")) == 1
    assert len(found(FileSet, "plans/my plan.txt")) == 1
    again = cast.submit(two_courses["assignment"], "dave")
    cast.submit(two_courses["assignment"], "bob")
    assert len(found(FileSet, again.file_set.digest)) == 1
    assert len(found(Blob, NOTEBOOK)) == 1


def test_paths_are_looked_for_in_the_newest_rows_of_the_list(found, two_courses, monkeypatch):
    mine, theirs = two_courses["submission"], two_courses["foreign submission"]
    monkeypatch.setattr("exchange.admin.search.NEWEST", 1)
    assert found(Submission, ".") == [theirs]
    assert found(Submission, ".", course=mine.assignment.course_id) == [mine]
    assert found(Submission, NOTEBOOK) == [mine]
    assert found(FileSet, "numbers.csv") == found(Blob, "numbers.csv") == []


@pytest.mark.parametrize("term", ["numbers.csv bob", "data/num bob ps1", "NBG numbers.csv", "ps1 'numbers.csv'"])
def test_person_assignment_or_course_leads_to_a_path_in_an_old_row(found, two_courses, monkeypatch, term):
    monkeypatch.setattr("exchange.admin.search.NEWEST", 1)
    assert found(Submission, term) == [two_courses["submission"]]


def test_page_says_that_older_rows_were_not_searched(two_courses, browser, monkeypatch):
    monkeypatch.setattr("exchange.admin.search.NEWEST", 1)
    root, said = browser("root"), "Paths were looked for in the newest"
    assert said in root.get(address(Submission), {"q": "numbers.csv"}).content.decode()
    for term in ("numbers.csv bob", "bob", "lab"):
        assert said not in root.get(address(Submission), {"q": term}).content.decode()


def test_part_of_a_path_is_found_without_a_dot_or_a_slash(found, two_courses):
    assert found(Submission, "umber") == [two_courses["submission"]]
    assert found(Submission, "y pla") == [two_courses["foreign submission"]]
    assert found(Release, "umber") == [two_courses["release"]]


# Names on the roster


@pytest.fixture
def named(two_courses):
    """bob is Robert Baker on the roster of his course, and somebody else's name is on that of another."""
    course = two_courses["assignment"].course
    Membership.objects.filter(course=course, user__username="bob").update(first_name="Robert", last_name="Baker")
    return two_courses


@pytest.mark.parametrize("term", ["Robert", "bake", "ober", "Robert Baker", "baker ps1", "baker numbers.csv"])
def test_submission_is_found_by_a_part_of_a_name_on_the_roster(found, named, term):
    assert found(Submission, term) == [named["submission"]]


def test_feedback_and_file_sets_are_found_by_a_name_on_the_roster(found, named):
    assert found(Feedback, "baker") == [named["feedback"]]
    assert set(found(FileSet, "baker")) == {named["submission"].file_set, named["feedback"].file_set}


def test_name_on_the_roster_of_another_course_finds_nothing(found, named, browser):
    """Who looks into one course learns nothing from the rosters of others."""
    elsewhere = named["foreign assignment"].course
    cast.enrol(elsewhere, "bob", Role.STUDENT)
    Membership.objects.filter(course=elsewhere, user__username="bob").update(first_name="Secret")
    assert found(Submission, "Secret") == []


# File sets and blobs


def trees(two_courses, *names):
    return {two_courses[name].file_set for name in names}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("bob", ["submission", "feedback"]),
        ("zoe", ["foreign submission", "foreign feedback"]),
        ("lab 1", ["foreign release", "foreign submission", "foreign feedback"]),
        ("NBG", ["release", "submission", "feedback"]),
        ("NBG numbers.csv", ["release", "submission"]),
        ("bob numbers.csv", ["submission"]),
        ("numbers", ["release", "submission"]),
        ("my plan", ["foreign submission"]),
        (NOTEBOOK[:4], ["submission"]),
        (SHARED.upper(), ["release", "submission"]),
        (PLAN_MD5, ["foreign submission"]),
    ],
)
def test_file_sets_are_found(found, two_courses, term, expected):
    assert set(found(FileSet, term)) == trees(two_courses, *expected)


def test_file_set_is_found_by_its_digest_as_the_list_shows_it(found, two_courses):
    tree = two_courses["submission"].file_set
    for term in (tree.digest, tree.digest[:6], f"{tree.digest[:16]}…", tree.digest.upper()):
        assert found(FileSet, term) == [tree]


FEEDBACK = cast.sha256(b"<b>well done</b>")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (NOTEBOOK, {NOTEBOOK}),
        (NOTEBOOK[:5], {NOTEBOOK}),
        (NOTEBOOK.upper(), {NOTEBOOK}),
        (PLAN_MD5, {PLAN}),
        (PLAN_MD5[:10], set()),
        ("numbers.csv", {SHARED}),
        ("bob", {NOTEBOOK, SHARED, FEEDBACK}),
        ("bob numbers", {SHARED}),
        ("Elsewhere my plan.txt", {PLAN}),
        ("my plan.txt", {PLAN}),
        ("nobody", set()),
    ],
)
def test_blobs_are_found(found, term, expected):
    assert {blob.sha256 for blob in found(Blob, term)} == expected


def test_counts_of_a_found_tree_are_those_of_all_its_uses(found, two_courses):
    for who in ("dave", "bob", "bob"):
        last = cast.submit(two_courses["assignment"], who)
    cast.return_feedback(last, "alice")
    (tree,) = found(FileSet, last.file_set.digest)
    assert (tree.releases_made, tree.submissions_made, tree.feedback_returned) == (0, 3, 0)
    (tree,) = found(FileSet, two_courses["feedback"].file_set.digest)
    assert (tree.releases_made, tree.submissions_made, tree.feedback_returned) == (0, 0, 3)
    (blob,) = found(Blob, SHARED)
    assert blob.files_made == 2


def test_blob_that_nothing_holds_is_found_by_its_hash(found, two_courses):
    Submission.objects.all().delete()
    FileSet.objects.filter(releases=None).delete()
    assert [blob.sha256 for blob in found(Blob, NOTEBOOK)] == [NOTEBOOK]
    assert blobs.verify(NOTEBOOK)


# Odd words

ODD = {
    "quote": '"',
    "apostrophe": "'",
    "quotes that do not close": "\"NBG 101 'x",
    "nested quotes": "'\"' \"'\"",
    "backslashes": "\\ \\\\ '\\'",
    "pattern": "%_*?[](){}|^$+",
    "dots": "... . ..",
    "slashes": "/ // /",
    "emoji": "😀",
    "combining": "e\u0301\u202e\u200b",
    "line break": "a\nb\r\tc",
    "statement": "'; DROP TABLE courses_course; --",
    "very long": "a" * 60_000,
    "very long path": "a/" * 30_000,
    "very long hash": "f" * 60_000,
    "many words": "a " * 3000,
    "many quotes": "'a' " * 1400,
    "as many words as there may be": "a.b " * 10,
    "huge number": "9" * 500,
}


@pytest.mark.parametrize("model", MODELS)
def test_odd_words_find_nothing_or_something_and_never_fail(two_courses, browser, model):
    root = browser("root")
    for name, term in ODD.items():
        assert root.get(address(model), {"q": term}).status_code == 200, name


@pytest.mark.parametrize("model", MODELS)
def test_word_with_nul_is_refused(two_courses, browser, model):
    assert browser("root").get(address(model), {"q": "a\0b"}).status_code == 400


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("text", ["a.b " * 11, "word " * 1500, "." * 2001])
def test_search_for_too_many_words_says_so_and_finds_nothing(two_courses, browser, model, text):
    answer = browser("root").get(address(model), {"q": text})
    assert not answer.context["cl"].result_list
    assert "Search for 10 words at most." in answer.content.decode()


def test_text_of_many_words_is_found_in_quotation_marks(assignment, found):
    path = "a path of no fewer than eleven words in its name.txt"
    submitted = services.submit(assignment, cast.upload({path: b"x"}), by=cast.actor("bob"))[0]
    assert found(Submission, f'"{path}"') == [submitted] and found(Submission, path) == []


def test_text_too_long_to_be_anywhere_finds_nothing(found):
    assert found(Submission, "." * 60_000) == found(Blob, "a " * 3000) == []


# The same words, asked by others


@pytest.mark.parametrize("kind", [Assignment, Release, Submission, Feedback])
@pytest.mark.parametrize("term", ["zoe", "Elsewhere", "plans/", "lab", PLAN, "my plan.txt", "task.txt"])
def test_nothing_of_another_course_is_found(two_courses, browser, kind, term):
    for who in ("alice", "gina"):
        answer = browser(who).get(address(kind), {"q": term})
        assert answer.status_code == 200 and not list(answer.context["cl"].result_list)


@pytest.mark.parametrize("kind", [FileSet, Blob])
@pytest.mark.parametrize("who", ["alice", "gina", "carol"])
def test_file_sets_and_blobs_are_searched_by_administrators_alone(two_courses, browser, kind, who):
    answer = browser(who).get(address(kind), {"q": NOTEBOOK})
    assert answer.status_code == 403 and NOTEBOOK not in answer.content.decode()
