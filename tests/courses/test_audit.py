"""The audit log: every entry names its objects by id, and the database refuses to change it."""

from contextlib import suppress
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from courses import audit, people, services
from courses.importers import groups
from courses.models import AuditEntry, Course, Membership
from courses.permissions import SERVER, SERVER_ROLE
from courses.services import RosterEntry
from exchange import services as exchange_services
from tests import cast
from tests.cast import actor, person, submit

FILL = import_module("courses.migrations.0002_audit_objects").fill


def latest():
    return AuditEntry.objects.latest("pk")


def lines():
    return list(AuditEntry.objects.order_by("pk").values())


# Ids


def test_entry_names_actor_course_and_object_by_id(submission):
    entry = latest()
    assert (entry.actor_id, entry.course_id) == (person("bob").pk, submission.assignment.course_id)
    assert (entry.object_type, entry.object_id) == ("submission", submission.pk)


def test_entry_of_the_server_names_no_actor(course):
    services.add_member(course, RosterEntry("erin"), by=SERVER)
    entry = latest()
    assert (entry.actor_id, entry.object_type, entry.object_id) == (None, "user", person("erin").pk)


def test_entries_of_what_was_deleted_permanently_keep_its_ids(submission):
    course, root = submission.assignment.course, actor("root")
    ids = submission.pk, submission.assignment_id, course.pk
    exchange_services.withdraw_submissions([submission], by=root)
    exchange_services.delete_submission_permanently(submission, by=root)
    exchange_services.unrelease(submission.assignment, by=root)
    exchange_services.delete_assignment_permanently(submission.assignment, by=root)
    services.trash_course(course, by=root)
    before = lines()
    services.delete_course_permanently(Course.objects.get(pk=course.pk), by=root)
    assert lines()[:-1] == before
    deleted = AuditEntry.objects.filter(action__endswith="permanently").order_by("pk")
    assert [(entry.object_type, entry.object_id, entry.course_id) for entry in deleted] == [
        (kind, pk, ids[2]) for kind, pk in zip(("submission", "assignment", "course"), ids, strict=True)
    ]


def test_entries_stay_as_they_are_when_accounts_are_renamed_and_merged(submission):
    before = lines()
    bob, dave = person("bob"), person("dave")
    people.rename(bob, "robert", by=actor("root"))
    people.merge(bob, dave, by=actor("root"))
    assert lines()[: len(before)] == before
    assert latest().object_id == dave.pk and latest().details["gone_id"] == submission.student_id


# Append-only


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.update(actor="somebody"),
        lambda: AuditEntry.objects.update(details={}),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.filter(pk=latest().pk)._raw_delete("default"),
        lambda: AuditEntry.objects.first().delete(),
        lambda: AuditEntry(pk=latest().pk, action="nothing", object_type="").save(),
    ],
)
def test_database_refuses_to_change_and_delete_entries(submission, change):
    before = lines()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change()
    assert lines() == before


if connection.vendor == "sqlite":  # PostgreSQL has no such statement

    def test_sqlite_replaces_no_entry_by_another_of_its_number(submission):
        before = lines()
        replace = "INSERT OR REPLACE INTO courses_auditentry SELECT * FROM courses_auditentry"
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(replace)
        assert lines() == before


@pytest.mark.parametrize(
    "column", ["at", "action", "role", "course", "course_id", "object_type", "object_id", "request_id"]
)
def test_names_alone_may_be_replaced(submission, column):
    value = {"at": "2020-01-01T00:00Z", "course_id": 987654, "object_id": 987654}.get(column, "other")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), audit.allow_replacing_names():
        AuditEntry.objects.update(**{column: value})


def test_entries_are_not_deleted_while_names_may_be_replaced(submission):
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), audit.allow_replacing_names():
        AuditEntry.objects.all().delete()


def test_permission_to_replace_names_ends_with_what_needed_it(submission):
    with transaction.atomic(), audit.allow_replacing_names():
        AuditEntry.objects.filter(actor="bob").update(actor="somebody")
    assert latest().actor == "somebody"
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.update(actor="nobody")


def test_permission_to_replace_names_ends_when_that_fails(submission):
    with pytest.raises(RuntimeError), transaction.atomic(), audit.allow_replacing_names():
        raise RuntimeError
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.update(actor="nobody")


@pytest.mark.django_db(transaction=True)
def test_permission_that_was_forgotten_ends_with_its_transaction(submission):
    """SQLite refuses to commit the transaction, and PostgreSQL forgets the permission."""
    postgresql, sqlite = (
        "SELECT set_config('ngshare.replace_names', 'on', true)",
        "INSERT INTO courses_auditunlock (entry_id) VALUES (-1)",
    )
    with suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sqlite if connection.vendor == "sqlite" else postgresql)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.update(actor="nobody")
    assert not AuditEntry.objects.filter(actor="nobody").exists()


@pytest.mark.django_db(transaction=True)
def test_names_are_not_replaced_outside_a_transaction():
    with pytest.raises(transaction.TransactionManagementError), audit.allow_replacing_names():
        pass


# Entries of before there were ids


def forget_ids(entry):
    entry.actor_id = entry.course_id = entry.object_id = None
    entry.object_type = ""
    return entry


@pytest.fixture
def unprotected(db):
    """Take the triggers away, as the migration does not have them yet."""
    module = import_module("courses.migrations.0003_audit_append_only")
    with connection.cursor() as cursor:
        for statement in module.SQLITE_REVERSE if connection.vendor == "sqlite" else module.POSTGRESQL_REVERSE:
            cursor.execute(statement)


def test_earlier_entries_get_the_ids_that_can_be_known(submission, unprotected):
    bulk = ["actor_id", "course_id", "object_type", "object_id"]
    services.add_member(submission.assignment.course, RosterEntry("zoe"), by=actor("alice"))
    before = lines()
    AuditEntry.objects.bulk_update([forget_ids(entry) for entry in AuditEntry.objects.all()], bulk)
    FILL(apps, None)
    assert lines() == before


def test_earlier_entries_about_one_of_two_namesakes_are_not_guessed(course, unprotected):
    services.trash_course(course, by=actor("root"))
    services.create_course(course.name, by=actor("root"))
    later = course.created + timedelta(hours=1)
    Course.objects.exclude(pk=course.pk).filter(name=course.name).update(created=later)
    entries = AuditEntry.objects.filter(course=course.name)
    entries.update(course_id=None, object_id=None, object_type="", at=course.created)
    entries.filter(action="create course").update(at=later - timedelta(microseconds=900))  # cut to milliseconds
    FILL(apps, None)
    trash, create = entries.order_by("pk")
    assert (trash.course_id, create.course_id, create.object_type) == (course.pk, None, "course")


# What is recorded


def test_group_join_is_recorded_with_where_it_came_from(course, settings):
    settings.NGSHARE_GROUPS = True
    groups.join(person("erin"), [f"nbgrader-{cast.COURSE}"])
    entry = latest()
    assert (entry.action, entry.role, entry.object_id) == ("add member", SERVER_ROLE, person("erin").pk)
    assert entry.details == {"given": "student", "source": "the Hub's groups"}


# What the admin shows


def test_course_does_not_show_the_history_of_a_namesake(course, browser):
    root = browser("root")
    services.trash_course(course, by=actor("root"))
    namesake = services.create_course(course.name, ["alice"], by=actor("root"))
    shown = {
        one.pk: [entry.action for entry, *_ in root.get(f"/admin/courses/course/{one.pk}/history/").context["entries"]]
        for one in (course, namesake)
    }
    assert shown == {course.pk: ["trash course"], namesake.pk: ["create course"]}
    listed = root.get("/admin/courses/auditentry/", {"course": namesake.pk}).context["cl"].result_list
    assert [entry.action for entry in listed] == ["create course"]


def test_histories_go_by_id(assignment, browser):
    submission = submit(assignment, "bob")
    exchange_services.mark_collected([submission], by=actor("alice"))
    root, bob = browser("root"), Membership.objects.get(user__username="bob")
    people.rename(bob.user, "robert", by=actor("root"))
    services.change_member(bob, RosterEntry("robert", section="B"), by=actor("alice"))

    def history(page, row):
        entries = root.get(f"/admin/{page}/{row.pk}/history/").context["entries"]
        return [entry.action for entry, *_ in entries]

    assert history("exchange/submission", submission) == ["collect", "submit"]
    assert history("exchange/assignment", assignment) == ["collect", "submit", "release"]
    assert history("courses/membership", bob) == ["change member"]
    assert history("courses/user", bob.user) == ["change member", "rename user", "submit"]


def test_change_of_hub_administration_is_recorded_once(course):
    erin = person("erin")
    people.set_hub_admin(erin, True)
    people.set_hub_admin(person("erin"), True)
    people.set_hub_admin(erin, False)
    entries = AuditEntry.objects.filter(action="change Hub administration").order_by("pk")
    assert [(entry.object_id, entry.role, entry.details["is_hub_admin"]) for entry in entries] == [
        (erin.pk, "server", True),
        (erin.pk, "server", False),
    ]
    assert not person("erin").is_hub_admin


def test_first_contact_is_recorded_once(course):
    first = services.find_or_create_user("newcomer")
    assert services.find_or_create_user("newcomer") == first and services.find_or_create_user("bob") == person("bob")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == ("first contact", "newcomer", first.pk)


@pytest.mark.parametrize(
    ("address", "action"),
    [
        ("/admin/courses/course/{}/roster.csv", "download roster"),
        ("/admin/courses/course/{}/students-for-nbgrader.csv", "download roster"),
        ("/admin/exchange/assignment/status/{}/status.csv", "download progress"),
        ("/view/course/NBG%20101/ps1/hand-ins.csv", "download progress"),
    ],
)
def test_download_about_all_members_is_recorded(assignment, browser, address, action):
    course = assignment.course
    assert browser("gina").get(address.format(course.pk)).status_code == 200
    entry = latest()
    assert (entry.action, entry.actor, entry.role, entry.object_id) == (action, "gina", "grader", course.pk)


def test_download_of_chosen_members_is_recorded_in_each_course(course, browser):
    chosen = {"action": "download", "_selected_action": list(Membership.objects.values_list("pk", flat=True))}
    assert browser("root").post("/admin/courses/membership/", chosen).status_code == 200
    entries = AuditEntry.objects.values_list("action", "course")
    assert set(entries) == {("download roster", name) for name in (cast.COURSE, cast.ELSEWHERE)}


def test_download_of_many_submissions_is_recorded(submission, browser):
    chosen = {"action": "download", "_selected_action": [submission.pk]}
    assert browser("alice").post("/admin/exchange/submission/", chosen).status_code == 200
    entry = latest()
    assert (entry.action, entry.actor, entry.object_id) == ("download submissions", "alice", submission.assignment_id)
    assert entry.details == {"submissions": [submission.pk]}


# Reading


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({}, ""),
        ({"created": ["frank", "gina"], "changed": [], "source": "CSV"}, "created: frank, gina; source: CSV"),
        ({"was": {"section": "A", "email": None}, "now": {"section": 0}}, "was: section A; now: section 0"),
    ],
)
def test_details_read_as_text(details, text):
    assert AuditEntry(details=details).summary == text
