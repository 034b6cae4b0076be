"""Many at the same instant, over several server processes: every request gets a clear answer and nothing is lost."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
import requests

from tests import servers
from tests.exchange.api.v1.scenarios import files
from tests.exchange.api.v1.wire import HTML, path

pytestmark = pytest.mark.live
CROWD = 12
NAMES = {"first_name": "A", "last_name": "B", "email": "c@d"}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request, tmp_path_factory):
    with ExitStack() as stack:
        variables = {"DATABASE_URL": stack.enter_context(servers.postgres())} if request.param == "postgres" else {}
        yield stack.enter_context(servers.service(tmp_path_factory.mktemp("ours"), **variables)).url


@pytest.fixture
def course(url, request):
    """The address of a new course of alice's with one assignment and a crowd of students."""
    name = request.node.name
    assert say(url, "root", "POST", "course", name, instructors='["alice", "ada"]') == 200
    rows = [{"username": f"s{number}", **NAMES} for number in range(CROWD)]
    assert say(url, "alice", "POST", "students", name, students=json.dumps(rows)) == 200
    assert say(url, "alice", "POST", "assignment", name, "ps1", files=files(a_txt=b"a")) == 200
    return name


def send(url, who, method, *parts, **form):
    return requests.request(method, url + path(*parts), data={"user": who, **form}, timeout=300)


def say(url, who, method, *parts, **form):
    return send(url, who, method, *parts, **form).status_code


def at_once(*requests_):
    """What functions answer that are called at the same instant."""
    barrier = Barrier(len(requests_))

    def call(request):
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests_)) as pool:
        return list(pool.map(call, requests_))


def crowd(url, *request, **form):
    """The statuses that a crowd gets for one and the same request."""
    return Counter(at_once(*[lambda: say(url, *request, **form)] * CROWD))


def test_every_hand_in_is_kept(url, course):
    def submit(number):
        tree = files(a_txt=b"the same", own_txt=f"{number}".encode())
        return send(url, f"s{number}", "POST", "submission", course, "ps1", files=tree).json()["timestamp"]

    times = at_once(*[lambda number=number: submit(number) for number in range(CROWD)])
    listed = requests.get(url + path("submissions", course, "ps1"), params={"user": "alice"}, timeout=300).json()
    assert {(one["student_id"], one["timestamp"]) for one in listed["submissions"]} == {
        (f"s{number}", time) for number, time in enumerate(times)
    }


def test_one_student_hands_in_many_times_at_once(url, course):
    def submit():
        reply = send(url, "s1", "POST", "submission", course, "ps1", files=files(a_txt=b"a"))
        return reply.json().get("timestamp") if reply.status_code == 200 else None

    times = [time for time in at_once(*[submit] * CROWD) if time]
    listed = requests.get(url + path("submissions", course, "ps1"), params={"user": "alice"}, timeout=300).json()
    assert sorted(one["timestamp"] for one in listed["submissions"]) == sorted(times)
    assert len(times) > 0


def test_of_many_releases_one_counts(url, course):
    assert crowd(url, "alice", "POST", "assignment", course, "ps2", files=files(a_txt=b"a")) == {200: 1, 409: CROWD - 1}


def test_of_many_courses_of_one_name_one_is_made(url, course):
    assert crowd(url, "root", "POST", "course", f"{course} new") == {200: 1, 409: CROWD - 1}


def test_one_student_is_added_by_many(url, course):
    assert crowd(url, "alice", "POST", "student", course, "eve", **NAMES) == {200: CROWD}


def test_one_roster_is_sent_by_many(url, course):
    rows = [{"username": name, **NAMES} for name in ("x", "y", "z", "s1")]
    assert crowd(url, "alice", "POST", "students", course, students=json.dumps(rows)) == {200: CROWD}


def test_feedback_is_given_by_many(url, course):
    time = send(url, "s1", "POST", "submission", course, "ps1", files="[]").json()["timestamp"]
    assert crowd(url, "alice", "POST", "feedback", course, "ps1", "s1", timestamp=time, **HTML) == {200: CROWD}


def test_what_comes_and_goes_at_once_is_told_clearly(url, course):
    def call(who, method, *parts, **form):
        return lambda: say(url, who, method, *parts, **form)

    tree = {"files": files(a_txt=b"a")}
    for _ in range(5):
        told = at_once(
            call("alice", "POST", "student", course, "s1", **NAMES),
            call("alice", "DELETE", "student", course, "s1"),
            call("ada", "POST", "students", course, students=json.dumps([{"username": "s1", **NAMES}])),
            call("root", "POST", "instructor", course, "s1", **NAMES),
            call("root", "DELETE", "instructor", course, "s1"),
            call("alice", "DELETE", "assignment", course, "ps1"),
            call("alice", "POST", "assignment", course, "ps1", **tree),
            call("s2", "POST", "submission", course, "ps1", **tree),
        )
        assert max(told) < 500, told
