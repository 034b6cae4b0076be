"""What may be submitted when: release time, cut-off and attempt limit, for students and for staff."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from courses.errors import NotFound
from courses.models import Course, Membership
from exchange import services
from exchange.models import Assignment, Extension, Submission
from exchange.services import Closed, NoAttemptsLeft
from exchange.storage.file_sets import Upload
from tests import cast
from tests.cast import WORK, actor, everything, person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def change(**values):
    """Change the assignment and return it as a request reads it."""
    Assignment.objects.update(**values)
    return Assignment.objects.select_related("course", "latest_release__file_set").get()


def submit(assignment, username="bob", files=WORK, **options):
    return services.submit(assignment, cast.upload(files), by=actor(username), **options)


def extend(assignment, **what):
    return Extension.objects.create(assignment=assignment, created=timezone.now(), **what)


def test_after_the_cut_off_nothing_is_accepted_and_the_sentence_says_when_it_was(assignment):
    Course.objects.update(timezone="Europe/Berlin")
    closed = change(cut_off=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    before = everything()
    with pytest.raises(Closed) as refused:
        submit(closed)
    assert refused.value.message == (
        "ps1 closed at 2026-10-25 02:30 CEST (Europe/Berlin); nothing is accepted after that."
    )
    assert refused.value.details == {"cut_off": "2026-10-25T00:30:00.000000Z"}
    assert everything() == before


def test_sentence_has_the_zone_of_the_site_where_the_course_has_none(assignment, settings):
    settings.NGSHARE_TIME_ZONE = "Asia/Kolkata"
    with pytest.raises(Closed, match=r"2026-10-25 06:00 IST \(Asia/Kolkata\)"):
        submit(change(cut_off=datetime(2026, 10, 25, 0, 30, tzinfo=UTC)))


def test_extension_keeps_it_open_for_one(assignment):
    closed = change(due=timezone.now() - DAY, cut_off=timezone.now() - HOUR)
    extension = extend(closed, user=person("bob"), due=timezone.now() + HOUR)
    submission, is_new = submit(closed)
    assert is_new and submission.due == extension.due
    with pytest.raises(Closed):
        submit(closed, "dave")


def test_bytes_that_arrive_after_the_cut_off_are_refused(assignment):
    open_still = change(cut_off=timezone.now() + HOUR)
    upload = cast.upload({"new.txt": b"new"})

    def arrive():
        yield from upload.sent
        change(cut_off=timezone.now() - HOUR)

    with pytest.raises(Closed):
        services.submit(open_still, Upload(upload.manifests, arrive()), by=actor("bob"))
    assert not Submission.objects.exists()


@pytest.mark.parametrize("limits", [{"cut_off": timezone.now() - HOUR}, {"max_attempts": 1}])
def test_repeat_of_an_accepted_attempt_has_its_receipt_afterwards_too(assignment, limits):
    first, _ = submit(assignment, key="a")
    closed = change(**limits)
    assert submit(closed, key="a") == (first, False)
    with pytest.raises((Closed, NoAttemptsLeft)):
        submit(closed, key="b")


def test_attempts_over_the_limit_are_refused(assignment):
    limited = change(max_attempts=2)
    submit(limited)
    submit(limited)
    before = everything()
    with pytest.raises(NoAttemptsLeft, match="You have submitted ps1 2 times, and the limit is 2."):
        submit(limited)
    assert everything() == before
    extend(limited, user=person("bob"), attempts=1)
    submit(limited)
    with pytest.raises(NoAttemptsLeft, match="3 times, and the limit is 3"):
        submit(limited)
    submit(limited, "dave")


def test_attempt_in_the_trash_does_not_count(assignment):
    limited = change(max_attempts=1)
    submission, _ = submit(limited)
    services.withdraw_submissions([submission], by=actor("alice"))
    assert submit(limited)[1]


@pytest.mark.parametrize("who", ["alice", "gina"])
def test_cut_off_limit_and_release_time_do_not_hold_for_staff(assignment, who):
    now = timezone.now()
    closed = change(cut_off=now - HOUR, max_attempts=1)
    for _ in range(2):
        assert submit(closed, who)[0].trial
        assert not submit(closed, who, student=person("bob"))[0].trial
    assert submit(change(cut_off=None, release_at=now + HOUR), who)[1]


def test_before_the_release_time_students_cannot_submit(assignment):
    to_come = change(release_at=timezone.now() + HOUR)
    with pytest.raises(NotFound, match="ps1 is not released in NBG 101."):
        submit(to_come)
    assert submit(change(release_at=timezone.now()))[1]


def test_release_time_that_is_set_while_bytes_arrive_holds(assignment):
    upload = cast.upload({"new.txt": b"new"})

    def arrive():
        yield from upload.sent
        change(release_at=timezone.now() + HOUR)

    with pytest.raises(NotFound):
        services.submit(assignment, Upload(upload.manifests, arrive()), by=actor("bob"))


def test_late_registrant_has_as_many_days_as_the_course_says(assignment):
    Course.objects.update(min_days=3)
    Membership.objects.filter(user=person("bob")).update(created=timezone.now() - 2 * DAY)
    Membership.objects.filter(user=person("dave")).update(created=timezone.now() - 4 * DAY)
    closed = change(due=timezone.now() - DAY, cut_off=timezone.now() - HOUR)
    submission, _ = submit(closed)
    assert submission.due == Membership.objects.get(user=person("bob")).created + 3 * DAY
    with pytest.raises(Closed):
        submit(closed, "dave")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_both_take_the_last_attempt(settings):
    settings.NGSHARE_ADMINS = []
    services.release(cast.make_courses(), "ps1", cast.upload(cast.PS1), by=actor("alice"))
    limited = change(max_attempts=1)
    barrier, results = Barrier(2), []

    def run(number):
        upload = cast.upload({"new.txt": f"{number}".encode()})

        def arrive():
            yield from upload.sent
            barrier.wait(timeout=60)

        try:
            results.append(services.submit(limited, Upload(upload.manifests, arrive()), by=actor("bob"))[1])
        except NoAttemptsLeft:
            results.append(False)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True] and Submission.objects.count() == 1
