"""What every test gets: a store and a cache of its own; and fixtures that several rooms share."""

import gc
import os
import uuid
from importlib import import_module

import pytest
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.db.backends.sqlite3.base import DatabaseOperations as SQLiteOperations
from hypothesis import settings as hypothesis_settings

from courses.models import Course, Role
from courses.permissions import SERVER
from exchange import services
from exchange.maintenance import recorded_run
from exchange.notices import webhooks
from ngshare_site.hub import sessions
from tests import cast
from tests.campus import campus, each_campus, older_campus  # noqa: F401  # Hubs for all end-to-end and browser tests

QUICK = os.environ.get("NGSHARE_TEST_QUICK") == "1"
ONE_CASE = QUICK or os.environ.get("NGSHARE_TEST_ONE_CASE") == "1"
# The same examples in every run; fewer of them in `make quick`.
hypothesis_settings.register_profile("full", derandomize=True, database=None, deadline=None)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("full"), max_examples=15)
hypothesis_settings.load_profile("quick" if QUICK else "full")


def pytest_collection_modifyitems(config, items):
    """Keep one case of each test in `make quick`, and where the others say nothing new of a database or a store."""
    if ONE_CASE:
        of_test = {(item.path, getattr(item, "originalname", item.name)): item for item in items}
        kept = set(of_test.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


def pytest_collection_finish():
    """Spare the garbage collector the modules and the tests themselves: they stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Let fsync return at once: no test sees a power cut, and each blob would wait for the disk three times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr(os, "fdatasync", lambda descriptor: None)  # of SQLite's log, at each commit
        yield


@pytest.fixture(scope="session", autouse=True)
def flushed_audit_log():
    """Let the tests that commit be cleaned up after: on SQLite, Django empties tables by DELETE, which the log refuses.

    (On PostgreSQL it truncates them.)
    """
    protection = import_module("courses.migrations.0003_audit_append_only")
    of_requests = import_module("courses.migrations.0005_audit_request")
    protect = [*protection.SQLITE, *of_requests.sqlite(of_requests.KEPT)]
    flush = SQLiteOperations.execute_sql_flush

    def flush_unprotected(operations, statements):
        flush(operations, [*protection.SQLITE_REVERSE, *statements, *protect])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLiteOperations, "execute_sql_flush", flush_unprotected)
        yield


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    """An empty store, so that a test sees only the bytes that it stored itself."""
    options = dict(settings.STORAGES["default"]["OPTIONS"])
    options["location"] = str(tmp_path / "blobs") if "bucket_name" not in options else uuid.uuid4().hex
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    settings.NGSHARE_STAGING = tmp_path / "staging"
    cache.clear()


@pytest.fixture(autouse=True)
def force_login_is_a_log_in_at_the_hub():
    """The sessions that Django's test client opens hold a token of the Hub: others are ended."""

    def bind(request, **kwargs):
        request.session["hub"] = sessions.bind_to_hub("token-of-force-login", "")

    user_logged_in.connect(bind)
    yield
    user_logged_in.disconnect(bind)


@pytest.fixture
def course(db, settings):
    settings.NGSHARE_ADMINS = ["root"]
    return cast.make_courses()


@pytest.fixture
def assignment(course):
    return services.release(course, "ps1", cast.upload(cast.PS1), by=cast.actor("alice")).assignment


@pytest.fixture
def submission(assignment):
    return services.submit(assignment, cast.upload(cast.WORK), by=cast.actor("bob"))[0]


@pytest.fixture
def browser(client):
    """A browser in which someone is logged in."""

    def log_in(username):
        client.force_login(cast.person(username))
        return client

    return log_in


@pytest.fixture
def two_courses(assignment, submission):
    """NBG 101 with bob's submission, and carol's Elsewhere with zoe's, each with feedback: {name: object}."""
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    with recorded_run("backup") as summary:
        summary["blobs"] = 7
    cast.enrol(elsewhere, "zoe", Role.STUDENT, first_name="Zoë", section="hidden group")
    foreign = services.release(elsewhere, "lab 1", cast.upload({"plans/task.txt": b"?"}), by=cast.actor("carol"))
    webhook, _ = webhooks.create_webhook("worker", "https://worker.example.edu/", ["submitted"], by=SERVER)
    webhooks.send_test(webhook, by=SERVER)
    webhooks.change_webhook(webhook, {"active": False}, by=SERVER)
    foreign_submission, _ = services.submit(foreign.assignment, cast.upload(cast.PLANS), by=cast.actor("zoe"))
    return {
        "course": submission.assignment.course,
        "assignment": assignment,
        "release": assignment.releases.get(),
        "submission": submission,
        "feedback": cast.return_feedback(submission, "alice"),
        "foreign course": elsewhere,
        "foreign assignment": foreign.assignment,
        "foreign release": foreign,
        "foreign submission": foreign_submission,
        "foreign feedback": cast.return_feedback(foreign_submission, "carol"),
    }
