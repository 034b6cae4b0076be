"""The page of an assignment: who sees what, the table's filter, and the CSV."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import Membership
from exchange import services
from exchange.models import Submission
from tests import cast
from tests.cast import actor, everything

PAGE = f"/view/course/{cast.COURSE}/ps1/"
CSV = f"{PAGE}hand-ins.csv"


@pytest.fixture
def late(assignment, submission):
    """bob has submitted late; dave has not submitted."""
    services.set_due_date(assignment, submission.created - timedelta(hours=1), by=actor("alice"))


def rows_of(browser, **query):
    reply = browser.get(CSV, query)
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(reply.streaming_content).decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("who", "status"), [("bob", 404), ("dave", 404), ("carol", 404), ("erin", 404), ("gina", 200), ("alice", 200)]
)
def test_csv_is_for_staff_alone(submission, browse, who, status):
    before = everything()
    reply = browse(who).get(CSV)
    assert reply.status_code == status and everything() == before
    assert (reply.headers["Content-Type"] == "text/csv; charset=utf-8") is (status == 200)


def test_csv_asks_for_a_log_in(submission, client):
    assert client.get(CSV).status_code == 302


def test_administrator_downloads_the_csv(submission, browse):
    assert [row["username"] for row in rows_of(browse("root"))] == ["bob", "dave"]


def test_csv_says_what_the_table_says(late, submission, browse):
    bob, dave = rows_of(browse("alice"))
    assert bob == {
        "username": "bob", "first_name": "", "last_name": "", "section": "", "standing": "",
        "late_days_used": "", "attempts": "1",
        "state": "submitted", "last": submission.created.isoformat(), "late": "yes", "minutes_late": "60",
        "due": (submission.created - timedelta(hours=1)).isoformat(), "extension": "",
    }  # fmt: skip
    assert (dave["state"], dave["attempts"], dave["last"], dave["late"]) == ("not submitted", "0", "", "")


def test_csv_holds_no_formula(submission, browse):
    Membership.objects.filter(user__username="bob").update(first_name="=1+1", last_name="+x", section="@SUM(A1)")
    bob, _ = rows_of(browse("alice"))
    assert (bob["first_name"], bob["last_name"], bob["section"]) == ("'=1+1", "'+x", "'@SUM(A1)")


@pytest.mark.parametrize(
    ("who", "status"), [("bob", 200), ("dave", 200), ("alice", 200), ("root", 200), ("carol", 404), ("erin", 404)]
)
def test_page_is_for_members(submission, browse, who, status):
    assert browse(who).get(PAGE).status_code == status


@pytest.mark.parametrize("address", [PAGE.replace("ps1", "ps2"), PAGE.replace(cast.COURSE, "Nowhere")])
def test_what_does_not_exist_is_a_404(submission, browse, address):
    assert browse("root").get(address).status_code == 404


def test_student_sees_only_their_own_submissions(submission, browse):
    cast.submit(submission.assignment, "dave", more=b"more")
    page = browse("bob").get(PAGE)
    text = page.content.decode()
    assert "Your submissions" in text and "dave" not in text and "Download as CSV" not in text
    assert "rows" not in page.context
    assert text.count("/view/submission/") == 1 and f"/view/submission/{submission.pk}/" in text


def test_own_submissions_are_those_to_this_assignment(submission, browse):
    other = services.release(submission.assignment.course, "ps2", cast.upload(cast.PS1), by=actor("alice")).assignment
    cast.submit(other, "bob")
    assert list(browse("bob").get(PAGE).context["mine"]) == [submission]


def test_own_submissions_of_staff_are_their_trials(submission, browse):
    trial = cast.submit(submission.assignment, "gina")
    page = browse("gina").get(PAGE)
    assert list(page.context["mine"]) == [trial] and [member.username for member, _ in page.context["rows"]] == [
        "bob",
        "dave",
    ]


@pytest.mark.parametrize(("who", "status"), [("dave", 404), ("bob", 200), ("gina", 200), ("alice", 200)])
def test_unreleased_assignment_is_shown_to_staff_and_to_who_submitted(submission, browse, who, status):
    services.unrelease(submission.assignment, by=actor("alice"))
    reply = browse(who).get(PAGE)
    assert reply.status_code == status
    assert ("unreleased" in reply.content.decode()) is (status == 200)


def test_staff_see_counts_that_lead_to_the_rows_and_a_chart(late, submission, browse):
    text = browse("gina").get(PAGE, {"q": "o", "page": 1}).content.decode()
    assert "Submitted: 1 of 1 student." in text
    assert re.search(r"First attempts by the due date \([^)]*\): 0 of 1\.", text)
    text = browse("gina").get(PAGE).content.decode()
    assert "Submitted: 1 of 2 students." in text and "The first came" in text
    for show, words in [("missing", "1 not submitted"), ("uncollected", "1 not collected"), ("late", "1 late")]:
        assert f'<a href="?show={show}">{words}' in text
    text = browse("gina").get("/").content.decode()
    for show in ("late", "uncollected"):
        assert f'<a href="{PAGE.replace(" ", "%20")}?show={show}">1</a>' in text


def test_what_needs_submissions_or_students_is_offered_where_they_are(assignment, browse):
    offers = "ps1/feedback/", "#download", 'class="download"', "ps1/reminder/", "ps1/submit/"

    def offered():
        text = browse("alice").get(PAGE).content.decode()
        return [offer for offer in offers if offer in text]

    assert offered() == ["ps1/reminder/", "ps1/submit/"]
    services.set_deadlines(assignment, {"release_at": timezone.now() + timedelta(days=1)}, by=actor("alice"))
    assert offered() == ["ps1/submit/"]
    cast.submit(assignment, "alice")
    assert offered() == ["ps1/feedback/", "#download", 'class="download"', "ps1/submit/"]
    services.unrelease(assignment, by=actor("alice"))
    assert offered() == ["ps1/feedback/", "#download", 'class="download"']


def test_extended_due_date_is_marked(late, assignment, submission, browse):
    due = submission.created + timedelta(hours=1)
    services.grant_extensions(assignment, [services.Grant("bob", due=due, reason="illness")], by=actor("alice"))
    text = " ".join(browse("gina").get(PAGE).content.decode().split())
    assert f'<span class="tag good">extended</span><br><span class="soft">due {due:%Y-%m-%d %H:%M} UTC</span>' in text
    assert "illness" not in text


def test_trials_and_withdrawn_submissions_do_not_count(submission, browse):
    cast.submit(submission.assignment, "gina")
    services.withdraw_submissions([cast.submit(submission.assignment, "dave")], by=actor("alice"))
    text = browse("alice").get(PAGE).content.decode()
    assert "Submitted: 1 of 2 students." in text and "The first came" in text


@pytest.mark.parametrize("address", ["/", PAGE])
def test_who_left_the_roster_does_not_count_as_a_student(submission, browse, address):
    Membership.objects.filter(user__username="bob").delete()
    alice = browse("alice")
    assert "0 of 1 student; 1 submission of somebody who left" in alice.get(address).content.decode()
    assert "left the course" in alice.get(PAGE).content.decode()


def test_late_are_those_whose_last_submission_is_late(late, assignment, submission, browse):
    in_time = cast.submit(assignment, "dave")
    Submission.objects.filter(pk=in_time.pk).update(created=submission.created - timedelta(hours=2))
    alice = browse("alice")
    assert [row["username"] for row in rows_of(alice, show="late")] == ["bob"]
    assert [row["username"] for row in rows_of(alice, show="waiting")] == ["bob", "dave"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["bob", "dave"]),
        ({"show": "missing"}, ["dave"]),
        ({"show": "late"}, ["bob"]),
        ({"show": "waiting"}, ["bob"]),
        ({"show": "nonsense", "sort": "nonsense"}, ["bob", "dave"]),
        ({"q": "BO"}, ["bob"]),
        ({"q": "baker"}, ["bob"]),
        ({"q": "BOB@X"}, ["bob"]),
        ({"q": "nobody"}, []),
        ({"sort": "section"}, ["dave", "bob"]),
        ({"sort": "time"}, ["bob", "dave"]),
        ({"sort": "attempts"}, ["bob", "dave"]),
    ],
    ids=str,
)
def test_filter_is_the_same_on_the_page_and_in_the_csv(late, browse, query, names):
    Membership.objects.filter(user__username="bob").update(section="B", last_name="Baker", email="bob@x.org")
    Membership.objects.filter(user__username="dave").update(section="A")
    alice = browse("alice")
    assert [row["username"] for row in rows_of(alice, **query)] == names
    text = alice.get(PAGE, query).content.decode()
    assert re.findall(r"/ps1/student/(\w+)", text) == names


@pytest.mark.parametrize("sort", ["time", "attempts"])
def test_most_and_newest_come_first(submission, browse, sort):
    for more in (b"1", b"2"):
        cast.submit(submission.assignment, "dave", more=more)
    assert [row["username"] for row in rows_of(browse("alice"), sort=sort)] == ["dave", "bob"]


def test_collected_late_and_with_feedback_are_shown(late, submission, browse):
    services.mark_collected([submission], by=actor("alice"))
    cast.return_feedback(submission, "alice")
    (bob,) = rows_of(browse("alice"), q="bob")
    assert (bob["late"], bob["state"]) == ("yes", "feedback returned")
    assert rows_of(browse("alice"), show="waiting") == []


def test_pages_are_never_kept_and_only_read(submission, browse):
    alice = browse("alice")
    assert "no-store" in alice.get(PAGE).headers["Cache-Control"]
    assert alice.post(PAGE).status_code == 405


def test_table_comes_in_pages_and_the_csv_whole(submission, browse, monkeypatch):
    monkeypatch.setattr("ngshare_site.portal.staff.page.ROWS_PER_PAGE", 1)
    monkeypatch.setattr("exchange.progress_tables.PEOPLE_AT_ONCE", 1)
    alice = browse("alice")
    pages = [alice.get(PAGE, {"sort": "section", "page": number}) for number in (1, 2)]
    assert [[member.username for member, _ in page.context["rows"]] for page in pages] == [["bob"], ["dave"]]
    text = pages[0].content.decode()
    assert "2 students" in text and "1 to 1 of 2" in text and "?sort=section&amp;page=2" in text
    assert [row["username"] for row in rows_of(alice)] == ["bob", "dave"]


@pytest.mark.parametrize(
    "query", [{}, {"show": "late", "sort": "time"}, {"show": "waiting", "sort": "attempts", "q": "o"}]
)
def test_table_asks_the_same_of_many_members(late, submission, browse, query):
    alice, asked = browse("alice"), []
    for size in (0, 30):
        for number in range(size):
            cast.enrol(submission.assignment.course, f"someone {number}", "student")
            cast.submit(submission.assignment, f"someone {number}")
        with CaptureQueriesContext(connection) as captured:
            assert len(alice.get(PAGE, query).context["rows"]) > size
        asked.append(len(captured))
    assert asked[0] == asked[1]


def test_names_are_found_in_upper_and_lower_case(submission, browse):
    Membership.objects.filter(user__username="bob").update(first_name="Ödön", last_name="Straße")
    alice = browse("alice")
    for text in ("ödön", "ÖDÖN STRASSE", "bob Ödön"):
        assert [row["username"] for row in rows_of(alice, q=text)] == ["bob"]
