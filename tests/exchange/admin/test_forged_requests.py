"""Forged requests: what is posted for rows of others, or by those who only look, writes nothing."""

import pytest
from django.contrib import admin

from courses.models import Course, Membership, Role
from exchange.models import Assignment, Submission
from exchange.notices.models import Webhook
from tests import cast
from tests.cast import everything
from tests.exchange.admin import pages
from tests.exchange.admin.pages import FOR_ADMINISTRATORS, RIGHTS_BY_COURSE, actions, listing

pytestmark = pytest.mark.wide

PEOPLE = ["alice", "gina", "bob", "erin", None]
EXTENSIONS = {"extensions-TOTAL_FORMS": 0, "extensions-INITIAL_FORMS": 0}
DUE = {**EXTENSIONS, "due_0": "2031-01-02", "due_1": "03:04:05", "name": "stolen", "withdrawn_at": "", "_save": "Save"}


@pytest.fixture
def log_in(client):
    def somebody(who):
        client.logout()
        if who:
            client.force_login(cast.person(who))
        return client

    return somebody


def foreign(model, two_courses):
    if model is Membership:
        return Membership.objects.get(user__username="zoe")
    return two_courses[f"foreign {model._meta.model_name}"]


@pytest.mark.parametrize("model", RIGHTS_BY_COURSE)
@pytest.mark.parametrize("who", PEOPLE)
def test_actions_on_foreign_rows_do_nothing(two_courses, log_in, model, who):
    there, row = log_in(who), foreign(model, two_courses)
    before = everything()
    for action in (*actions(model), "delete_selected", "verify", "no such action"):
        for more in ({}, {"confirmed": "yes", "phrase": str(row)}):
            for query in ("", f"?course={two_courses['foreign course'].pk}"):
                asked = {"action": action, "_selected_action": [row.pk], **more}
                answer = there.post(listing(model) + query, asked)
                is_confirmed = "confirmed" in more
                status = status_of_action(who, model, action, is_confirmed=is_confirmed, is_of_a_course=bool(query))
                assert answer.status_code == status, (action, more, query)
                assert not says(answer, row), (action, more)
    assert everything() == before


# On whose lists there is any action. One answers with a file even where no row is theirs; where nothing is chosen, the
# others ask nothing.
LISTS_WITH_ACTIONS = {"alice": [Course, Membership, Assignment, Submission], "gina": [Membership, Submission]}


def status_of_action(who, model, action, *, is_confirmed, is_of_a_course):
    if who not in LISTS_WITH_ACTIONS:
        return pages.status_without_staff(who, "post")
    if model is Course and is_of_a_course:
        return 400  # that list has no such filter
    if model not in LISTS_WITH_ACTIONS[who]:
        return 200  # the list, without a word about the action
    return 200 if action == "download" and action in actions(model) else 302  # to the list


def says(answer, row):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(row).encode() in content


@pytest.mark.parametrize("model", RIGHTS_BY_COURSE)
@pytest.mark.parametrize("action", ["download", "unrelease", "move_to_trash", "remove", "make_graders"])
def test_all_that_are_listed_are_ones_own(two_courses, log_in, model, action):
    """`select_across` takes every row of the list, whatever was ticked."""
    row = foreign(model, two_courses)
    everywhere = {"action": action, "select_across": "1", "_selected_action": [row.pk], "confirmed": "yes"}
    for who in ("gina", "alice"):
        assert not says(log_in(who).post(listing(model), everywhere), row)
    assert Membership.objects.filter(user__username="zoe", role=Role.STUDENT).exists()
    assert not Assignment.objects.filter(course__name=cast.ELSEWHERE, withdrawn_at__isnull=False).exists()
    assert not Submission.objects.filter(student__username="zoe", withdrawn_at__isnull=False).exists()


@pytest.mark.parametrize(("who", "status"), [("alice", 302), ("gina", 403), ("bob", 302), ("erin", 302), (None, 403)])
def test_due_date_of_a_foreign_assignment_stays(two_courses, log_in, who, status):
    before = everything()
    address = f"/admin/exchange/assignment/{two_courses['foreign assignment'].pk}/change/"
    assert log_in(who).post(address, DUE).status_code == status
    assert everything() == before


@pytest.mark.parametrize(("who", "status"), [("gina", 403), ("bob", 302), ("carol", 302), ("erin", 302), (None, 403)])
def test_due_date_is_no_business_of_those_who_look(two_courses, log_in, who, status):
    before = everything()
    address = f"/admin/exchange/assignment/{two_courses['assignment'].pk}/change/"
    assert log_in(who).post(address, DUE).status_code == status
    assert everything() == before


def test_instructor_sets_the_due_date_and_nothing_else(two_courses, log_in):
    one = two_courses["assignment"]
    forged = {**DUE, "course": two_courses["foreign course"].pk, "withdrawn_at": "2020-01-01 00:00:00"}
    assert log_in("alice").post(f"/admin/exchange/assignment/{one.pk}/change/", forged).status_code == 302
    one.refresh_from_db()
    assert f"{one.due:%Y-%m-%d %H:%M:%S}" == "2031-01-02 03:04:05"
    assert (one.name, one.course, one.withdrawn_at) == ("ps1", two_courses["course"], None)


def test_due_date_after_the_cut_off_is_refused_with_a_sentence(two_courses, log_in):
    Assignment.objects.update(cut_off="2030-01-01T00:00:00Z")
    before = everything()
    address = f"/admin/exchange/assignment/{two_courses['assignment'].pk}/change/"
    page = log_in("alice").post(address, DUE, follow=True).content.decode()
    assert "The cut-off, 2030-01-01 00:00 UTC, would be before the due date, 2031-01-02 03:04 UTC." in page
    assert everything() == before


@pytest.mark.parametrize(
    "due", [("x", "y"), ("2031-13-40", "03:04:05"), ("99999-01-01", "00:00:00"), ("2031-01-01", ""), ("\0", "\0")]
)
def test_due_date_that_is_none_is_said_on_the_form(two_courses, log_in, due):
    before = everything()
    address = f"/admin/exchange/assignment/{two_courses['assignment'].pk}/change/"
    answer = log_in("alice").post(address, {**EXTENSIONS, "due_0": due[0], "due_1": due[1]})
    assert answer.status_code == 200 and answer.context["errors"]
    assert everything() == before


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("gina", 403), ("bob", 302), ("erin", 302), (None, 403)])
def test_nobody_is_added_to_a_foreign_course(two_courses, log_in, who, status):
    before = everything()
    new = {"course": two_courses["foreign course"].pk, "username": "erin", "role": Role.STUDENT, "_save": "Save"}
    assert log_in(who).post(listing(Membership, "add"), new).status_code == status
    assert everything() == before


def test_roster_list_changes_no_foreign_row(two_courses, log_in):
    row = foreign(Membership, two_courses)
    before = everything()
    forged = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(row.pk),
        "form-0-section": "stolen",
        "form-0-role": Role.INSTRUCTOR,
        "_save": "Save",
    }
    for who in PEOPLE:
        assert log_in(who).post(listing(Membership), forged).status_code == (302 if who else 403)
    assert everything() == before


@pytest.mark.parametrize("model", [*RIGHTS_BY_COURSE, *FOR_ADMINISTRATORS])
def test_grader_looks_and_changes_nothing(two_courses, log_in, model):
    gina = log_in("gina")
    is_seen = model in RIGHTS_BY_COURSE
    answer = gina.get(listing(model))
    assert answer.status_code == (200 if is_seen else 403)
    offered = [name for name, _ in admin.site._registry[model].get_action_choices(answer.wsgi_request, [])]
    assert offered in ([], ["download"])
    before = everything()
    for row in model.objects.all():
        pages = f"{listing(model)}{row.pk}/"
        page = gina.get(f"{pages}change/")
        if page.status_code == 200:
            assert b'type="submit" value="Save' not in page.content and b"deletelink" not in page.content
        for address in (f"{pages}change/", f"{pages}delete/", listing(model, "add")):
            assert gina.post(address, {"post": "yes", **DUE}).status_code == 403, address
        if model is Course:
            is_own = row.name == cast.COURSE
            assert gina.post(f"{pages}import/").status_code == (403 if is_own else 404)
        for action in actions(model):
            gina.post(listing(model), {"action": action, "_selected_action": [row.pk], "confirmed": "yes"})
    assert everything() == before


def test_assignments_hand_ins_and_files_are_made_and_deleted_by_no_form(two_courses, log_in):
    root = log_in("root")
    before = everything()
    for model in admin.site._registry:
        if model not in (Course, Membership, Webhook):
            assert root.get(listing(model, "add")).status_code == 403
            assert root.post(listing(model, "add"), {"name": "x"}).status_code == 403
        if model not in (Membership, Webhook):
            for row in model.objects.all():
                for ask in (root.get, root.post):
                    assert ask(f"{listing(model)}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert everything() == before


def test_hand_ins_of_administrators_choice_are_withdrawn_wherever_they_are(two_courses, log_in):
    both = [two_courses["submission"].pk, two_courses["foreign submission"].pk]
    log_in("root").post(listing(Submission), {"action": "move_to_trash", "_selected_action": both})
    assert not Submission.objects.present().exists() and Assignment.objects.released().count() == 2
