"""Fill the database of world.py: `python -m tests.browser.make_world`, with the environment of its service."""

import json
import os
from contextlib import contextmanager
from unittest.mock import patch

import django
from django.contrib import admin
from django.core.management import call_command
from django.utils import timezone

os.environ["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
django.setup()

from courses.models import Course, Role, User  # noqa: E402
from courses.permissions import SERVER  # noqa: E402
from exchange import services  # noqa: E402
from exchange.maintenance import recorded_run  # noqa: E402
from exchange.models import Assignment, Feedback, Submission  # noqa: E402
from exchange.notices import webhooks  # noqa: E402
from ngshare_site import data_folder  # noqa: E402
from tests import cast  # noqa: E402
from tests.browser.world import (  # noqa: E402
    COURSE,
    CURRENT,
    FEEDBACK,
    FIRST,
    LAST,
    NAMES,
    OVER,
    TO_COME,
    UNRELEASED,
    moment,
    released,
    solved,
)


@contextmanager
def clock_at(time):
    with patch.object(timezone, "now", return_value=time):
        yield


def make_course(name):
    course = Course.objects.create(name=name, timezone="Europe/Berlin", late_days=5)
    cast.enrol(course, "alice", Role.INSTRUCTOR, first_name="Alice", last_name="Anders", email="alice@example.edu")
    cast.enrol(course, "gina", Role.GRADER, first_name="Gina", last_name="Greco", email="gina@example.edu")
    return course


def release(course, name, days, **deadlines):
    with clock_at(moment(days, 9)):
        found = services.release(course, name, cast.upload(released(name)), by=cast.actor("alice")).assignment
        services.set_deadlines(found, deadlines, by=cast.actor("alice"))
    return found


def submit(assignment, username, time, number=1):
    with clock_at(time):
        return services.submit(assignment, cast.upload(solved(assignment.name, number)), by=cast.actor(username))[0]


def extend(assignment, **grant):
    services.grant_extensions(assignment, [services.Grant(**grant)], by=cast.actor("alice"))


def return_feedback(submission):
    upload = cast.upload({f"{submission.assignment.name}.html": FEEDBACK})
    item = services.FeedbackItem(upload.manifests[0], submission=submission.pk)
    services.return_feedback(submission.assignment, [item], upload, by=cast.actor("gina"))


def fill(course):
    over = release(course, OVER, -12, due=moment(-4, 17), cut_off=moment(-1, 17))
    extend(over, student="bob", due=moment(-2, 17), reason="illness")
    services.set_solution(over, cast.upload(solved(OVER, 0)), by=cast.actor("alice"))
    for number, name in enumerate(NAMES[:22]):
        submit(over, name, moment(-9 + number * 0.2, number % 12), number)
    for number, name in enumerate(["carol", "dave", "ada", *NAMES[20:25]]):  # the last ones are late
        submit(over, name, moment(-3, 2 * number), 100 + number)
    submit(over, "bob", moment(-3, 11), 200)
    latest = list({each.student_id: each for each in over.submissions.order_by("created")}.values())
    services.mark_collected(latest, by=cast.actor("alice"))
    for submission in latest[:12]:
        return_feedback(submission)
    services.withdraw_submissions([over.submissions.get(student__username="quentin")], by=cast.actor("alice"))
    current = release(course, CURRENT, -6, due=moment(2, 22), cut_off=moment(9, 22), max_attempts=3)
    extend(current, student="carol", due=moment(5, 22), reason="a conference", attempts=1)
    extend(current, section="B", due=moment(3, 11), attempts=1, reason="the lab was closed")
    for number, name in enumerate(NAMES[1:12]):
        submit(current, name, moment(-1, 2 * number), number)
    release(course, TO_COME, -0.5, release_at=moment(6, 8), due=moment(13, 22))
    hidden = release(course, UNRELEASED, -20)
    submit(hidden, "bob", moment(-19), 1)
    services.unrelease(hidden, by=cast.actor("alice"))


def make():
    """Make everything, and return {label of a model: primary key of a row that has much to show}."""
    for username in ("alice", "gina", "root", "erin"):
        User.objects.create(username=username)
    with clock_at(moment(-30)):
        course = make_course(COURSE)
        for number, (first, username) in enumerate(zip(FIRST, NAMES, strict=True)):
            names = {"first_name": first, "last_name": LAST[number % len(LAST)], "section": "AB"[number % 2]}
            email = "" if number % 9 == 8 else f"{username}@example.edu"
            cast.enrol(course, username, Role.STUDENT, email=email, **names)
        make_course("Introduction to Statistics for the Social Sciences, 2026 27")
    fill(course)
    with recorded_run("backup") as summary:
        summary["blobs"] = 120
    call_command("sweep_blobs", verbosity=0)
    webhook, _ = webhooks.create_webhook("autograder", "https://worker.example.edu/", ["submitted"], by=SERVER)
    webhooks.send_test(webhook, by=SERVER)
    bob = Submission.objects.filter(student__username="bob", assignment__name=OVER).latest("created")
    chosen = {
        "courses.Course": course.pk,
        "courses.User": bob.student_id,
        "courses.Membership": bob.student.memberships.get().pk,
        "exchange.Assignment": Assignment.objects.get(name=CURRENT).pk,
        "exchange.Submission": bob.pk,
        "exchange.Release": Assignment.objects.get(name=OVER).releases.get().pk,
        "exchange.Extension": Assignment.objects.get(name=CURRENT).extensions.first().pk,
        "exchange.Feedback": Feedback.objects.get(submission=bob).pk,
        "exchange.FileSet": bob.file_set_id,
        "of bob before": Submission.objects.filter(student=bob.student, assignment__name=OVER).earliest("created").pk,
        "over": bob.assignment_id,
    }
    rows = {model._meta.label: model._default_manager.order_by("-pk").first() for model in admin.site._registry}
    return {**{label: row.pk for label, row in rows.items()}, **chosen}


if __name__ == "__main__":
    data_folder.prepare()
    call_command("migrate", verbosity=0)
    print(json.dumps(make()))
