"""Many submissions as a zip: which ones, for whom, and how they are laid out."""

import io
import zipfile
from datetime import timedelta

import pytest

from exchange import services
from exchange.models import Submission
from exchange.submission_archives import pseudonym_of
from tests import cast
from tests.cast import everything


def unzip(reply):
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def students_in(reply):
    return sorted({name.split("/")[1] for name in unzip(reply)})


@pytest.fixture
def both(submission):
    cast.submit(submission.assignment, "dave")


@pytest.mark.parametrize(
    ("query", "students"),
    [
        ({}, ["bob", "dave"]),
        ({"student": "bob"}, ["bob"]),
        ({"student": ["bob", "dave", "carol"]}, ["bob", "dave"]),
        ({"q": "li"}, ["bob"]),
        ({"section": "A"}, ["bob"]),
        ({"show": "uncollected"}, ["dave"]),
        ({"trials": "1"}, ["bob", "dave", "gina"]),
    ],
    ids=str,
)
def test_zip_has_those_who_are_ticked_or_shown(both, names, submission, browse, page, query, students):
    services.mark_collected([submission], by=cast.actor("alice"))
    cast.submit(submission.assignment, "gina")
    assert students_in(browse("gina").get(page("submissions.zip"), query)) == students


def test_zip_has_the_latest_attempt_or_the_latest_in_time(submission, browse, page):
    late = cast.submit(submission.assignment, "bob", more=b"late")
    services.set_due_date(submission.assignment, late.created - timedelta(microseconds=1), by=cast.actor("alice"))
    alice = browse("alice")
    assert "submitted/bob/ps1/more.txt" in unzip(alice.get(page("submissions.zip")))
    assert "submitted/bob/ps1/more.txt" not in unzip(alice.get(page("submissions.zip"), {"which": "in_time"}))
    one = unzip(alice.get(page("submissions.zip"), {"attempt": submission.pk}))
    assert one["submitted/bob/ps1/timestamp.txt"].decode() == f"{submission.created:%Y-%m-%d %H:%M:%S.%f} UTC"


def test_anonymous_zip_and_its_key(both, submission, browse, page):
    gina, course = browse("gina"), submission.assignment.course
    found = unzip(gina.get(page("submissions.zip"), {"layout": "anonymous"}))
    pseudonyms = {pseudonym_of(course, cast.person(name).pk): name for name in ("bob", "dave")}
    assert {name.split("/")[2] for name in found if "/submissions/" in name} == {*pseudonyms}
    _, *lines = b"".join(gina.get(page("pseudonyms.csv"))).decode().splitlines()
    assert {tuple(line.split(",")[:2]) for line in lines} == {*pseudonyms.items()}


@pytest.mark.parametrize("query", [{"student": "nobody"}, {"attempt": "12345"}, {"q": "xyz"}])
def test_nothing_to_download_is_said_on_the_page(submission, browse, page, query):
    reply = browse("alice").get(page("submissions.zip"), query, follow=True)
    assert reply.redirect_chain and "there is nothing to download" in reply.content.decode()


def test_attempt_of_another_assignment_is_not_in_it(submission, browse, page):
    other = services.release(submission.assignment.course, "ps2", cast.upload(cast.PS1), by=cast.actor("alice"))
    foreign = cast.submit(other.assignment, "bob")
    reply = browse("alice").get(page("submissions.zip"), {"attempt": foreign.pk}, follow=True)
    assert "there is nothing to download" in reply.content.decode() and Submission.objects.count() == 2


@pytest.mark.parametrize("name", ["submissions.zip", "submissions.zip?layout=anonymous", "pseudonyms.csv"])
@pytest.mark.parametrize(("who", "status"), [("gina", 200), ("root", 200), ("bob", 404), ("carol", 404), ("erin", 404)])
def test_downloads_are_for_staff_alone(submission, browse, page, who, status, name):
    before = everything()
    assert browse(who).get(page(name)).status_code == status and everything() == before


def test_downloads_ask_for_a_log_in(submission, client, page):
    assert client.get(page("submissions.zip")).status_code == 302
