"""Whatever is sent to a door of API v1: never a 5xx, and always the same shape."""

import base64
import json
from urllib.parse import quote, quote_from_bytes, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange import services
from exchange.api.v1 import files as codec
from exchange.api.v1.answers import Failure
from exchange.models import Submission
from exchange.storage import manifests
from tests import cast
from tests.exchange.api.v1.wire import FORM, WORK

DOORS = [
    ("GET", "courses"),
    ("POST", "course/{course}"),
    ("DELETE", "course/{course}"),
    ("GET", "instructors/{course}"),
    ("POST", "instructor/{course}/{username}"),
    ("GET", "instructor/{course}/{username}"),
    ("DELETE", "instructor/{course}/{username}"),
    ("GET", "students/{course}"),
    ("POST", "students/{course}"),
    ("POST", "student/{course}/{username}"),
    ("GET", "student/{course}/{username}"),
    ("DELETE", "student/{course}/{username}"),
    ("GET", "assignments/{course}"),
    ("POST", "assignment/{course}/{assignment}"),
    ("GET", "assignment/{course}/{assignment}"),
    ("DELETE", "assignment/{course}/{assignment}"),
    ("GET", "submissions/{course}/{assignment}"),
    ("GET", "submissions/{course}/{assignment}/{username}"),
    ("POST", "submission/{course}/{assignment}"),
    ("GET", "submission/{course}/{assignment}/{username}"),
    ("POST", "feedback/{course}/{assignment}/{username}"),
    ("GET", "feedback/{course}/{assignment}/{username}"),
    ("PUT", "assignment/{course}/{assignment}"),
    ("GET", "{course}/{assignment}"),
]
QUICK = [("POST", "submission/{course}/{assignment}"), ("GET", "feedback/{course}/{assignment}/{username}")]
MEMBER = {"username": "frank", "first_name": "F", "last_name": "L", "email": "e"}
anything = st.text(max_size=20) | st.sampled_from(
    ["..", ".", "*", "%", "%00", "a+b", " x ", "\u202e", "x" * 300, "\ud7ff"]
)
base64_text = st.binary(max_size=30).map(lambda content: base64.encodebytes(content).decode()) | st.text(max_size=10)
paths = (
    st.sampled_from(["a.txt", "d/a.txt", "../a", "/a", "a//b", "A.TXT", "a\\b", "", "a/", ".", "e\u0301"]) | anything
)
surrogate = st.just("\ud800")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything | surrogate,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=6,
)
file_items = st.fixed_dictionaries(
    {}, optional={"path": paths | surrogate | json_values, "content": base64_text | surrogate | json_values}
)
files = st.lists(file_items, max_size=4).map(json.dumps) | json_values.map(json.dumps)
members = st.lists(
    st.fixed_dictionaries({name: st.just(value) | anything | json_values for name, value in MEMBER.items()}), max_size=3
)
times = st.datetimes().map(str) | st.sampled_from(["", "0001-01-01 00:00:00.0", "9999-12-31 23:59:59.999999 UTC"])
arguments = st.fixed_dictionaries(
    {},
    optional={
        "files": files | st.just(WORK["files"]) | anything,
        "timestamp": times | st.just("{then}") | anything,
        "students": members.map(json.dumps) | json_values.map(json.dumps) | anything,
        "instructors": json_values.map(json.dumps) | anything,
        "first_name": anything,
        "last_name": anything,
        "email": anything,
        "list_only": st.sampled_from(["true", "false"]) | anything,
        "user": st.sampled_from(["alice", "bob", "root"]) | anything,
    },
)
bodies = (
    st.tuples(arguments, st.just(FORM))
    | st.tuples(st.binary(max_size=60), st.sampled_from([FORM, "application/json", "text/plain", "", "a/b;c"]))
    | st.tuples(st.binary(max_size=60), st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data"]))
)
names = st.fixed_dictionaries(
    {
        "course": st.just(cast.COURSE) | anything,
        "assignment": st.just("ps1") | anything,
        "username": st.sampled_from(["bob", "alice", "gina", "erin"]) | anything,
    }
)
tokens = st.sampled_from(["root", "alice", "bob", None]) | anything
headers = st.fixed_dictionaries(
    {}, optional={"Accept": st.text("abc*/;=q0. ", max_size=9), "Range": st.just("bytes=0-")}
)


@pytest.fixture
def then(assignment):
    """When bob handed in, as API v1 writes it."""
    services.submit(assignment, cast.upload({"a.txt": b"a"}), by=cast.actor("bob"))
    return Submission.objects.get().created.strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.mark.parametrize(
    ("method", "door"),
    [pytest.param(*door, marks=() if door in QUICK else pytest.mark.wide) for door in DOORS],
)
@settings(
    derandomize=True,
    database=None,
    max_examples=min(60, settings.default.max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_no_request_ends_in_a_5xx(then, method, door, data):
    parts = {name: quote(text, safe="") or "%20" for name, text in data.draw(names, "names").items()}
    query = _filled(data.draw(arguments, "query"), then)
    body, content_type = data.draw(bodies, "body") if data.draw(st.booleans()) else ({}, FORM)
    encoded = urlencode(_filled(body, then)) if isinstance(body, dict) else body
    token = data.draw(tokens, "token")
    sent = data.draw(headers, "headers")
    if token is not None:
        sent["Authorization"] = f"token {quote_from_bytes(token.encode('utf-8', 'replace'))}"
    address = f"/{door.format(**parts)}?{urlencode(query)}"
    client = Client(raise_request_exception=False)
    reply = client.generic(method, address, encoded, content_type, headers=sent)
    text = b"".join(reply.streaming_content) if reply.streaming else reply.content
    assert reply.status_code < 500, text
    if reply.status_code == 302:
        assert method == "GET"
    elif text.startswith(b"<!doctype html>"):
        assert reply.status_code == 404  # no address of the wire: the page that says so
    else:
        said = json.loads(text)
        assert said["success"] is (reply.status_code == 200)
        assert said["success"] or isinstance(said["message"], str)


def _filled(values, then):
    return {name: value.replace("{then}", then).encode("utf-8", "surrogatepass") for name, value in values.items()}


@settings(derandomize=True, database=None, max_examples=300, deadline=None)
@given(tree=st.dictionaries(st.text("abc/.\u00e9 ", min_size=1, max_size=8), st.binary(max_size=100), max_size=4))
def test_a_tree_that_is_taken_is_taken_whole(tree):
    items = [{"path": path, "content": base64.encodebytes(content).decode()} for path, content in tree.items()]
    try:
        upload = codec.upload(json.dumps(items))
        manifests.check_manifest(upload.manifests[0])
    except (Failure, manifests.BadPath):
        return
    sent = {sha256: stream.read() for sha256, stream in upload.sent}
    assert {line.path: sent[line.sha256] for line in upload.manifests[0]} == tree
