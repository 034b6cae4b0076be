"""Conditional requests: a release that is known is not sent again, and a submission may insist on the latest one."""

import pytest

from exchange.models import Submission
from tests import cast
from tests.cast import PS1, WORK, of_assignment, post_bundle

LATEST = of_assignment("releases", "latest")
SUBMISSIONS = of_assignment("submissions")


@pytest.fixture
def etag(assignment, bob):
    return bob.get(LATEST)["ETag"]


def release_again(alice, files=WORK):
    address = of_assignment("releases") + "?force=true"
    assert post_bundle(alice, address, cast.bundle(files)).status_code == 201


def submit(who, **headers):
    return post_bundle(cast.client(who), SUBMISSIONS, cast.bundle(WORK), **headers)


def test_known_release_is_not_sent_again(etag, bob):
    answer = bob.get(LATEST, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


def test_newer_release_is_sent_with_another_etag(etag, alice, bob):
    release_again(alice)
    answer = bob.get(LATEST, headers={"If-None-Match": etag})
    assert answer.status_code == 200 and answer.json()["number"] == 2
    assert answer["ETag"] != etag


def test_the_same_files_released_again_are_another_release(etag, alice, bob):
    release_again(alice, PS1)
    assert bob.get(LATEST)["ETag"] != etag


def test_numbered_release_has_the_etag_of_the_latest_that_it_is(etag, alice):
    assert alice.get(of_assignment("releases", 1))["ETag"] == etag


@pytest.mark.parametrize("who", ["carol", None])
def test_etag_tells_nobody_else_anything(etag, who):
    answer = cast.client(who).get(LATEST, headers={"If-None-Match": etag})
    assert answer.status_code == (403 if who else 401)
    assert "ETag" not in answer


def test_unreleased_assignment_is_not_found_whatever_is_known(etag, alice, bob):
    alice.post(of_assignment("withdraw"))
    assert bob.get(LATEST, headers={"If-None-Match": etag}).status_code == 404
    assert submit("bob", **{"If-Match": etag}).status_code == 404


@pytest.mark.parametrize("condition", ["{}", "*", '"other", {}'])
def test_submission_for_the_latest_release_is_accepted(etag, condition):
    assert submit("bob", **{"If-Match": condition.format(etag)}).status_code == 201


@pytest.mark.parametrize("condition", ['"other"', "nonsense", "", "W/{}"])
def test_submission_for_another_release_is_refused(etag, condition):
    answer = submit("bob", **{"If-Match": condition.format(etag)})
    assert (answer.status_code, answer.json()["code"]) == (412, "release_changed")
    assert answer.json()["message"] == "The assignment was released again meanwhile. Compare with the latest release."
    assert not Submission.objects.exists()


def test_submission_is_refused_before_its_body_is_read(etag):
    answer = post_bundle(cast.client("bob"), SUBMISSIONS, b"no bundle", **{"If-Match": '"other"'})
    assert answer.status_code == 412


def test_submission_that_arrived_before_the_next_release_is_found_again(etag, alice):
    """Its response was lost; the repeat must not be told that nothing was submitted."""
    condition = {"If-Match": etag, "Idempotency-Key": "one"}
    receipt = submit("bob", **condition).json()
    release_again(alice)
    again = submit("bob", **condition)
    assert (again.status_code, again.json()) == (200, receipt)
    assert submit("bob", **{**condition, "Idempotency-Key": "two"}).status_code == 412
    assert submit("dave", **condition).status_code == 412
