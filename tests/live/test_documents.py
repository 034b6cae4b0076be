"""Documents that take as long as they may hold up nobody: not the others, and not the server's end."""

import re
import threading

import pytest
import requests

from tests import cast
from tests.live.conftest import TIMEOUT

pytestmark = pytest.mark.live

STUDENTS = [f"student{number}" for number in range(6)]  # more than a process has places
COSTLY = b"<div>" * 200_000


def log_in(running, username):
    """A browser in which somebody is logged in."""
    browser = requests.Session()
    address = f"{running.urls[0]}/login/?next=/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(address, timeout=TIMEOUT).text)[1]
    sent = browser.post(address, data={"csrfmiddlewaretoken": token, "username": username}, timeout=TIMEOUT)
    assert sent.status_code == 200
    return browser


def test_costly_documents_of_many_hold_up_nobody(start):
    running = start(workers=1, NGSHARE_RENDERING_SECONDS="15")
    running.start_course(STUDENTS)
    answers, threads = [], []

    def read(browser, pk):
        address = f"{running.urls[0]}/view/submission/{pk}/file/page.html?as=document"
        answers.append(browser.get(address, timeout=TIMEOUT).status_code)

    for number, student in enumerate(STUDENTS):
        files = {"page.html": COSTLY + b"%d" % number}
        made = running.ask(student, "POST", cast.of_assignment("submissions"), data=cast.bundle(files)).json()
        threads.append(threading.Thread(target=read, args=[log_in(running, student), made["id"]]))
    for thread in threads:
        thread.start()
    for student in STUDENTS:
        assert running.ask(student, "GET", cast.v2("submissions")).status_code == 200
    assert answers == []  # all of them are still being rendered, or wait for their turn
    for thread in threads:
        thread.join(TIMEOUT)
    # Each was ended: by its processor time or, on a busy machine, after three times as long.
    assert len(answers) == len(STUDENTS) and set(answers) <= {422, 503}
