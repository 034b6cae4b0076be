"""Large files in the form to submit: in little memory, and nothing of what breaks off."""

import io
import itertools
import re
import zipfile
from pathlib import Path

import pytest
import requests

from tests import cast, servers
from tests.live.files import stored_bytes
from tests.live.processes import Memory
from tests.live.test_memory import BOUND, SIZE, Unplugged, pieces

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc"),
]

PAGE = f"/view/course/{cast.COURSE}/ps1/submit/"
BOUNDARY = "a-boundary"


class Form:
    """The form with one large file, made while it is sent."""

    def __init__(self, token):
        self._before = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="large.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._after = (
            f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="end"\r\n\r\n1\r\n--{BOUNDARY}--\r\n'
        ).encode()

    def __len__(self):
        return len(self._before) + SIZE + len(self._after)

    def __iter__(self):
        yield self._before
        yield from pieces()
        yield self._after


class BreakingOff(Form):
    def __iter__(self):
        yield from itertools.islice(super().__iter__(), 50)
        raise Unplugged


class Student:
    """bob at a browser without a script."""

    def __init__(self, running):
        self._url = running.urls[0]
        self._session = requests.Session()
        login = f"{self._url}/login/"
        self._session.post(login, data={"username": "bob", "csrfmiddlewaretoken": self._token(login)}, timeout=300)

    def token(self):
        return self._token(f"{self._url}{PAGE}")

    def post(self, **request):
        return self._session.post(f"{self._url}{PAGE}", allow_redirects=False, timeout=300, **request)

    def _token(self, address):
        return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self._session.get(address, timeout=300).text)[1]


@pytest.fixture
def running(start):
    made = start(workers=1)
    made.start_course(["bob"])
    return made


def submissions(running):
    return running.ask("bob", "GET", cast.v2("submissions")).json()["results"]


def test_a_large_file_is_submitted_in_little_memory(running):
    bob = Student(running)
    form = Form(bob.token())
    memory = Memory(running.pids[0])
    memory.forget_peak()
    answer = bob.post(data=form, headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    assert answer.status_code == 302, answer.text
    assert memory.growth() < BOUND
    (submission,) = submissions(running)
    assert submission["size"] == SIZE


def test_a_zip_is_unpacked_in_little_memory(running):
    bob = Student(running)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.bin", "w") as file:
        for _ in range(SIZE // 10**6):
            file.write(bytes(10**6))
    token = bob.token()
    memory = Memory(running.pids[0])
    memory.forget_peak()
    answer = bob.post(data={"csrfmiddlewaretoken": token, "end": "1"}, files={"files": ("work.zip", out.getvalue())})
    assert answer.status_code == 302, answer.text
    assert memory.growth() < BOUND
    (submission,) = submissions(running)
    assert submission["size"] == SIZE


def test_a_form_that_breaks_off_submits_nothing_and_leaves_no_bytes_behind(running, tmp_path):
    bob = Student(running)
    blobs = tmp_path / "data" / "blobs"
    before = stored_bytes(blobs)
    form = BreakingOff(bob.token())
    with pytest.raises((requests.ConnectionError, Unplugged)):
        bob.post(data=form, headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    servers.wait_until(lambda: stored_bytes(blobs) == before)
    assert submissions(running) == []
