"""Pages of submissions are bounded by their files."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchange.api.v2 import pagination
from exchange.models import Submission
from tests import cast
from tests.cast import v2


@pytest.fixture(autouse=True)
def five_files(monkeypatch):
    monkeypatch.setattr(pagination, "MAX_FILES", 5)


@pytest.fixture
def submissions(assignment):
    """The ids of bob's submissions, of 2, 2, 3, 7, 1, 1, 2 files and of 3 with 1 in feedback."""
    made = [
        cast.submit(
            assignment, "bob", **{f"part{number}": f"{attempt} {number}".encode() for number in range(count - 1)}
        )
        for attempt, count in enumerate([2, 2, 3, 7, 1, 1, 2, 3])
    ]
    cast.return_feedback(made[-1], "alice")
    return [submission.pk for submission in made]


def walk(address, link="next"):
    """The ids of each page, from this address on."""
    pages = []
    while address:
        page = cast.client("bob").get(address).json()
        pages.append([row["id"] for row in page["results"]])
        address = page[link]
    return pages


@pytest.mark.parametrize("files", ["true", "false"])
def test_page_ends_early_where_its_files_would_be_too_many(submissions, files):
    first, second, third, large, *rest, last = submissions
    assert walk(v2("submissions") + f"?files={files}") == [[first, second], [third], [large], rest, [last]]


def test_rows_bound_a_page_as_well(submissions):
    assert [len(page) for page in walk(v2("submissions") + "?files=true&page_size=1")] == [1] * 8
    assert [len(page) for page in walk(v2("submissions") + "?files=true&page_size=2")] == [2, 1, 1, 2, 1, 1]


def test_way_back_finds_every_row_once(submissions):
    address = v2("submissions") + "?files=true"
    while following := cast.client("bob").get(address).json()["next"]:
        address = following
    backwards = walk(address, "previous")
    assert [pk for page in reversed(backwards) for pk in page] == submissions
    assert all(page for page in backwards)


def test_way_back_and_forth_again_finds_every_row(submissions):
    page = cast.client("bob").get(v2("submissions") + "?files=true").json()
    page = cast.client("bob").get(page["next"]).json()
    assert walk(cast.client("bob").get(page["previous"]).json()["next"])[0] == [submissions[2]]


def test_files_of_what_is_cut_off_are_not_read(submissions):
    with CaptureQueriesContext(connection) as captured:
        cast.client("bob").get(v2("submissions") + "?files=true")
    (entries,) = [query["sql"] for query in captured if query["sql"].startswith('SELECT "exchange_fileentry"')]
    file_sets = re.search(r'"file_set_id" IN \(([^)]*)\)', entries)[1]
    wanted = Submission.objects.filter(pk__in=submissions[:2]).values_list("file_set", flat=True)
    assert {int(pk) for pk in file_sets.split(",")} == set(wanted)
