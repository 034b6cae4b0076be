"""What is released, submitted and returned while somebody is at a browser, over the API."""

import json

import requests

from tests import cast
from tests.campus import COURSE, SCOPE

RELEASED = {"problem1.ipynb": b'{"cells": []}', "problem2.ipynb": b'{"cells": []}', "data/numbers.csv": b"1,2,3\n"}


def post(campus, who, address, body):
    headers = {"Authorization": f"token {campus.hub.token_for(who, SCOPE)}", "Content-Type": "application/x-tar"}
    answer = requests.post(f"{campus.hub.ngshare}{address}", data=body, headers=headers, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def submissions(campus, who, name):
    token = campus.hub.token_for(who, SCOPE)
    address = f"courses/{COURSE}/assignments/{name}/submissions/?mine=true&files=true"
    return campus.api("GET", address, token).json()["results"]


def return_feedback(campus, submission):
    files = {"problem1.html": b"<p>well done</p>"}
    manifest = {"feedback": [{"submission": submission["id"], "files": cast.manifest(files)}]}
    body = cast.tar([("manifest.json", json.dumps(manifest).encode()), *((cast.sha256(b), b) for b in files.values())])
    name = submission["assignment"]
    post(campus, "alice", cast.of_assignment("feedback", assignment=name), body)
