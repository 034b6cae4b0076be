"""The progress of a course: the rule itself, the command `course_status`, and the answer of the API."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from courses import roster
from courses import services as course_services
from courses.models import Course, Membership
from courses.permissions import SERVER
from courses.services import RosterEntry
from exchange import progress, services
from exchange.models import Extension, Submission
from exchange.states import State
from nbgrader_plugin.cli.course_status import render_status
from tests import cast
from tests.cast import COURSE, WORK, actor, everything, person, return_feedback, submit, v2

HEADER = ["username", "first_name", "last_name", "section", "standing", "late_days_used"]


@pytest.fixture
def ps2(assignment):
    """Another assignment of the course, to which nobody has submitted."""
    return services.release(assignment.course, "ps2", cast.upload({"ps2.ipynb": b"{}"}), by=actor("alice")).assignment


def line_of(course, username):
    (line,) = [one for one in progress.course_progress(course) if one.username == username]
    return line


def submit_late(assignment, username, hours, *, trial=False):
    """Another submission, so many hours after the due date."""
    made = submit(assignment, username, more=b"%d" % (hours * 60))
    Submission.objects.filter(pk=made.pk).update(created=assignment.due + timedelta(hours=hours), trial=trial)
    return made


def submitted_by(member):
    """The ids of the assignments that a member has submitted."""
    return {pk for pk, work in member.work.items() if work.attempts}


def due(assignment, moment):
    services.set_due_date(assignment, moment, by=actor("alice"))
    assignment.refresh_from_db()


# The rule


def test_every_student_has_a_line_and_staff_have_none(assignment):
    lines = progress.course_progress(assignment.course)
    assert [(line.username, line.on_roster, submitted_by(line)) for line in lines] == [
        ("bob", True, set()),
        ("dave", True, set()),
    ]
    assert [work.state for line in lines for work in line.work.values()] == [State.NOT_SUBMITTED] * 2


def test_names_and_sections_come_from_the_roster(course):
    entry = RosterEntry("bob", first_name="Bob", last_name="Baker", section="A")
    course_services.change_member(Membership.objects.get(user__username="bob"), entry, by=SERVER)
    line = line_of(course, "bob")
    assert (line.full_name, line.section) == ("Bob Baker", "A") and line_of(course, "dave").full_name == ""


def test_attempts_are_counted_and_the_last_one_is_shown(assignment):
    submit(assignment, "bob")
    last = submit(assignment, "bob", more=b"more")
    work = line_of(assignment.course, "bob").work[assignment.pk]
    assert (work.attempts, work.last, work.last_id) == (2, last.created, last.pk)
    assert (work.late, work.state) == (False, State.SUBMITTED)
    assert submitted_by(line_of(assignment.course, "dave")) == set()


@pytest.mark.parametrize(("microseconds", "late"), [(-1, True), (0, False), (1, False)])
def test_late_is_what_came_after_the_due_date(submission, microseconds, late):
    due(submission.assignment, submission.created + timedelta(microseconds=microseconds))
    assert line_of(submission.assignment.course, "bob").work[submission.assignment.pk].late is late


def test_only_the_last_attempt_says_whether_it_is_late(assignment):
    first = submit(assignment, "bob")
    last = submit(assignment, "bob", more=b"more")
    due(assignment, first.created)
    assert line_of(assignment.course, "bob").work[assignment.pk].late
    services.withdraw_submissions([last], by=actor("alice"))
    assert not line_of(assignment.course, "bob").work[assignment.pk].late


def test_what_nobody_collected_is_not_collected_because_an_earlier_attempt_was(assignment):
    def bob():
        work = line_of(assignment.course, "bob").work[assignment.pk]
        return work.state, work.collected, work.feedback

    first = submit(assignment, "bob")
    services.mark_collected([first], by=actor("gina"))
    assert bob() == (State.COLLECTED, True, False)
    second = submit(assignment, "bob", more=b"more")
    assert bob() == (State.NEWER_THAN_COLLECTED, False, False)
    return_feedback(first, "gina")
    return_feedback(first, "gina", b"better")
    assert bob() == (State.NEWER_THAN_FEEDBACK, False, False)
    services.mark_collected([second], by=actor("gina"))
    assert bob() == (State.COLLECTED, True, False)
    return_feedback(second, "gina")
    assert bob() == (State.FEEDBACK_RETURNED, True, True)


def test_trials_and_withdrawn_submissions_are_left_out(assignment):
    submit(assignment, "alice")
    submit(assignment, "gina")
    services.withdraw_submissions([submit(assignment, "bob")], by=actor("alice"))
    assert [(line.username, submitted_by(line)) for line in progress.course_progress(assignment.course)] == [
        ("bob", set()),
        ("dave", set()),
    ]


def test_trials_count_where_they_are_asked_for(submission):
    assignment = submission.assignment
    trial = submit(assignment, "gina")
    members = {each.username: each for each in progress.course_progress(assignment.course, trials=True)}
    assert list(members) == ["bob", "dave", "gina"]
    assert members["gina"].work[assignment.pk].last_id == trial.pk and members["gina"].standing == "grader"
    counts = progress.count_by_assignment([assignment], trials=True)[assignment.pk]
    assert counts.sentence == "1 of 2 students; 1 submission of staff"
    assert progress.count_by_assignment([assignment])[assignment.pk].sentence == "1 of 2 students"


def test_trial_hides_no_submission_of_who_was_a_student(submission):
    """A student becomes a grader, and tries the assignment."""
    assignment = submission.assignment
    services.mark_collected([submission], by=actor("alice"))
    course_services.change_member(Membership.objects.get(user__username="bob"), RosterEntry("bob", "grader"), by=SERVER)
    trial = submit(assignment, "bob", more=b"more")
    work = line_of(assignment.course, "bob").work[assignment.pk]
    assert (work.last_id, work.state, work.attempts) == (submission.pk, State.COLLECTED, 1)
    (bob,) = [each for each in progress.course_progress(assignment.course, trials=True) if each.username == "bob"]
    work = bob.work[assignment.pk]
    assert (work.last_id, work.state, work.attempts) == (trial.pk, State.NEWER_THAN_COLLECTED, 2)


def test_due_date_is_told_in_the_courses_time_zone(assignment):
    Course.objects.filter(pk=assignment.course.pk).update(timezone="Europe/Berlin")
    due(assignment, datetime(2026, 11, 3, 12, tzinfo=UTC))
    assignment.course.refresh_from_db()
    own = progress.own_progress(person("bob"), [assignment])[assignment.pk]
    assert own.due_text == "2026-11-03 13:00 CET (Europe/Berlin)" and own.words == "not submitted"


def test_what_staff_wrote_about_an_extension_is_for_staff(assignment):
    due(assignment, datetime(2026, 11, 3, 12, tzinfo=UTC))
    later = datetime(2026, 11, 5, 12, tzinfo=UTC)
    Extension.objects.create(assignment=assignment, user=person("bob"), due=later, reason="illness", created=later)
    assert line_of(assignment.course, "bob").work[assignment.pk].extension == "extended: illness"
    own = progress.own_progress(person("bob"), [assignment])[assignment.pk]
    assert (own.deadline.due, own.extension) == (later, "extended")


def test_due_date_in_force_is_shown_with_its_reason(submission):
    assignment = submission.assignment
    due(assignment, submission.created - timedelta(hours=1))
    assert line_of(assignment.course, "bob").work[assignment.pk].words == "late, submitted"
    later = submission.created + timedelta(hours=1)
    Extension.objects.create(
        assignment=assignment, user=person("bob"), due=later, reason="illness", created=submission.created
    )
    work = line_of(assignment.course, "bob").work[assignment.pk]
    assert (work.words, work.deadline.due, work.extension) == ("submitted", later, "extended: illness")
    assert line_of(assignment.course, "dave").work[assignment.pk].extension == ""
    assert progress.count_by_assignment([assignment])[assignment.pk].late == 0


def test_who_left_the_roster_stays_with_their_work_alone(submission):
    course = submission.assignment.course
    for username in ("bob", "dave"):
        course_services.remove_member(Membership.objects.get(user__username=username), by=SERVER)
    (line,) = progress.course_progress(course)
    assert (line.username, line.on_roster, line.full_name, line.standing) == ("bob", False, "", "left the course")
    assert line.work[submission.assignment.pk].attempts == 1


def test_student_who_became_a_grader_is_still_on_the_roster(submission):
    entry = RosterEntry("bob", "grader", first_name="Bob")
    course_services.change_member(Membership.objects.get(user__username="bob"), entry, by=SERVER)
    line = line_of(submission.assignment.course, "bob")
    assert (line.on_roster, line.full_name, line.standing, len(line.work)) == (True, "Bob", "grader", 1)
    counts = progress.count_by_assignment([submission.assignment])[submission.assignment.pk]
    assert counts.sentence == "0 of 1 student; 1 submission of staff"


def test_what_staff_submit_for_a_student_is_the_students(assignment):
    services.submit(assignment, cast.upload(WORK), by=actor("gina"), student=person("bob"))
    assert line_of(assignment.course, "bob").work[assignment.pk].attempts == 1


def test_other_courses_and_assignments_do_not_come_in(submission, ps2):
    assert submitted_by(progress.course_progress(ps2.course, [ps2])[0]) == set()
    (line,) = [one for one in progress.course_progress(ps2.course) if submitted_by(one)]
    assert submitted_by(line) == {submission.assignment.pk}
    elsewhere = Membership.objects.get(user__username="carol").course
    assert progress.course_progress(elsewhere) == []


@pytest.mark.parametrize("size", [0, 30])
def test_queries_do_not_grow_with_the_course(assignment, django_assert_num_queries, size):
    course = assignment.course
    roster.apply_roster(course, [RosterEntry(f"s{number}") for number in range(size)], by=SERVER)
    for number in range(size):
        submit(assignment, f"s{number}")
    submit(assignment, "bob")
    with django_assert_num_queries(3):
        assert len(progress.course_progress(course)) == size + 2


# Late days


@pytest.fixture
def late_days(assignment, ps2):
    """The course has a budget, bob an extension of a day, and the students some late submissions."""
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    for each in (assignment, ps2):
        due(each, noon)
    Extension.objects.create(
        assignment=assignment, user=person("bob"), due=noon + timedelta(days=1), reason="illness", created=noon
    )
    for each, username, hours in [
        *((assignment, "bob", 60), (assignment, "bob", 84), (ps2, "bob", 12), (ps2, "bob", -1)),
        *((assignment, "dave", 24), (ps2, "dave", 0)),
    ]:
        submit_late(each, username, hours)
    submit_late(ps2, "gina", 24, trial=True)
    course = Course.objects.get(pk=assignment.course.pk)
    course.late_days = 5
    course.save()
    return course


def test_late_days_are_those_of_the_latest_submission_of_each_assignment(late_days):
    assert progress.late_days_used(late_days) == {person("bob").pk: 4, person("dave").pk: 1}
    assert progress.late_days_used(late_days, [person("dave").pk]) == {person("dave").pk: 1}


def test_repeating_what_was_in_time_uses_no_late_day(late_days, ps2):
    submit_late(ps2, "dave", -3)
    repeated = Submission.objects.get(student__username="dave", assignment=ps2, created=ps2.due)
    services.withdraw_submissions([repeated], by=actor("alice"))
    again = submit(ps2, "dave", more=b"%d" % -180)
    Submission.objects.filter(pk=again.pk).update(created=ps2.due + timedelta(hours=80))
    assert line_of(late_days, "dave").late_days_used == 1


def test_every_place_shows_lateness_and_the_late_days_used(late_days, assignment, client, settings):
    settings.NGSHARE_STANDALONE = True
    client.force_login(person("alice"))
    table = client.get(f"/view/course/{COURSE}/ps1/").content.decode()
    progress_page = client.get(f"/admin/exchange/assignment/status/{late_days.pk}/").content.decode()
    for page in (table, progress_page):
        assert "4 of 5 late days used" in page and "1 of 5 late days used" in page
        assert "by 2 d 12 h" in page and "by 1 d" in page
    rows = list(csv.DictReader(io.StringIO(run(COURSE, "--csv"))))
    assert [(row["late_days_used"], row["ps1: minutes_late"], row["ps2: minutes_late"]) for row in rows] == [
        ("4", "3600", "720"),
        ("1", "1440", "0"),
    ]
    assert [line.split()[:3] for line in run(COURSE).splitlines()[1:3]] == [["bob", "4", "of"], ["dave", "1", "of"]]
    answer = cast.client("alice").get(v2("courses", COURSE, "status")).json()
    assert answer["late_days"] == 5 and [each["late_days_used"] for each in answer["members"]] == [4, 1]
    assert [work["minutes_late"] for work in answer["members"][0]["work"]] == [3600, 720]
    assert "4 of 5" in render_status([answer])


def test_student_sees_how_late_they_were_and_the_late_days_that_they_used(late_days, assignment, client):
    client.force_login(person("bob"))
    page = client.get(f"/view/course/{COURSE}/ps1/").content.decode()
    assert "You have used 4." in page and "by 1 d 12 h" in page
    assert "by 2 d 12 h" in client.get("/").content.decode()
    last = Submission.objects.filter(student__username="bob", assignment=assignment).latest("created")
    assert "by 2 d 12 h" in client.get(f"/view/submission/{last.pk}/").content.decode()


# The command


def run(*arguments):
    out = io.StringIO()
    call_command("course_status", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def two_attempts(assignment, ps2):
    """bob submitted twice and late, and got feedback; erin submitted and left; times are fixed."""
    course = assignment.course
    names = RosterEntry("bob", first_name="Bob", last_name="Baker", section="A")
    course_services.change_member(Membership.objects.get(user__username="bob"), names, by=SERVER)
    course_services.add_member(course, RosterEntry("erin"), by=SERVER)
    attempts = [submit(assignment, name, more=text) for name, text in (("bob", b"1"), ("bob", b"2"), ("erin", b"3"))]
    noon = attempts[0].created.replace(year=2026, month=11, day=3, hour=12, minute=0, second=0, microsecond=0)
    for minutes, attempt in enumerate(attempts):
        Submission.objects.filter(pk=attempt.pk).update(created=noon + timedelta(minutes=minutes))
    due(assignment, noon)
    course_services.remove_member(Membership.objects.get(user__username="erin"), by=SERVER)
    services.mark_collected(attempts[1:], by=actor("gina"))
    return_feedback(attempts[0], "gina")
    return course


def test_command_writes_a_table(two_attempts):
    before = everything()
    assert run(COURSE).splitlines() == [
        "username   name               section  ps1                                                 ps2",
        "bob        Bob Baker          A        2026-11-03 12:01, late, collected, 2 attempts       -",
        "dave                                   -                                                   -",
        "erin       (left the course)           2026-11-03 12:02, late, collected                   -",
        "submitted                              1 of 2 students; 1 submission of somebody who left  0 of 2 students",
    ]
    assert everything() == before


def test_command_writes_the_csv_that_the_admin_gives(two_attempts, client):
    client.force_login(person("alice"))
    text = run(COURSE, "--csv")
    rows = list(csv.reader(io.StringIO(text)))
    columns = ["state", "late", "minutes_late", "attempts", "last", "due", "extension"]
    assert rows[0] == [*HEADER, *(f"ps1: {column}" for column in columns), *(f"ps2: {column}" for column in columns)]
    assert rows[1] == [
        *("bob", "Bob", "Baker", "A", "", ""),
        *("collected", "yes", "1", "2", "2026-11-03T12:01:00+00:00", "2026-11-03T12:00:00+00:00", ""),
        *("not submitted", "", "", "0", "", "", ""),
    ]
    assert rows[3][4:10] == ["left the course", "", "collected", "yes", "2", "1"]
    answer = client.get(f"/admin/exchange/assignment/status/{two_attempts.pk}/status.csv")
    assert b"".join(answer.streaming_content).decode("utf-8-sig") == text


@pytest.mark.parametrize("arguments", [(), ("--csv",)])
def test_command_writes_a_file(two_attempts, tmp_path, arguments):
    path = tmp_path / "status"
    assert run(COURSE, *arguments, "--output", str(path)) == ""
    assert path.read_bytes().decode() == run(COURSE, *arguments)


def test_file_that_cannot_be_written_is_reported(two_attempts, tmp_path):
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        run(COURSE, "--output", str(tmp_path))


def test_missing_and_trashed_courses_are_reported(two_attempts):
    course_services.trash_course(two_attempts, by=SERVER)
    for name in (COURSE, "Nowhere", ""):
        with pytest.raises(CommandError, match=f"There is no course {name}"):
            run(name)


def test_empty_course_is_an_empty_table(course):
    course.memberships.all().delete()
    assert run(COURSE) == "username   name  section\nsubmitted\n"
    assert run(COURSE, "--csv") == ",".join(HEADER) + "\r\n"


def test_names_can_neither_drive_a_terminal_nor_a_spreadsheet(course):
    Membership.objects.filter(user__username="bob").update(first_name="\x1b[31mBob\n", last_name="=1+1")
    assert "bob        ?[31mBob? =1+1\n" in run(COURSE)
    assert "'=1+1" in run(COURSE, "--csv")


# The API


@pytest.mark.parametrize(
    ("who", "code"),
    [(None, 401), ("erin", 403), ("bob", 403), ("carol", 403), ("gina", 200), ("alice", 200), ("root", 200)],
)
def test_api_tells_staff_alone(submission, settings, who, code):
    settings.NGSHARE_STANDALONE = True
    before = everything()
    answer = cast.client(who).get(v2("courses", COURSE, "status"))
    assert answer.status_code == code and everything() == before
    assert ("members" in answer.json()) is (code == 200)


def test_api_says_the_same_as_the_table(two_attempts, settings):
    settings.NGSHARE_STANDALONE = True
    answer = cast.client("alice").get(v2("courses", COURSE, "status")).json()
    assert answer["course"] == COURSE
    assert answer["assignments"] == [
        {"name": "ps1", "status": "released", "due": "2026-11-03T12:00:00.000000Z", "counts": counts(1, late=1)},
        {"name": "ps2", "status": "released", "due": None, "counts": counts(0)},
    ]
    assert (answer["count"], answer["next_page"]) == (3, None)
    bob, dave, erin = answer["members"]
    assert bob["work"][0] == {
        "assignment": "ps1",
        "state": "collected",
        "attempts": 2,
        "last": "2026-11-03T12:01:00.000000Z",
        "submission": Submission.objects.filter(student__username="bob").latest("created").pk,
        "late": True,
        "minutes_late": 1,
        "collected": True,
        "feedback": False,
        "due": "2026-11-03T12:00:00.000000Z",
        "extension": "",
        "cut_off": None,
        "max_attempts": None,
        "reason": "",
        "note": "",
    }
    assert (bob["first_name"], bob["section"], bob["on_roster"]) == ("Bob", "A", True)
    assert (dave["username"], dave["work"][0]["state"]) == ("dave", "not_submitted")
    assert (erin["on_roster"], erin["standing"]) == (False, "left the course")


def counts(submitted, **more):
    sentence = f"{submitted} of 2 students" + ("; 1 submission of somebody who left" if submitted else "")
    none = dict.fromkeys(("late", "not_collected", "feedback", "staff"), 0)
    common = {"students": 2, "submitted": submitted, "collected": submitted, "left": submitted, "sentence": sentence}
    return {**none, **common, **more}


def test_api_comes_in_pages_sorted_and_filtered(two_attempts, settings, monkeypatch):
    settings.NGSHARE_STANDALONE = True
    monkeypatch.setattr("exchange.api.v2.progress.MEMBERS_PER_PAGE", 2)

    def ask(**query):
        answer = cast.client("alice").get(v2("courses", COURSE, "status"), query)
        assert answer.status_code == 200
        return [member["username"] for member in answer.json()["members"]], answer.json()["next_page"]

    assert ask(page=1) == (["bob", "dave"], 2) and ask(page=2) == (["erin"], None)
    assert ask(page=1, sort="time") == (["erin", "bob"], 2)
    assert ask(show="missing", assignment="ps1") == (["dave"], None)
    assert ask(q="BAKER") == (["bob"], None) and ask(section="A") == (["bob"], None)


@pytest.mark.parametrize(
    "query", [{"show": "x"}, {"sort": "x"}, {"page": "0"}, {"page": "x"}, {"trials": "x"}, {"q": "\0"}], ids=str
)
def test_api_refuses_a_query_that_it_does_not_know(two_attempts, settings, query):
    settings.NGSHARE_STANDALONE = True
    assert cast.client("alice").get(v2("courses", COURSE, "status"), query).status_code == 400
    assert cast.client("alice").get(v2("courses", COURSE, "status"), {"assignment": "x"}).status_code == 404


def test_api_shows_withdrawn_assignments_as_such(submission, settings):
    settings.NGSHARE_STANDALONE = True
    services.unrelease(submission.assignment, by=actor("alice"))
    answer = cast.client("gina").get(v2("courses", COURSE, "status")).json()
    assert [one["status"] for one in answer["assignments"]] == ["withdrawn"]
    assert answer["members"][0]["work"][0]["attempts"] == 1


@pytest.mark.parametrize("name", ["Nowhere", "in the trash"])
def test_api_has_no_status_of_what_is_not_there(submission, settings, name):
    settings.NGSHARE_STANDALONE = True
    if name == "in the trash":
        name = COURSE
        course_services.trash_course(submission.assignment.course, by=SERVER)
    assert cast.client("root").get(v2("courses", name, "status")).status_code == 404
