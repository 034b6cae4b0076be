"""What ngshare is for: a real JupyterHub, each user's server in a container of its own, and no disk is shared.

The whole cycle by nbgrader in these containers; then ngshare is cut off, or killed, in the middle of submissions.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from deploy.demo.hub import answers
from tests.campus import COURSE
from tests.deploy.separate_servers import running_hub
from tests.servers import PATIENCE, wait_until

pytestmark = pytest.mark.deploy

STUDENTS = ("bob", "carol")
PATIENT = "--NgshareClient.attempts=12"  # a busy machine may take a while to start ngshare again
HASTY = ("--NgshareClient.attempts=2", "--NgshareClient.connect_timeout=1", "--NgshareClient.list_timeout=3")


@pytest.fixture(scope="module")
def campus(tmp_path_factory, service_image, singleuser_image):
    with running_hub(tmp_path_factory.mktemp("hub"), service_image, singleuser_image) as running:
        running.create_course()
        with ThreadPoolExecutor() as pool:
            list(pool.map(running.hub.start_server, ("alice", *STUDENTS)))
        running.prepare_instructor()
        running.nbgrader("alice", "generate_assignment", "ps1")
        assert f"Released as: {COURSE} ps1" in running.nbgrader("alice", "release_assignment", "ps1")
        for student in STUDENTS:
            assert f"Fetched as: {COURSE} ps1" in running.nbgrader(
                student, "fetch_assignment", "ps1", "--course", COURSE
            )
        yield running


def submit(campus, student, *options, fails=False):
    return campus.nbgrader(student, "submit", "ps1", "--course", COURSE, *options, fails=fails)


def test_users_share_no_disk_and_reach_nothing_outside(campus):
    for username in STUDENTS:
        campus.execute(username, "touch", f"only-{username}-has-this")
    assert "only-bob-has-this" in campus.execute("bob", "ls")
    assert "only-bob-has-this" not in campus.execute("carol", "ls")
    volumes = [
        campus.container(name).state("{{range .Mounts}}{{.Name}} {{end}}").split() for name in ("alice", *STUDENTS)
    ]
    volumes.append(campus.ngshare.state("{{range .Mounts}}{{.Name}} {{end}}").split())
    assert len({name for names in volumes for name in names}) == len(volumes)  # one each
    routes = campus.execute("bob", "cat", "/proc/net/route").splitlines()[1:]
    assert not [route for route in routes if route.split()[1] == "00000000"]  # no default route


def test_assignment_goes_all_the_way_round(campus):
    run = campus.nbgrader
    assert f"{COURSE} ps1" in run("bob", "list")
    answer = "sed -i 's/# YOUR CODE HERE/return [i ** 2 for i in range(1, n + 1)]/' ps1/problem1.ipynb"
    campus.execute("bob", "sh", "-c", answer)
    for student in STUDENTS:
        assert f"Submitted as: {COURSE} ps1" in submit(campus, student)
    inbound = run("alice", "list", "--inbound")
    assert f"{COURSE} bob ps1" in inbound and f"{COURSE} carol ps1" in inbound
    run("alice", "collect", "ps1")
    assert campus.execute("alice", "ls", "nbg101/submitted").split() == ["bob", "carol"]
    run("alice", "autograde", "ps1")
    run("alice", "generate_feedback", "ps1")
    run("alice", "release_feedback", "ps1")
    run("bob", "fetch_feedback", "ps1", "--course", COURSE)
    assert "<html" in campus.execute("bob", "sh", "-c", "cat ps1/feedback/*/problem1.html")


def test_browser_logs_in(campus):
    hub, browser = campus.hub, requests.Session()
    browser.get(f"{hub.url}/hub/login", timeout=30)
    form = {"username": "bob", "password": "any", "_xsrf": browser.cookies.get("_xsrf", path="/hub/")}
    assert browser.post(f"{hub.url}/hub/login?next=/hub/home", data=form, timeout=60).status_code == 200
    page = browser.get(f"{hub.ngshare}/", timeout=60)
    assert page.status_code == 200 and COURSE in page.text


# What goes wrong. Each test begins and ends with everything at work.


def write_large_file(campus, student):
    """A new file, so that it takes a while to submit: 40 MB that nobody has sent before."""
    campus.execute(student, "sh", "-c", "head -c 40000000 /dev/urandom > ps1/large.bin")


def stop_in_the_middle_of_an_upload(campus):
    """Let ngshare's processes stand still as soon as some bytes of an upload have arrived."""
    arrived = 'find "$NGSHARE_DATA/blobs/staging" -type f -size +64k -newer /tmp/started | grep -q .'
    watch = f"touch /tmp/started; for _ in $(seq 6000); do {arrived} && kill -STOP -1 && exit; sleep 0.01; done; exit 1"
    assert campus.ngshare.execute("sh", "-c", watch).returncode == 0


def start_again(campus):
    campus.ngshare.wait(PATIENCE)  # or the one that was killed would count as running
    campus.ngshare.start()
    wait_until(lambda: answers(f"http://{campus.net.ngshare}:12121/healthz"))


def assert_one_more(campus, student, before):
    """There is one submission more than before, and the student has its receipt."""
    (new,) = campus.submissions(student).keys() - before.keys()
    assert new in campus.receipts(student)


def assert_nothing_is_lost(campus):
    """Whatever a student has a receipt for, the service has, and the bytes of its files."""
    intact = campus.intact_blobs()
    for student in STUDENTS:
        acknowledged, known = campus.receipts(student), campus.submissions(student)
        for number, receipt in acknowledged.items():
            assert campus.verify(student, receipt)
            assert {file["sha256"] for file in known[number]["files"]} <= intact


def test_upload_goes_on_when_the_service_is_back_on_the_network(campus):
    write_large_file(campus, "bob")
    before = campus.submissions("bob")
    with ThreadPoolExecutor() as pool:
        submitting = pool.submit(submit, campus, "bob")
        stop_in_the_middle_of_an_upload(campus)
        campus.net.cut_off(campus.ngshare)
        campus.ngshare.execute("sh", "-c", "kill -CONT -1")
        time.sleep(2)
        assert not submitting.done()
        campus.net.join(campus.ngshare)
        assert f"Submitted as: {COURSE} ps1" in submitting.result()
    assert_one_more(campus, "bob", before)
    assert_nothing_is_lost(campus)


def test_users_read_a_sentence_while_the_service_is_cut_off(campus):
    before = campus.submissions("bob")
    campus.net.cut_off(campus.ngshare)
    try:
        for command in ("list", "submit ps1", "fetch_assignment ps1 --replace"):
            output = campus.nbgrader("bob", *command.split(), "--course", COURSE, *HASTY, fails=True)
            assert re.search(r"The exchange .*(cannot be reached|did not answer)", output), output
    finally:
        campus.net.join(campus.ngshare)
    assert f"Submitted as: {COURSE} ps1" in submit(campus, "bob")
    assert_one_more(campus, "bob", before)
    assert_nothing_is_lost(campus)


def test_submits_are_repeated_by_themselves_when_the_service_is_killed_and_started_again(campus):
    for student in STUDENTS:
        write_large_file(campus, student)
    before = {student: campus.submissions(student) for student in STUDENTS}
    with ThreadPoolExecutor() as pool:
        submitting = [pool.submit(submit, campus, student, PATIENT) for student in STUDENTS]
        stop_in_the_middle_of_an_upload(campus)
        campus.ngshare.send("KILL")
        start_again(campus)
        for future in submitting:
            assert f"Submitted as: {COURSE} ps1" in future.result()
    for student in STUDENTS:
        assert_one_more(campus, student, before[student])
    assert_nothing_is_lost(campus)


def test_submit_that_failed_because_the_service_was_killed_succeeds_later(campus):
    write_large_file(campus, "carol")
    before = campus.submissions("carol")
    with ThreadPoolExecutor() as pool:
        submitting = pool.submit(submit, campus, "carol", *HASTY, fails=True)
        stop_in_the_middle_of_an_upload(campus)
        campus.ngshare.send("KILL")
        output = submitting.result()
    assert "Submitted as" not in output and "exchange" in output
    start_again(campus)
    assert campus.submissions("carol") == before
    assert f"Submitted as: {COURSE} ps1" in submit(campus, "carol")
    assert_one_more(campus, "carol", before)
    assert_nothing_is_lost(campus)
