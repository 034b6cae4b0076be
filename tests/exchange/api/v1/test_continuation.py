"""The one deliberate difference: nothing that DELETE takes away is lost, and a later POST goes on with it."""

from courses import services as course_services
from courses.models import Course
from exchange import services
from exchange.models import Assignment, Submission
from tests import cast
from tests.cast import COURSE, ELSEWHERE
from tests.exchange.api.v1.scenarios import files
from tests.exchange.api.v1.wire import HTML, WORK, contents, delete, get, post

SECOND = {"files": files(ps1_ipynb=b"second release")}


def submit():
    status, reply = post("bob", "submission", COURSE, "ps1", **WORK)
    assert status == 200
    return reply["timestamp"]


def test_released_again_the_assignment_goes_on(assignment):
    time = submit()
    assert post("alice", "feedback", COURSE, "ps1", "bob", timestamp=time, **HTML)[0] == 200
    assert delete("alice", "assignment", COURSE, "ps1")[0] == 200
    assert get("bob", "submissions", COURSE, "ps1", "bob")[0] == 404
    assert post("alice", "assignment", COURSE, "ps1", **SECOND) == (200, {"success": True})
    own = {"success": True, "submissions": [{"student_id": "bob", "timestamp": time}]}
    assert get("bob", "submissions", COURSE, "ps1", "bob") == (200, own)
    assert get("alice", "submissions", COURSE, "ps1") == (200, own)
    status, feedback = get("bob", "feedback", COURSE, "ps1", "bob", timestamp=time)
    assert contents(feedback) == {"ps1.html": b"<b>well done</b>"}
    assert contents(get("bob", "assignment", COURSE, "ps1")[1]) == {"ps1.ipynb": b"second release"}
    assert [release.number for release in assignment.releases.all()] == [1, 2]


def test_removed_assignment_comes_back_with_every_submission(assignment):
    time = submit()
    delete("alice", "assignment", COURSE, "ps1")
    services.restore(Assignment.objects.get(), by=cast.actor("root"))
    assert get("alice", "submissions", COURSE, "ps1")[1]["submissions"] == [{"student_id": "bob", "timestamp": time}]
    assert contents(get("alice", "submission", COURSE, "ps1", "bob")[1]) == {"ps1.ipynb": b"my work"}


def test_removed_course_comes_back_with_everything(assignment):
    time = submit()
    assert delete("root", "course", COURSE)[0] == 200
    assert get("alice", "courses")[1]["courses"] == []
    for who in ("alice", "root"):
        assert get(who, "assignments", COURSE) == (404, {"success": False, "message": "Course not found"})
    course_services.restore_course(COURSE, by=cast.actor("root"))
    assert get("alice", "submissions", COURSE, "ps1")[1]["submissions"] == [{"student_id": "bob", "timestamp": time}]
    assert [one["username"] for one in get("alice", "students", COURSE)[1]["students"]] == ["bob", "dave"]


def test_assignment_of_another_course_is_not_found_under_this_one(assignment):
    elsewhere = Course.objects.get(name=ELSEWHERE)
    services.release(elsewhere, "ps2", cast.upload({"a": b"a"}), by=cast.actor("carol"))
    assert get("carol", "assignments", ELSEWHERE)[1]["assignments"] == ["ps2"]
    assert get("carol", "assignment", ELSEWHERE, "ps1") == (404, {"success": False, "message": "Assignment not found"})
    assert post("carol", "assignment", ELSEWHERE, "ps1", **SECOND)[0] == 200


def test_replaced_feedback_is_kept(assignment):
    time = submit()
    for name in ("first", "second"):
        tree = files(**{f"{name}_html": name.encode()})
        assert post("alice", "feedback", COURSE, "ps1", "bob", timestamp=time, files=tree)[0] == 200
    assert contents(get("bob", "feedback", COURSE, "ps1", "bob", timestamp=time)[1]) == {"second.html": b"second"}
    assert Submission.objects.get().feedbacks.count() == 2


def test_withdrawn_submission_is_there_for_its_student_alone(assignment):
    time = submit()
    services.withdraw_submissions(list(Submission.objects.all()), by=cast.actor("alice"))
    assert get("alice", "submissions", COURSE, "ps1")[1]["submissions"] == []
    assert get("alice", "submissions", COURSE, "ps1", "bob")[1]["submissions"] == []
    assert get("alice", "submission", COURSE, "ps1", "bob")[0] == 404
    assert get("alice", "submission", COURSE, "ps1", "bob", timestamp=time)[0] == 404
    assert post("alice", "feedback", COURSE, "ps1", "bob", timestamp=time, **HTML)[0] == 404
    assert get("bob", "submissions", COURSE, "ps1", "bob")[1]["submissions"] == [
        {"student_id": "bob", "timestamp": time}
    ]
    assert get("bob", "feedback", COURSE, "ps1", "bob", timestamp=time)[0] == 200


def test_what_the_native_api_submitted_is_listed(assignment):
    made, _ = services.submit(assignment, cast.upload({"z.txt": b"z", "a.txt": b"a"}), by=cast.actor("dave"))
    status, reply = get("alice", "submission", COURSE, "ps1", "dave")
    assert contents(reply) == {"a.txt": b"a", "z.txt": b"z"}
    assert reply["timestamp"] == made.created.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_an_instructors_own_hand_in_is_listed_too(assignment):
    assert post("alice", "submission", COURSE, "ps1", **WORK)[0] == 200
    assert [one["student_id"] for one in get("alice", "submissions", COURSE, "ps1")[1]["submissions"]] == ["alice"]
    assert Submission.objects.get().trial
