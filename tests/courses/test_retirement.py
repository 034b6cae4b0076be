"""Retiring courses: by age, in steps, taken back by any use; and its command."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from courses import audit, retirement, services
from courses.audit import record
from courses.models import AuditEntry, Course
from courses.permissions import SERVER
from courses.retirement import Ages, Step
from tests import cast
from tests.cast import COURSE, actor

DAY = timedelta(days=1)
AGES = Ages(unused=90 * DAY, grace=30 * DAY, in_trash=365 * DAY)


@pytest.fixture
def days_pass(monkeypatch):
    """Let the clock of the retirement, and the entries made from now on, go on by so many days."""
    now = timezone.now
    passed = timedelta()

    def go_on(days):
        nonlocal passed
        passed += days * DAY

    monkeypatch.setattr(timezone, "now", lambda: now() + passed)
    insert = audit.insert

    def insert_now(entries):
        for entry in entries:
            entry.at = timezone.now()
        insert(entries)

    monkeypatch.setattr(audit, "insert", insert_now)
    return go_on


def due(ages=AGES):
    return {course.name: step for course, step in retirement.next_steps(ages) if course.name == COURSE}


def take(ages=AGES):
    for course, step in list(retirement.next_steps(ages)):
        retirement.take_step(course, step, ages, by=SERVER)


def use(course, username="alice"):
    record("release", by=actor(username), role="instructor", about=course, course=course, target="ps1")


def test_unused_course_is_announced_then_in_the_trash_then_deleted(course, days_pass):
    use(course)
    days_pass(89)
    assert due() == {}
    days_pass(2)
    assert due() == {COURSE: Step.ANNOUNCE}
    take()
    assert set(retirement.announced([course.pk])) == {course.pk}
    days_pass(29)
    assert due() == {}
    days_pass(2)
    assert due() == {COURSE: Step.TRASH}
    take()
    course.refresh_from_db()
    assert course.removed_at is not None
    days_pass(364)
    assert due() == {}
    days_pass(2)
    assert due(Ages(AGES.unused, AGES.grace)) == {}  # not unless it was asked for
    assert due() == {COURSE: Step.DELETE}
    take()
    assert not Course.objects.filter(pk=course.pk).exists()
    actions = AuditEntry.objects.filter(course_id=course.pk, actor="").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["announce retirement", "trash course", "delete course permanently"]


def test_any_use_after_the_announcement_takes_it_back(course, days_pass):
    use(course)
    days_pass(91)
    take()
    use(course)
    assert retirement.announced([course.pk]) == {}
    days_pass(60)
    assert due() == {}
    days_pass(31)
    assert due() == {COURSE: Step.ANNOUNCE}


def test_what_the_server_does_is_no_use(course, days_pass):
    use(course)
    days_pass(91)
    record("change roster", by=SERVER, role="server", about=course, course=course)
    assert due() == {COURSE: Step.ANNOUNCE}


def test_course_that_an_administrator_moved_or_restored_is_left_alone(course, days_pass):
    services.trash_course(course, by=actor("root"))
    days_pass(5000)
    assert due() == {}
    services.restore_course(course, by=actor("root"))
    assert due() == {}


def test_instructor_keeps_a_course_and_others_may_not(course, days_pass, browser):
    days_pass(91)
    take()
    page = {"action": "keep", "_selected_action": [course.pk]}
    browser("gina").post("/admin/courses/course/", page)
    assert retirement.announced([course.pk])
    browser("alice").post("/admin/courses/course/", page)
    assert retirement.announced([course.pk]) == {}
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor, entry.role) == ("keep course", "alice", "instructor")


def test_staff_see_it_on_their_pages_with_the_archive(course, days_pass, browser):
    assert "to be retired" not in browser("alice").get("/").content.decode()
    days_pass(91)
    take()
    assert "to be retired" in browser("alice").get("/").content.decode()
    page = browser("alice").get(f"/admin/courses/course/{course.pk}/change/")
    assert "to be retired since" in page.content.decode().lower()
    assert "to be retired" not in browser("bob").get("/").content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("root", 200), ("gina", 404), ("bob", 404), ("carol", 404)]
)
def test_archive_is_for_instructors(submission, browser, who, status):
    response = browser(who).get(f"/view/course/{COURSE}/archive.zip")
    assert response.status_code == status
    if status == 200:
        assert b"".join(response.streaming_content).startswith(b"PK")


def run(*arguments):
    out = io.StringIO()
    call_command("retire_courses", *arguments, stdout=out)
    return out.getvalue()


def test_command_says_what_it_does_and_a_dry_run_does_nothing(course, days_pass):
    days_pass(91)
    before = cast.everything()
    assert f"{COURSE}: would be announced to be retired\n" in run("--older-than", "3m", "--dry-run")
    assert cast.everything() == before
    assert f"{COURSE}: announced to be retired\n" in run("--older-than", "90d")
    assert run("--older-than", "90d") == ""
    days_pass(31)
    assert f"{COURSE}: moved to the trash\n" in run("--older-than", "90d")


@pytest.mark.parametrize(
    "arguments", [(), ("--older-than", "x"), ("--older-than", "0d"), ("--older-than", "1y", "--grace", "5")]
)
def test_command_without_a_right_age_does_nothing(course, arguments):
    with pytest.raises(CommandError):
        run(*arguments)


def test_step_is_not_taken_if_the_course_was_used_or_restored_meanwhile(course, days_pass):
    use(course)
    days_pass(91)
    take()
    days_pass(31)
    ((found, step),) = [row for row in retirement.next_steps(AGES) if row[0] == course]
    retirement.keep_course(course, by=actor("alice"))
    assert (step, retirement.take_step(found, step, AGES, by=SERVER)) == (Step.TRASH, False)
    assert Course.objects.present().filter(pk=course.pk).exists()
    days_pass(91)
    take()
    days_pass(31)
    take()
    days_pass(366)
    ((found, step),) = [row for row in retirement.next_steps(AGES) if row[0] == course]
    services.restore_course(found, by=actor("root"))
    assert (step, retirement.take_step(found, step, AGES, by=SERVER)) == (Step.DELETE, False)
    assert Course.objects.present().filter(pk=course.pk).exists()
