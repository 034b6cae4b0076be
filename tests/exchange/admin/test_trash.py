"""Hiding assignments and submissions, restoring them, and deleting them permanently once their names are typed."""

import html
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import AuditEntry, Course, Role
from exchange import services
from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission
from exchange.storage import blobs, file_sets, garbage
from tests import cast
from tests.cast import PS1, WORK, actor, everything

LISTS = {Assignment: "/admin/exchange/assignment/", Submission: "/admin/exchange/submission/"}
HIDE = {Assignment: "unrelease", Submission: "move_to_trash"}


def act(browser, action, *chosen, **more):
    """Run an action of the list; "hide" is the one that hides what is chosen."""
    rows = [one.pk for one in chosen]
    address = LISTS[type(chosen[0])]
    action = HIDE[type(chosen[0])] if action == "hide" else action
    answer = browser.post(address, {"action": action, "_selected_action": rows, **more}, follow=True)
    return answer.status_code, html.unescape(answer.content.decode())


def logged(since):
    lines = AuditEntry.objects.filter(pk__gt=since).order_by("pk")
    return [(line.actor, line.role, line.action, line.course, line.target) for line in lines]


def last_line():
    return AuditEntry.objects.latest("pk").pk


def states(*chosen):
    for one in chosen:
        one.refresh_from_db()
    return [one.withdrawn_at is not None for one in chosen]


@pytest.fixture(params=["assignment", "submission"])
def one(request, two_courses):
    return two_courses[request.param]


@pytest.fixture
def withdrawn(one):
    """The same, hidden."""
    if isinstance(one, Assignment):
        services.unrelease(one, by=actor("root"))
    else:
        services.withdraw_submissions([one], by=actor("root"))
    one.refresh_from_db()
    return one


# Hiding and restoring


@pytest.mark.parametrize(("who", "role"), [("alice", "instructor"), ("root", "administrator")])
def test_withdrawing_and_restoring_keeps_everything_and_is_logged(one, browser, who, role):
    there, before, since = browser(who), everything(), last_line()
    assert act(there, "hide", one)[0] == 200 and states(one) == [True]
    assert act(there, "restore", one)[0] == 200 and states(one) == [False]
    after = everything()
    after["AuditEntry"] = after["AuditEntry"][:-2]
    assert after == before
    kind = one._meta.model_name
    actions = ["unrelease" if kind == "assignment" else f"withdraw {kind}", f"restore {kind}"]
    assert logged(since) == [(who, role, action, cast.COURSE, "ps1") for action in actions]


def test_what_is_so_already_is_not_done_again_nor_logged(one, browser):
    root, since = browser("root"), last_line()
    act(root, "restore", one)
    assert logged(since) == []
    act(root, "hide", one)
    moment = type(one).objects.get(pk=one.pk).withdrawn_at
    act(root, "hide", one)
    assert type(one).objects.get(pk=one.pk).withdrawn_at == moment and len(logged(since)) == 1


def test_withdrawn_assignment_is_hidden_from_students_and_comes_back_whole(two_courses, browser, settings):
    settings.NGSHARE_STANDALONE = True
    bob, address = cast.client("bob"), cast.of_assignment()
    assert bob.get(address).status_code == 200
    act(browser("alice"), "hide", two_courses["assignment"])
    assert bob.get(address).status_code == 404
    act(browser("root"), "restore", two_courses["assignment"])
    assert bob.get(address).status_code == 200
    assert Release.objects.filter(assignment=two_courses["assignment"]).count() == 1


def test_history_of_a_hand_in_says_who_withdrew_restored_and_answered_it(two_courses, browser):
    one, another = two_courses["submission"], cast.submit(two_courses["assignment"], "dave")
    act(browser("alice"), "hide", one, another)
    act(browser("root"), "restore", one)
    act(browser("root"), "hide", another)
    entries = browser("root").get(f"{LISTS[Submission]}{one.pk}/history/").context["entries"]
    assert [(entry.actor, entry.action) for entry, *_ in entries] == [
        ("root", "restore submission"),
        ("alice", "withdraw submission"),
        ("alice", "return feedback"),
        ("bob", "submit"),
    ]


def test_release_and_feedback_have_the_history_of_what_they_belong_to(two_courses, browser):
    release, feedback = two_courses["submission"].release, two_courses["submission"].feedbacks.get()
    found = {
        row: browser("root").get(f"/admin/exchange/{row._meta.model_name}/{row.pk}/history/").context["entries"]
        for row in (release, feedback)
    }
    assert [entry.action for entry, *_ in found[release]] == ["release"]
    assert [entry.action for entry, *_ in found[feedback]] == ["return feedback", "submit"]


@pytest.mark.parametrize("action", ["hide", "restore"])
def test_grader_student_and_outsiders_change_nothing(one, browser, action):
    if action == "restore":
        type(one).objects.update(withdrawn_at="2026-01-01T00:00Z")
    for who in ("gina", "bob", "carol", "erin"):
        before = everything()
        act(browser(who), action, one, confirmed="yes")
        assert everything() == before, who


@pytest.mark.parametrize("action", ["hide", "restore"])
@pytest.mark.parametrize("kind", ["assignment", "submission"])
def test_one_that_may_not_be_changed_keeps_all_as_they_are(two_courses, browser, kind, action):
    """Alice, who teaches NBG 101, only looks in the other course, whose turn comes last."""
    cast.enrol(two_courses["foreign course"], "alice", Role.GRADER)
    Course.objects.filter(pk=two_courses["foreign course"].pk).update(name="ZZZ")
    both = two_courses[kind], two_courses[f"foreign {kind}"]
    if action == "restore":
        type(both[0]).objects.update(withdrawn_at="2026-01-01T00:00Z")
    before = everything()
    for chosen in (both, both[::-1]):
        assert "As a grader of ZZZ you may not" in act(browser("alice"), action, *chosen)[1]
        assert everything() == before


# Deleting permanently


def wanted(text):
    return text.partition("To go on, type: ")[2].partition("</label>")[0]


def test_only_what_is_in_the_bin_is_deleted(one, browser):
    before = everything()
    _, text = act(browser("root"), "delete_permanently", one, confirmed="yes", phrase=str(one))
    assert "Only what is in the trash or unreleased" in text and everything() == before


def test_deleting_is_counted_then_typed_then_done_and_logged(withdrawn, browser):
    root, before, since = browser("root"), everything(), last_line()
    _, text = act(root, "delete_permanently", withdrawn)
    is_assignment = isinstance(withdrawn, Assignment)
    counts = {"Submissions": 1, "Feedback": 1, **({"Assignments": 1, "Releases": 1} if is_assignment else {})}
    assert all(f"<li>{kind}: {number}</li>" in text for kind, number in counts.items())
    assert wanted(text) == str(withdrawn) and everything() == before
    _, text = act(root, "delete_permanently", withdrawn, confirmed="yes", phrase=wanted(text))
    assert "deleted permanently" in text
    assert not type(withdrawn).objects.filter(pk=withdrawn.pk).exists()
    remaining = {Assignment: 1, Release: 1} if is_assignment else {Assignment: 2, Release: 2}
    for model, count in {**remaining, Submission: 1, Feedback: 1}.items():
        assert model.objects.count() == count, model
    ((actor, role, action, course, _),) = logged(since)
    assert (actor, role, course) == ("root", "administrator", cast.COURSE)
    assert action == f"delete {withdrawn._meta.model_name} permanently"
    deleted = AuditEntry.objects.latest("pk").details["deleted"]
    assert deleted == {kind.lower(): number for kind, number in counts.items()}


def test_garbage_collection_removes_bytes_that_nothing_else_uses(withdrawn, browser):
    act(browser("root"), "delete_permanently", withdrawn, confirmed="yes", phrase=str(withdrawn))
    long_ago, notebook, shared = timezone.now() - timedelta(days=2), WORK["ps1.ipynb"], WORK["data/numbers.csv"]
    Blob.objects.update(touched=long_ago)
    going = {notebook, *((shared, PS1["ps1.ipynb"]) if isinstance(withdrawn, Assignment) else ())}
    assert set(find_orphans()) == {cast.sha256(each) for each in going}
    assert garbage.collect_garbage(timezone.now() - timedelta(hours=2)) == (len(going), sum(map(len, going)))
    assert not any(blobs.verify(cast.sha256(each)) for each in going)
    assert all(blobs.verify(sha256) for sha256 in Blob.objects.values_list("sha256", flat=True))
    used = [model.objects.values_list("file_set", flat=True) for model in (Release, Submission, Feedback)]
    assert set(FileSet.objects.values_list("pk", flat=True)) == {pk for some in used for pk in some}


def find_orphans():
    return garbage.orphans(timezone.now() - timedelta(hours=2)).values_list("sha256", flat=True)


def test_file_set_that_is_submitted_again_before_garbage_collection_stays(two_courses, browser):
    one = two_courses["submission"]
    services.withdraw_submissions([one], by=actor("root"))
    one.refresh_from_db()
    act(browser("root"), "delete_permanently", one, confirmed="yes", phrase=str(one))
    Blob.objects.update(touched=timezone.now() - timedelta(days=2))
    with file_sets.store_upload(cast.upload(WORK), by=actor("bob")):
        assert garbage.collect_garbage(timezone.now() - timedelta(hours=2)) == (0, 0)
        assert file_sets.create_file_set(cast.upload(WORK).manifests[0])[0] == one.file_set


WRONG = [
    "",
    " ",
    "yes",
    "delete",
    "ps1",
    "delete 1 assignments",
    "NBG 101: PS1",
    "NBG 101: ps1x",
    "NBG 101",
    "a" * 9999,
]


@pytest.mark.wide
def test_wrong_words_change_nothing_however_often(withdrawn, browser):
    root, before = browser("root"), everything()
    for phrase in [*WRONG, str(withdrawn).upper(), str(withdrawn)[:-1], f"{withdrawn}\0"] * 3:
        status, text = act(root, "delete_permanently", withdrawn, confirmed="yes", phrase=phrase)
        assert status == 200 and wanted(text) == str(withdrawn)
    act(root, "delete_permanently", withdrawn, confirmed="yes")
    act(root, "delete_permanently", withdrawn, phrase=str(withdrawn))
    assert everything() == before


@pytest.mark.parametrize("name", ["ps  1", " ps1 ", "ps1\t", "line\nbreak", "<b>&amp;", "日本 😀", '"quoted"'])
def test_what_has_an_odd_name_can_be_deleted_by_what_the_page_shows(course, browser, name):
    made = services.release(course, "ps1", cast.upload(PS1), by=actor("alice")).assignment
    Assignment.objects.update(name=name)  # as it was possible once
    made.refresh_from_db()
    services.unrelease(made, by=actor("alice"))
    _, text = act(browser("root"), "delete_permanently", made)
    shown = " ".join(wanted(text).split())
    act(browser("root"), "delete_permanently", made, confirmed="yes", phrase=shown)
    assert not Assignment.objects.exists()


def test_many_want_their_number_typed_and_leave_out_what_is_not_in_the_bin(two_courses, browser):
    assignment = two_courses["assignment"]
    attempts = [cast.submit(assignment, who) for who in ("bob", "dave", "dave")]
    services.withdraw_submissions(attempts[:2], by=actor("alice"))
    root, before = browser("root"), everything()
    _, text = act(root, "delete_permanently", *attempts)
    assert wanted(text) == "delete 2 submissions"
    act(root, "delete_permanently", *attempts, confirmed="yes", phrase="delete 3 submissions")
    assert everything() == before
    act(root, "delete_permanently", *attempts, confirmed="yes", phrase="delete 2 submissions")
    left = Submission.objects.filter(assignment=assignment).values_list("pk", flat=True)
    assert set(left) == {two_courses["submission"].pk, attempts[2].pk}


@pytest.mark.parametrize("who", ["alice", "gina", "bob", "carol", "erin"])
def test_deleting_for_good_is_for_administrators(withdrawn, browser, who):
    before = everything()
    _, text = act(browser(who), "delete_permanently", withdrawn, confirmed="yes", phrase=str(withdrawn))
    assert "To go on, type" not in text and everything() == before


def test_name_of_another_course_does_not_delete_this_one(two_courses, browser):
    for one in (two_courses["assignment"], two_courses["foreign assignment"]):
        services.unrelease(one, by=actor("root"))
    before = everything()
    act(
        browser("root"),
        "delete_permanently",
        two_courses["assignment"],
        confirmed="yes",
        phrase=str(two_courses["foreign assignment"]),
    )
    assert everything() == before and Course.objects.count() == 2
