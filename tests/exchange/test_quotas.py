"""How often somebody may submit, and how many bytes a person and a course may bring."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses import services as course_services
from courses.models import Course, Role
from exchange import quotas, services
from exchange.importers import history
from exchange.models import Assignment, Blob, Submission
from exchange.quotas import QuotaExceeded, TooManySubmissions
from tests import cast
from tests.cast import PS1, WORK, actor, person

MB = 10**6
DATA = b"d" * MB  # a data set
MORE = b"m" * MB
ROUND = ("bob", "dave", "gina")


@pytest.fixture
def limits(settings):
    """Sets the site's limits."""

    def set_limits(*, rate=60, course=10**12, person=20 * 10**9):
        settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR = rate
        settings.NGSHARE_MAX_COURSE_BYTES, settings.NGSHARE_MAX_PERSON_BYTES = course, person

    set_limits()
    return set_limits


def submit(assignment, username="bob", files=WORK, **options):
    return services.submit(assignment, cast.upload(files), by=actor(username), **options)[0]


def refused(error, act, *arguments, **options):
    """The error with which something is refused, after making sure that it changed nothing."""
    before = cast.everything()
    with pytest.raises(error) as raised:
        act(*arguments, **options)
    assert cast.everything() == before
    return raised.value


def stored(course):
    return Course.objects.get(pk=course.pk).stored_bytes


def size(files):
    return sum(map(len, files.values()))


# How often


def test_member_submits_so_often_in_an_hour(assignment, limits):
    limits(rate=2)
    first = submit(assignment)
    submit(assignment)
    error = refused(TooManySubmissions, submit, assignment)
    assert error.message == (
        "bob has submitted 2 times in NBG 101 within an hour, the limit is 2. Submit again in 60 minutes; what was "
        "submitted is kept."
    )
    assert 3590 <= error.retry_after <= 3600
    submit(assignment, "dave")
    Submission.objects.filter(pk=first.pk).update(created=timezone.now() - timedelta(minutes=59, seconds=30))
    assert 1 <= refused(TooManySubmissions, submit, assignment).retry_after <= 30
    Submission.objects.filter(pk=first.pk).update(created=timezone.now() - timedelta(minutes=61))
    submit(assignment)


def test_rate_holds_for_all_assignments_of_a_course_and_for_no_other_course(assignment, limits):
    limits(rate=1)
    submit(assignment)
    second = services.release(assignment.course, "ps2", cast.upload(PS1), by=actor("alice")).assignment
    refused(TooManySubmissions, submit, second)
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    cast.enrol(elsewhere, "bob", Role.STUDENT)
    submit(services.release(elsewhere, "lab", cast.upload(PS1), by=actor("carol")).assignment)


def test_no_rate_is_no_limit(assignment, limits):
    limits(rate=0)
    for _ in range(3):
        submit(assignment)


def test_repeat_with_the_same_key_is_answered_and_not_counted(assignment, limits):
    limits(rate=1)
    first = submit(assignment, key="k")
    assert submit(assignment, key="k") == first
    refused(TooManySubmissions, submit, assignment)


# How many bytes


def test_bytes_count_once_however_often_they_are_submitted(assignment):
    before = stored(assignment.course)
    for _ in range(3):
        submit(assignment, files={"data.csv": DATA})
    assert stored(assignment.course) == before + MB
    assert quotas.use_of(person("bob"), assignment.course).own_bytes == MB


def test_bytes_of_the_release_count_for_nobody(course):
    assignment = services.release(course, "ps1", cast.upload({"data.csv": DATA}), by=actor("alice")).assignment
    assert stored(course) == MB
    submit(assignment, files={"data.csv": DATA, "a.txt": b"12345"})
    assert stored(course) == MB + 5 and quotas.use_of(person("bob"), assignment.course).own_bytes == 5


def test_same_bytes_of_two_students_rest_once_and_tell_neither_of_the_other(assignment):
    before = stored(assignment.course)
    for username in ("bob", "dave"):
        submit(assignment, username, {"data.csv": DATA})
    assert stored(assignment.course) == before + MB
    assert quotas.use_of(person("dave"), assignment.course).own_bytes == MB


def test_person_brings_so_many_bytes_to_a_course(assignment, limits):
    limits(person=1_500_000)
    submit(assignment, files={"data.csv": DATA})
    error = refused(QuotaExceeded, submit, assignment, files={"more.csv": MORE})
    assert error.message == (
        "This submission adds 1 MB to the 1 MB that bob has submitted in NBG 101; the limit for one person there is "
        "1.5 MB. Leave out files that are not needed, or tell an instructor: an administrator of ngshare can raise the "
        "limit for the course."
    )
    assert error.details == {"size": MB, "used": MB, "limit": 1_500_000}
    submit(assignment, files={"data.csv": DATA, "small.txt": b"fits"})
    submit(assignment, "dave", {"more.csv": MORE})


def test_refusal_comes_before_the_bytes_are_read(assignment, limits):
    limits(person=10)
    upload = cast.upload({"data.csv": DATA})
    upload.sent = iter(lambda: pytest.fail("the body was read"), None)
    refused(QuotaExceeded, services.submit, assignment, upload, by=actor("bob"))


@pytest.mark.parametrize("act", ["submit", "release", "feedback"])
def test_course_brings_so_many_bytes_to_the_server(submission, limits, act):
    assignment, course = submission.assignment, submission.assignment.course
    limits(course=1_000_010)
    upload = cast.upload({"data.csv": DATA})
    item = services.FeedbackItem(upload.manifests[0], submission=submission.pk)
    acts = {
        "submit": lambda: services.submit(assignment, upload, by=actor("bob")),
        "release": lambda: services.release(course, "ps2", upload, by=actor("alice")),
        "feedback": lambda: services.return_feedback(assignment, [item], upload, by=actor("alice")),
    }
    error = refused(QuotaExceeded, acts[act])
    assert f"the limit for the course is {error.details['limit'] / MB:.3g} MB" in error.message
    assert error.message.startswith("These files may add 1 MB to the ") and " of the course NBG 101;" in error.message


def test_full_course_takes_what_the_sender_can_read_and_tells_nothing_of_other_files(assignment, limits):
    submit(assignment, "dave", {"data.csv": DATA})
    limits(course=stored(assignment.course))
    assignment.course.refresh_from_db()
    submit(assignment, "dave", {"data.csv": DATA})
    refused(QuotaExceeded, lambda: submit(assignment, files={"data.csv": DATA}))


def test_use_of_a_course_is_the_sum_of_all_that_it_brought(submission):
    course = submission.assignment.course
    cast.return_feedback(submission, "alice")
    assert stored(course) == sum(Blob.objects.values_list("size", flat=True))
    assert submission.new_bytes == submission.own_bytes == len(WORK["ps1.ipynb"])


def test_what_is_deleted_permanently_is_given_back(assignment):
    course, root = assignment.course, actor("root")
    released = stored(course)
    submission = submit(assignment, files={"data.csv": DATA})
    cast.return_feedback(submission, "alice")
    services.withdraw_submissions([submission], by=root)
    submission.refresh_from_db()
    services.delete_submission_permanently(submission, by=root)
    assert stored(course) == released > 0
    assert quotas.use_of(person("bob"), assignment.course).own_bytes == 0
    services.unrelease(assignment, by=root)
    services.delete_assignment_permanently(assignment, by=root)
    assert stored(course) == 0


def test_imported_work_counts_and_is_never_refused(course, limits):
    limits(rate=1, course=1, person=1)
    assignment, _ = history.import_assignment(course, "old", due=None, is_unreleased=False)
    history.import_release(assignment, cast.upload({"a": b"123"}), created=timezone.now())
    submission = history.import_submission(
        assignment, person("bob"), cast.upload({"a": b"123", "b": b"45"}), created=timezone.now()
    )
    history.import_feedback(submission, cast.upload({"c": b"6"}), created=timezone.now())
    assert stored(course) == 6


@pytest.mark.django_db(transaction=True)
def test_uploads_at_the_same_time_count_shared_bytes_once(assignment):
    before, together = stored(assignment.course), threading.Barrier(3)
    uploads = [(name, cast.actor(name), cast.upload({"data.csv": DATA, name: name.encode()})) for name in ROUND]

    def race(upload, by):
        upload.sent = wait_and_yield(together, list(upload.sent))
        services.submit(Assignment.objects.select_related("course").get(pk=assignment.pk), upload, by=by)
        connection.close()

    threads = [threading.Thread(target=race, args=(upload, by)) for _, by, upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Submission.objects.count() == 3
    assert stored(assignment.course) == before + MB + sum(map(len, ROUND))


def wait_and_yield(together, sent):
    """Send the blobs once all uploads have been admitted."""
    together.wait(timeout=60)
    yield from sent


# Limits of one course


def test_limits_of_a_course_stand_before_those_of_the_site(assignment, limits):
    limits(rate=1, course=1, person=1)
    course = assignment.course
    given = {"max_bytes": 10**12, "max_person_bytes": 10**12, "max_submissions_per_hour": 0}
    course_services.set_limits(course, given, by=actor("root"))
    assignment.course.refresh_from_db()
    submit(assignment, files={"data.csv": DATA})
    submit(assignment, files={"data.csv": MORE})


# Cost


def test_quotas_cost_a_submission_few_queries(assignment):
    for number in range(5):
        submit(assignment, files={"a.txt": str(number).encode()})
    with CaptureQueriesContext(connection) as captured:
        submit(assignment, files={"a.txt": b"new"})
    texts = [query["sql"] for query in captured]
    assert len([text for text in texts if "own_bytes" in text and "SUM" in text.upper()]) == 1
    assert len([text for text in texts if "stored_bytes" in text]) == 1


# Over HTTP


def test_api_answers_when_to_try_again(assignment, limits, settings):
    settings.NGSHARE_STANDALONE = True
    limits(rate=1)
    address = cast.of_assignment("submissions")
    bob = cast.client("bob")
    assert cast.post_bundle(bob, address, cast.bundle(WORK)).status_code == 201
    answer = cast.post_bundle(bob, address, cast.bundle(WORK))
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_submissions")
    assert 3000 <= int(answer.headers["Retry-After"]) <= 3600 and answer.json()["message"].startswith("bob has")


def test_api_answers_which_limit_is_exceeded(assignment, limits, settings):
    settings.NGSHARE_STANDALONE = True
    limits(person=10)
    answer = cast.post_bundle(cast.client("bob"), cast.of_assignment("submissions"), cast.bundle(WORK))
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert answer.json()["details"] == {"size": len(WORK["ps1.ipynb"]), "used": 0, "limit": 10}
