"""What is said to both services, the old one and ours: requests in the order in which they are sent.

Each scenario starts on an empty service whose administrator is root. The cast: kevin teaches, lawrence takes, abigail
teaches elsewhere, eric is on no roster.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

COURSE, PS1 = "course1", "ps1"
NOTEBOOK = b'{"cells": [], "metadata": {}}\n'
DATA = bytes(range(256)) * 2
NAMES = {"first_name": "L", "last_name": "Smith", "email": "l@example.edu"}


@dataclass
class Step:
    """One request. `form` is sent form-encoded, `body` as it is. `keep` remembers the reply's timestamp under a name;
    `{name}` in a query or form stands for it later."""

    name: str
    who: str | None
    method: str
    path: tuple[str, ...]
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    body: bytes | None = None
    content_type: str | None = None
    keep: str | None = None


def encoded(content: bytes) -> str:
    return base64.encodebytes(content).decode()


def files(**tree: bytes) -> str:
    """The files field; `__` in a name stands for `/`, a last `_` for the dot before the extension."""
    return json.dumps([{"path": path, "content": encoded(content)} for path, content in named(tree).items()])


def named(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {".".join(name.replace("__", "/").rsplit("_", 1)): content for name, content in tree.items()}


class Scenario:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, name: str, who: str | None, method: str, *path: str, **rest: Any) -> None:
        """Add a request."""
        assert name not in {step.name for step in self.steps}, name
        self.steps.append(Step(name, who, method, path, **rest))


def with_course(do: Scenario) -> None:
    do("make the course", "root", "POST", "course", COURSE, form={"instructors": '["kevin"]'})
    do("make the other course", "root", "POST", "course", "course2", form={"instructors": '["abigail"]'})
    do("enrol lawrence", "kevin", "POST", "student", COURSE, "lawrence", form=NAMES)


def with_assignment(do: Scenario) -> None:
    with_course(do)
    tree = files(ps1_ipynb=NOTEBOOK, data__numbers_csv=b"1,2\n", empty_txt=b"")
    do("release ps1", "kevin", "POST", "assignment", COURSE, PS1, form={"files": tree})


def courses() -> Scenario:
    do = Scenario()
    do("no courses yet", "root", "GET", "courses")
    do("a stranger sees none", "eric", "GET", "courses")
    do("only an administrator makes one", "eric", "POST", "course", "course3")
    do("made without instructors", "root", "POST", "course", "zoology")
    do("made with instructors in the body", "root", "POST", "course", COURSE, form={"instructors": '["kevin", "ann"]'})
    do("made with instructors in the query", "root", "POST", "course", "c2", query={"instructors": '["abigail"]'})
    do("exists", "root", "POST", "course", COURSE, form={"instructors": "broken"})
    do("instructors are no JSON", "root", "POST", "course", "c4", form={"instructors": '"root"]'})
    do("instructors are empty text", "root", "POST", "course", "c4", form={"instructors": ""})
    do("instructors are a number", "root", "POST", "course", "c5", form={"instructors": "5"})
    do("instructors are numbers", "root", "POST", "course", "c6", form={"instructors": "[5]"})
    do("instructors are null", "root", "POST", "course", "c7", form={"instructors": "null"})
    do("numbers are no names", "root", "DELETE", "course", "c6")
    do("administrator sees all, sorted", "root", "GET", "courses")
    do("instructor sees own", "kevin", "GET", "courses")
    do("its instructors", "kevin", "GET", "instructors", COURSE)
    do("instructor may not remove it", "kevin", "DELETE", "course", COURSE)
    do("removing what is not there", "root", "DELETE", "course", "nowhere")
    do("removed", "root", "DELETE", "course", COURSE)
    do("is gone", "kevin", "GET", "assignments", COURSE)
    do("instructor's list is empty", "kevin", "GET", "courses")
    do("made again", "root", "POST", "course", COURSE)
    do("is empty", "root", "GET", "instructors", COURSE)
    return do


def instructors() -> Scenario:
    do = Scenario()
    with_course(do)
    post = ("POST", "instructor", COURSE)
    do("of no course", "root", "POST", "instructor", "nowhere", "ann", form=NAMES)
    do("stranger may not", "eric", *post, "ann", form=NAMES)
    do("student may not", "lawrence", *post, "ann", form=NAMES)
    do("without anything", "root", *post, "ann")
    do("without last name", "root", *post, "ann", form={"first_name": "A"})
    do("without email", "root", *post, "ann", form={"first_name": "A", "last_name": "B"})
    do("empty names are names", "root", *post, "ann", form={"first_name": "", "last_name": "", "email": ""})
    do("names never set are null", "root", "GET", "instructor", COURSE, "kevin")
    do("own names, stripped", "kevin", *post, "kevin", form={"first_name": " K ", "last_name": "\tO\n", "email": "k@x"})
    do("changed", "lawrence", "GET", "instructor", COURSE, "kevin")
    do("from the query", "root", *post, "ann", query={"first_name": "Q", "last_name": "R"}, form={"email": "q@x"})
    do("the body wins", "root", *post, "ann", query={**NAMES}, form={"first_name": "Body"})
    do("see ann", "kevin", "GET", "instructor", COURSE, "ann")
    do("others' names", "kevin", *post, "ann", form=NAMES)
    do("instructor may not add", "kevin", *post, "eric", form=NAMES)
    do("instructor may not turn a student", "kevin", *post, "lawrence", form=NAMES)
    do("missing names come first", "kevin", *post, "lawrence")
    do("administrator turns a student", "root", *post, "lawrence", form=NAMES)
    do("no student any more", "kevin", "GET", "students", COURSE)
    do("lawrence teaches", "kevin", "GET", "instructor", COURSE, "lawrence")
    do("the list", "kevin", "GET", "instructors", COURSE)
    do("the list for a stranger", "eric", "GET", "instructors", COURSE)
    do("the list of no course", "eric", "GET", "instructors", "nowhere")
    do("a student is no instructor", "abigail", "GET", "instructor", "course2", "lawrence")
    do("one for a stranger", "eric", "GET", "instructor", COURSE, "kevin")
    do("instructor may not remove", "kevin", "DELETE", "instructor", COURSE, "ann")
    do("right before course", "kevin", "DELETE", "instructor", "nowhere", "ann")
    do("remove from no course", "root", "DELETE", "instructor", "nowhere", "ann")
    do("remove who is none", "root", "DELETE", "instructor", COURSE, "eric")
    do("removed", "root", "DELETE", "instructor", COURSE, "ann")
    do("removed with a form", "root", "DELETE", "instructor", COURSE, "kevin", form={"user": "root"})
    do("has lost the course", "kevin", "GET", "instructors", COURSE)
    return do


def students() -> Scenario:
    do = Scenario()
    with_course(do)
    post = ("POST", "student", COURSE)
    do("of no course", "kevin", "POST", "student", "nowhere", "bob", form=NAMES)
    do("student may not add", "lawrence", *post, "bob", form=NAMES)
    do("instructor elsewhere may not add", "abigail", *post, "bob", form=NAMES)
    do("without anything", "kevin", *post, "bob")
    do("without last name", "kevin", *post, "bob", form={"first_name": "B"})
    do("without email", "kevin", *post, "bob", form={"first_name": "B", "last_name": "C"})
    do("added", "kevin", *post, "bob", form={"first_name": " Bob\x01by ", "last_name": "Ünï", "email": ""})
    do("seen by the instructor", "kevin", "GET", "student", COURSE, "bob")
    do("seen by themselves", "bob", "GET", "student", COURSE, "bob")
    do("not seen by another student", "lawrence", "GET", "student", COURSE, "bob")
    do("a stranger asks for themselves", "eric", "GET", "student", COURSE, "eric")
    do("an instructor asks for themselves", "kevin", "GET", "student", COURSE, "kevin")
    do("changed by an administrator", "root", *post, "bob", form=NAMES)
    do("an instructor is no student", "kevin", *post, "kevin", form=NAMES)
    do("names come before that", "kevin", *post, "kevin")
    do("the list", "kevin", "GET", "students", COURSE)
    do("the list for a student", "bob", "GET", "students", COURSE)
    do("one who is none", "kevin", "GET", "student", COURSE, "eric")
    do("student may not remove", "bob", "DELETE", "student", COURSE, "bob")
    do("remove who is none", "kevin", "DELETE", "student", COURSE, "eric")
    do("remove from no course", "kevin", "DELETE", "student", "nowhere", "bob")
    do("removed with a form", "kevin", "DELETE", "student", COURSE, "bob", form={"user": "kevin"})
    do("bob is out", "bob", "GET", "assignments", COURSE)
    return do


def rosters() -> Scenario:
    do = Scenario()
    with_course(do)
    post = ("POST", "students", COURSE)

    def bulk(value: Any) -> dict[str, str]:
        return {"students": json.dumps(value)}

    def person(username: Any, **names: Any) -> dict[str, Any]:
        return {"username": username, "first_name": "F", "last_name": "L", "email": "e@x", **names}

    do("of no course", "kevin", "POST", "students", "nowhere", form=bulk([person("bob")]))
    do("student may not", "lawrence", *post, form=bulk([person("bob")]))
    do("nothing", "kevin", *post)
    do("empty text", "kevin", *post, form={"students": " "})
    do("no JSON", "kevin", *post, form={"students": "[{"})
    do("no list", "kevin", *post, form=bulk({"username": "bob"}))
    do("null", "kevin", *post, form=bulk(None))
    do("empty list", "kevin", *post, form=bulk([]))
    do("no objects", "kevin", *post, form=bulk(["bob"]))
    do("without an email", "kevin", *post, form=bulk([person("ann"), {**person("bob"), "email": None}]))
    do("a number for a name", "kevin", *post, form=bulk([person(5)]))
    do("nobody was added", "kevin", "GET", "students", COURSE)
    rows = [person("bob"), person("kevin"), person("lawrence", first_name=" not stripped "), person("ann")]
    do("several, one an instructor", "kevin", *post, form=bulk(rows))
    do("again, from the query", "root", *post, query=bulk([person("bob", email="new@x")]))
    do("the list", "kevin", "GET", "students", COURSE)
    do("the same twice", "kevin", *post, form=bulk([person("twin", email="1"), person("twin", email="2")]))
    do("the later one holds", "kevin", "GET", "student", COURSE, "twin")
    return do


def assignments() -> Scenario:
    do = Scenario()
    with_course(do)
    post = ("POST", "assignment", COURSE)
    tree = files(ps1_ipynb=NOTEBOOK, data__numbers_csv=b"1,2\n", empty_txt=b"", binary_bin=DATA)
    do("none yet", "lawrence", "GET", "assignments", COURSE)
    do("list for a stranger", "eric", "GET", "assignments", COURSE)
    do("list of no course", "eric", "GET", "assignments", "nowhere")
    do("of no course", "kevin", "POST", "assignment", "nowhere", PS1, form={"files": tree})
    do("student may not release", "lawrence", *post, PS1, form={"files": tree})
    do("without files", "kevin", *post, PS1)
    do("released", "kevin", *post, PS1, form={"files": tree})
    do("exists, whatever the files", "kevin", *post, PS1, form={"files": "broken"})
    do("a second, from the query", "kevin", *post, "a first", query={"files": files(a_txt=b"a")})
    do("a third, empty", "root", *post, "empty", form={"files": "[]"})
    do("as multipart", "kevin", *post, "multi", **multipart({"files": files(m_txt=b"multi")}))
    do("as JSON", "kevin", *post, "json", body=json.dumps({"files": []}).encode(), content_type="application/json")
    do("in the order in which they came", "lawrence", "GET", "assignments", COURSE)
    do("fetched", "lawrence", "GET", "assignment", COURSE, PS1)
    do("listed only", "lawrence", "GET", "assignment", COURSE, PS1, query={"list_only": "true"})
    do("True is not true", "lawrence", "GET", "assignment", COURSE, "a first", query={"list_only": "True"})
    do("1 is not true", "lawrence", "GET", "assignment", COURSE, "a first", query={"list_only": "1"})
    do("the empty one", "lawrence", "GET", "assignment", COURSE, "empty")
    do("the multipart one", "kevin", "GET", "assignment", COURSE, "multi")
    do("what is not there", "lawrence", "GET", "assignment", COURSE, "ps9")
    do("for a stranger", "eric", "GET", "assignment", COURSE, PS1)
    do("in no course", "eric", "GET", "assignment", "nowhere", PS1)
    do("student may not remove", "lawrence", "DELETE", "assignment", COURSE, PS1)
    do("remove what is not there", "kevin", "DELETE", "assignment", COURSE, "ps9")
    do("remove in no course", "kevin", "DELETE", "assignment", "nowhere", PS1)
    do("removed", "kevin", "DELETE", "assignment", COURSE, PS1)
    do("is hidden", "lawrence", "GET", "assignment", COURSE, PS1)
    do("from the instructor, too", "kevin", "GET", "assignment", COURSE, PS1)
    do("from the list", "kevin", "GET", "assignments", COURSE)
    do("nothing to hand in to", "lawrence", "POST", "submission", COURSE, PS1, form={"files": "[]"})
    do("released again", "kevin", *post, PS1, form={"files": files(new_txt=b"new")})
    do("with the new files", "lawrence", "GET", "assignment", COURSE, PS1)
    return do


def multipart(fields: dict[str, str]) -> dict[str, Any]:
    mark = "----ngshare-golden"
    parts = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return {"body": f"{parts}--{mark}--\r\n".encode(), "content_type": f"multipart/form-data; boundary={mark}"}


def bad_files() -> Scenario:
    """What is said to files that are none, at all three doors that take them."""
    do = Scenario()
    with_assignment(do)
    do("hand in", "lawrence", "POST", "submission", COURSE, PS1, form={"files": files(a_txt=b"a")}, keep="t")
    fine = encoded(b"fine")
    bad = {
        "no JSON": "[{",
        "empty": "",
        "an escape upwards": json.dumps([{"path": "../a", "content": fine}]),
        "an escape in the middle": json.dumps([{"path": "a/../../b", "content": fine}]),
        "absolute": json.dumps([{"path": "/etc/passwd", "content": fine}]),
        "a dot": json.dumps([{"path": "./a", "content": fine}]),
        "a slash at the end": json.dumps([{"path": "a/", "content": fine}]),
        "an empty path": json.dumps([{"path": "", "content": fine}]),
        "bad base64": json.dumps([{"path": "a", "content": "abc"}]),
        "the second is bad": json.dumps([{"path": "a", "content": fine}, {"path": "../b", "content": fine}]),
        "path before content": json.dumps([{"path": "../a", "content": "abc"}]),
        "content before the next path": json.dumps(
            [{"path": "a", "content": "abc"}, {"path": "../a", "content": fine}]
        ),
        "numbers": "[1]",
        "an object": '{"a": 1}',
        "an empty object": "{}",
        "empty JSON text": '""',
        "null": "null",
        "a number": "5",
        "no path": json.dumps([{"content": fine}]),
        "no content": json.dumps([{"path": "a"}]),
        "a path of null": json.dumps([{"path": None, "content": fine}]),
        "content of null": json.dumps([{"path": "a", "content": None}]),
        "NUL in a path": json.dumps([{"path": "a.\0b", "content": fine}]),
        "a lone surrogate": '[{"path": "a.\\ud800", "content": ""}]',
        "nested too deep": "[" * 100_000,
        "a name too long": json.dumps([{"path": "a" * 300, "content": fine}]),
        "twice the same": json.dumps([{"path": "a", "content": fine}, {"path": "a", "content": fine}]),
        "a backslash": json.dumps([{"path": "a\\b", "content": fine}]),
        "a control character": json.dumps([{"path": "a\nb", "content": fine}]),
        "two slashes": json.dumps([{"path": "a//b", "content": fine}]),
        "a file and a folder": json.dumps([{"path": "a", "content": fine}, {"path": "a/b", "content": fine}]),
    }
    doors = {
        "release": ("kevin", "POST", "assignment", COURSE, "ps2"),
        "submission": ("lawrence", "POST", "submission", COURSE, PS1),
        "feedback": ("kevin", "POST", "feedback", COURSE, PS1, "lawrence"),
    }
    for kind, value in bad.items():
        for door, (who, method, *path) in doors.items():
            form = {"files": value, "timestamp": "{t}"} if door == "feedback" else {"files": value}
            do(f"{door}: {kind}", who, method, *path, form=form, keep="then" if door == "submission" else None)
            if door == "release":
                do(f"{door}: {kind}: not there", "kevin", "DELETE", *path[:1], COURSE, "ps2")
    return do


def good_files() -> Scenario:
    """Files that are accepted in forms which one might not expect."""
    do = Scenario()
    with_assignment(do)
    plain = base64.b64encode(DATA).decode()
    good = {
        "base64 without line breaks": [{"path": "a.bin", "content": plain}],
        "base64 with rubbish in it": [{"path": "a.txt", "content": "YW*Jj\n ZA=="}],
        "a checksum that is wrong": [{"path": "a.txt", "content": encoded(b"abc"), "checksum": "0"}],
        "more keys": [{"path": "a.txt", "content": encoded(b"abc"), "size": 1, "x": None}],
        "names of all sorts": [
            {"path": name, "content": encoded(name.encode())}
            for name in ("ä ö.txt", "日本/語.ipynb", "a+b&c=d%20.txt", ".hidden/.file", "'\"<b>.txt", "...", "z", "a")
        ],
    }
    for kind, tree in good.items():
        do(kind, "lawrence", "POST", "submission", COURSE, PS1, form={"files": json.dumps(tree)}, keep="t")
        do(f"{kind}: back", "kevin", "GET", "submission", COURSE, PS1, "lawrence", query={"timestamp": "{t}"})
    return do


def submissions() -> Scenario:
    do = Scenario()
    with_assignment(do)
    post = ("POST", "submission", COURSE)
    first, second = files(ps1_ipynb=b"first"), files(ps1_ipynb=b"second", more_txt=b"more")
    do("none yet", "kevin", "GET", "submissions", COURSE, PS1)
    do("none of lawrence yet", "lawrence", "GET", "submissions", COURSE, PS1, "lawrence")
    do("nothing to download", "kevin", "GET", "submission", COURSE, PS1, "lawrence")
    do("stranger may not", "eric", *post, PS1, form={"files": first})
    do("to no course", "eric", "POST", "submission", "nowhere", PS1, form={"files": first})
    do("to no assignment", "lawrence", *post, "ps9", form={"files": first})
    do("not from the query", "lawrence", *post, PS1, query={"files": first})
    do("first", "lawrence", *post, PS1, form={"files": first, "user": "kevin"}, keep="first")
    do("second", "lawrence", *post, PS1, form={"files": second}, keep="second")
    do("an empty list", "lawrence", *post, PS1, form={"files": "[]"}, keep="empty")
    do("the instructor's own", "kevin", *post, PS1, form={"files": first}, keep="kevin")
    do("the administrator's own", "root", *post, PS1, form={"files": first}, keep="root")
    do("all, by time", "kevin", "GET", "submissions", COURSE, PS1)
    do("all, for a student", "lawrence", "GET", "submissions", COURSE, PS1)
    do("all of no assignment", "kevin", "GET", "submissions", COURSE, "ps9")
    do("all of no course", "kevin", "GET", "submissions", "nowhere", PS1)
    do("own", "lawrence", "GET", "submissions", COURSE, PS1, "lawrence")
    do("of lawrence, for the instructor", "kevin", "GET", "submissions", COURSE, PS1, "lawrence")
    do("of another", "lawrence", "GET", "submissions", COURSE, PS1, "kevin")
    do("of the instructor", "kevin", "GET", "submissions", COURSE, PS1, "kevin")
    do("of the administrator", "kevin", "GET", "submissions", COURSE, PS1, "root")
    do("of nobody", "kevin", "GET", "submissions", COURSE, PS1, "nobody")
    do("a stranger's own", "eric", "GET", "submissions", COURSE, PS1, "eric")
    do("a stranger's own of no assignment", "eric", "GET", "submissions", COURSE, "ps9", "eric")
    get = ("GET", "submission", COURSE, PS1)
    do("the latest", "kevin", *get, "kevin")
    do("the latest of lawrence is empty", "kevin", *get, "lawrence")
    do("an empty timestamp is the latest", "kevin", *get, "lawrence", query={"timestamp": ""})
    do("by timestamp", "kevin", *get, "lawrence", query={"timestamp": "{first}"})
    do("listed only", "kevin", *get, "lawrence", query={"timestamp": "{second}", "list_only": "true"})
    do("with UTC", "kevin", *get, "lawrence", query={"timestamp": "{second} UTC"})
    do("with blanks", "kevin", *get, "lawrence", query={"timestamp": " {second} "})
    do("an instant without one", "kevin", *get, "lawrence", query={"timestamp": "2020-01-01 00:00:00.000000"})
    do("not a time", "kevin", *get, "lawrence", query={"timestamp": "yesterday"})
    do("without a fraction", "kevin", *get, "lawrence", query={"timestamp": "2020-01-01 00:00:00"})
    do("own download", "lawrence", *get, "lawrence")
    do("download of nobody", "kevin", *get, "nobody")
    do("download of no assignment", "kevin", "GET", "submission", COURSE, "ps9", "lawrence")
    do("lawrence leaves", "kevin", "DELETE", "student", COURSE, "lawrence")
    do("the list still has them", "kevin", "GET", "submissions", COURSE, PS1)
    do("but nobody of that name", "kevin", "GET", "submissions", COURSE, PS1, "lawrence")
    do("nor to download", "kevin", *get, "lawrence", query={"timestamp": "{first}"})
    do("lawrence looks back", "lawrence", "GET", "submissions", COURSE, PS1, "lawrence")
    do("lawrence comes back", "kevin", "POST", "student", COURSE, "lawrence", form=NAMES)
    do("everything is there", "lawrence", "GET", "submissions", COURSE, PS1, "lawrence")
    return do


def feedback() -> Scenario:
    do = Scenario()
    with_assignment(do)
    do("hand in", "lawrence", "POST", "submission", COURSE, PS1, form={"files": files(ps1_ipynb=b"1")}, keep="t")
    post, get = ("POST", "feedback", COURSE, PS1), ("GET", "feedback", COURSE, PS1)
    html = files(ps1_html=b"<b>well done</b>")
    do("none yet", "lawrence", *get, "lawrence", query={"timestamp": "{t}"})
    do("student may not give", "lawrence", *post, "lawrence", form={"files": html, "timestamp": "{t}"})
    do("stranger may not give", "eric", *post, "lawrence", form={"files": html, "timestamp": "{t}"})
    do("in no course", "kevin", "POST", "feedback", "nowhere", PS1, "lawrence", form={"files": html})
    do("for no assignment", "kevin", "POST", "feedback", COURSE, "ps9", "lawrence", form={"files": html})
    do("for nobody", "kevin", *post, "nobody", form={"files": html})
    do("without a timestamp", "kevin", *post, "lawrence", form={"files": html})
    do("not from the query", "kevin", *post, "lawrence", query={"timestamp": "{t}"}, form={"files": html})
    for kind, text in {
        "a word": "yesterday",
        "empty": "",
        "without a fraction": "2020-01-01 00:00:00",
        "ISO": "2020-01-01T00:00:00.000000",
        "another zone": "2020-01-01 00:00:00.000000 CET",
        "an offset": "2020-01-01 00:00:00.000000 +0100",
        "a month of 13": "2020-13-01 00:00:00.000000",
        "fine, but nothing then": "2020-01-01 00:00:00.000000",
        "year one": "0001-01-01 00:00:00.000000",
        "the last year": "9999-12-31 23:59:59.999999 UTC",
        "short": "2020-1-1 0:0:0.5",
    }.items():
        do(f"post: {kind}", "kevin", *post, "lawrence", form={"files": html, "timestamp": text})
        do(f"get: {kind}", "kevin", *get, "lawrence", query={"timestamp": text})
    do("without files", "kevin", *post, "lawrence", form={"timestamp": "{t}"})
    do("given", "kevin", *post, "lawrence", form={"files": html, "timestamp": "{t}"})
    do("read by the student", "lawrence", *get, "lawrence", query={"timestamp": "{t}"})
    do("listed only", "lawrence", *get, "lawrence", query={"timestamp": "{t}", "list_only": "true"})
    do("with UTC", "lawrence", *get, "lawrence", query={"timestamp": "{t} UTC"})
    do("read by the instructor", "kevin", *get, "lawrence", query={"timestamp": "{t}"})
    do("not by a stranger", "eric", *get, "lawrence", query={"timestamp": "{t}"})
    do("a stranger's own", "eric", *get, "eric", query={"timestamp": "{t}"})
    do("read without a timestamp", "lawrence", *get, "lawrence")
    do("read of no assignment", "lawrence", "GET", "feedback", COURSE, "ps9", "lawrence", query={"timestamp": "{t}"})
    do("a bad one changes nothing", "kevin", *post, "lawrence", form={"files": "broken", "timestamp": "{t}"})
    do("the old one stays", "lawrence", *get, "lawrence", query={"timestamp": "{t}"})
    tree = files(other_html=b"better", img__plot_png=DATA)
    do("replaced", "kevin", *post, "lawrence", form={"files": tree, "timestamp": " {t} UTC "})
    do("by the new one alone", "lawrence", *get, "lawrence", query={"timestamp": "{t}"})
    do("taken back", "kevin", *post, "lawrence", form={"files": "[]", "timestamp": "{t}"})
    do("is empty", "lawrence", *get, "lawrence", query={"timestamp": "{t}"})
    return do


def names() -> Scenario:
    """Names of all sorts travel in addresses."""
    do = Scenario()
    for course in (
        "NBG 101",
        "a+b",
        "Mathé",
        "日本",
        "50%25",
        "quo'te\"s",
        "x.y-z_~",
        "semi;colon",
        "a&b=c?d#e",
        "co:on",
    ):
        do(f"make {course}", "root", "POST", "course", course, form={"instructors": '["kevin"]'})
        do(f"enrol in {course}", "kevin", "POST", "student", course, "löwe & söhne", form=NAMES)
        do(f"release in {course}", "kevin", "POST", "assignment", course, "ps 1 ü%", form={"files": "[]"})
        do(f"assignments of {course}", "löwe & söhne", "GET", "assignments", course)
        do(
            f"hand in to {course}",
            "löwe & söhne",
            "POST",
            "submission",
            course,
            "ps 1 ü%",
            form={"files": "[]"},
            keep="t",
        )
        do(f"see {course}", "kevin", "GET", "submissions", course, "ps 1 ü%", "löwe & söhne")
        do(
            f"download {course}",
            "kevin",
            "GET",
            "submission",
            course,
            "ps 1 ü%",
            "löwe & söhne",
            query={"timestamp": "{t}"},
        )
    do("all of them", "kevin", "GET", "courses")
    do("students", "kevin", "GET", "students", "NBG 101")
    return do


def addresses() -> Scenario:
    """Wrong methods, wrong addresses, and nobody logged in."""
    do = Scenario()
    with_assignment(do)
    routes = [
        ("courses",),
        ("course", COURSE),
        ("instructor", COURSE, "kevin"),
        ("instructors", COURSE),
        ("student", COURSE, "lawrence"),
        ("students", COURSE),
        ("assignments", COURSE),
        ("assignment", COURSE, PS1),
        ("submissions", COURSE, PS1),
        ("submissions", COURSE, PS1, "lawrence"),
        ("submission", COURSE, PS1),
        ("submission", COURSE, PS1, "lawrence"),
        ("feedback", COURSE, PS1, "lawrence"),
    ]
    allowed = {
        "courses": "GET",
        "course": "POST DELETE",
        "instructor": "GET POST DELETE",
        "instructors": "GET",
        "student": "GET POST DELETE",
        "students": "GET POST",
        "assignments": "GET",
        "assignment": "GET POST DELETE",
        "submissions": "GET",
        "submission": "POST",
        "feedback": "GET POST",
    }
    for route in routes:
        shown = "/".join(route)
        methods = "GET" if route[0] == "submission" and len(route) == 4 else allowed[route[0]]
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"):
            if method not in methods.split():
                do(f"{method} {shown}", "root", method, *route)
            elif method in ("GET", "POST", "DELETE"):
                do(f"nobody: {method} {shown}", None, method, *route)
                do(f"expired: {method} {shown}", "expired", method, *route)
    do("a slash at the end", "root", "GET", "courses", "")
    do("a slash after a name", "root", "GET", "assignments", COURSE, "")
    do("nothing there", "root", "GET", "nothing")
    do("too many parts", "root", "GET", "assignments", COURSE, PS1)
    do("healthz", None, "GET", "healthz")
    return do


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        courses,
        instructors,
        students,
        rosters,
        assignments,
        bad_files,
        good_files,
        submissions,
        feedback,
        names,
        addresses,
    )
}
