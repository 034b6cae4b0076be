"""Files in the admin: open, download, all as a zip. What was submitted may be anything, and does nothing here."""

import html
import io
import re
import zipfile
from email.message import Message

import pytest
from django.urls import reverse

import courses.services
from courses.permissions import SERVER
from exchange import paths, services
from exchange.models import Assignment, Blob, FileSet, Submission
from exchange.storage import blobs
from tests import cast
from tests.cast import WORK

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])
SCRIPT = b"<script>fetch('/admin/')</script>"
ODD = {
    "a b.txt": b"1",
    "100%.txt": b"2",
    "%2e%2e/%00.txt": b"3",
    "q?x=1&y#z.txt": b"4",
    "a;b=c,d@e:f+g.txt": b"5",
    "quote\"d 'name'.txt": b"6",
    "<b>bold</b>.txt": b"7",
    "日本/naïve 😀.txt": b"8",
    "-rf": b"9",
    "...": b"10",
    "open/download/files.zip": b"11",
    "deep/" * 30 + "leaf.txt": b"12",
    ".hidden": b"",
}


def address(one, act, *rest):
    return reverse(f"admin:exchange_{one._meta.model_name}_{act}", args=[one.pk, *rest])


def content(answer):
    return b"".join(answer.streaming_content)


def saved_as(answer):
    """The name that a browser gives the download."""
    said = Message()
    said["Content-Disposition"] = answer.headers["Content-Disposition"]
    return said.get_filename()


def submit(assignment, files, who="bob"):
    return services.submit(assignment, cast.upload(files), by=cast.actor(who))[0]


def unzipped(answer):
    """{path: bytes}"""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(content(answer))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


@pytest.fixture
def root(course, browser):
    return browser("root")


# One file


@pytest.mark.parametrize("name", ["release", "submission", "feedback"])
def test_every_file_of_everything_can_be_opened_and_downloaded(two_courses, root, name):
    for one in (two_courses[name], two_courses[f"foreign {name}"], two_courses[name].file_set):
        entries = (one if isinstance(one, FileSet) else one.file_set).entries.select_related("blob")
        page = root.get(address(one, "change")).content.decode()
        for entry in entries:
            for act in ("open", "download"):
                answer = root.get(address(one, act, entry.path))
                sent = content(answer)
                assert (answer.status_code, cast.sha256(sent)) == (200, entry.blob.sha256)
                assert answer.headers["Content-Length"] == str(len(sent)) == str(entry.blob.size)
            assert f'href="{address(one, "download", entry.path)}"' in page


def links_of_files(browser, one):
    """{path: where its link leads}"""
    page = browser.get(address(one, "change")).content.decode()
    links = re.findall(r'<th scope="row"><a href="([^"]+)" target="_blank" rel="noopener">([^<]+)</a></th>', page)
    return {html.unescape(path): html.unescape(href) for href, path in links}


@pytest.mark.parametrize("who", ["root", "alice", "gina"])
@pytest.mark.parametrize("name", ["release", "submission", "feedback"])
def test_file_opens_on_the_page_that_the_portal_has_for_it(two_courses, browser, name, who):
    one, reader = two_courses[name], browser(who)
    links = links_of_files(reader, one)
    assert set(links) == set(one.file_set.entries.values_list("path", flat=True))
    for path, link in links.items():
        assert link.startswith("/view/")
        page = reader.get(link).content.decode()
        assert f"<h1>{path}</h1>" in page and "?as=file" in page


def test_file_with_an_odd_name_opens_on_its_page(assignment, root):
    for path, link in links_of_files(root, submit(assignment, ODD)).items():
        assert f"<h1>{html.escape(path)}</h1>" in root.get(link).content.decode(), path


def test_file_that_the_portal_does_not_show_opens_as_it_is(two_courses, root):
    older, newer = two_courses["feedback"], cast.return_feedback(two_courses["submission"], "alice", b"better")
    assert set(links_of_files(root, newer).values()) == {f"/view/submission/{newer.submission_id}/feedback/ps1.html"}
    things = [older, newer.file_set]
    courses.services.trash_course(two_courses["foreign course"], by=SERVER)
    things += [two_courses[f"foreign {name}"] for name in ("release", "submission", "feedback")]
    for one in things:
        for path, link in links_of_files(root, one).items():
            assert link == address(one, "open", path)
            assert root.get(link).status_code == 200


def test_odd_names_are_shown_opened_and_downloaded_as_they_are(assignment, root):
    one = submit(assignment, ODD)
    page = root.get(address(one, "change")).content.decode()
    assert "<b>bold</b>" not in page and "&lt;b&gt;bold&lt;/b&gt;.txt" in page
    for path, expected in ODD.items():
        for act in ("open", "download"):
            assert content(root.get(address(one, act, path))) == expected, path
        assert saved_as(root.get(address(one, "download", path))) == path.rpartition("/")[2]


@pytest.mark.parametrize(
    ("path", "kind", "is_shown"),
    [
        ("page.html", "text/html; charset=utf-8", True),
        ("PAGE.HTM", "text/html; charset=utf-8", True),
        ("ps1.ipynb", "text/plain; charset=utf-8", True),
        ("code.py", "text/plain; charset=utf-8", True),
        ("code.js", "text/plain; charset=utf-8", True),
        ("plot.png", "image/png", True),
        ("plot.svg", "application/octet-stream", False),
        ("page.xhtml", "application/octet-stream", False),
        ("page.xml", "application/octet-stream", False),
        ("page.mht", "application/octet-stream", False),
        ("paper.pdf", "application/octet-stream", False),
        ("html", "application/octet-stream", False),
        ("page.html.gz", "application/octet-stream", False),
        ("page.html ", "application/octet-stream", False),
    ],
)
def test_file_is_shown_where_that_is_harmless_and_else_downloaded(assignment, root, path, kind, is_shown):
    one = submit(assignment, {path: SCRIPT})
    answer = root.get(address(one, "open", path))
    assert content(answer) == SCRIPT
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith("inline" if is_shown else "attachment")
    answer = root.get(address(one, "download", path))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(("act", "rest"), [("open", ["x.html"]), ("download", ["x.html"]), ("zip", [])])
def test_what_was_submitted_runs_nothing_and_is_nobody_of_ours(assignment, root, act, rest):
    headers = root.get(address(submit(assignment, {"x.html": SCRIPT}), act, *rest)).headers
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert "sandbox" in policy and "default-src 'none'" in policy
    assert not any(word in headers["Content-Security-Policy"] for word in ("allow-", "script-src", "http", "*"))
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"private", "no-store"} <= set(headers["Cache-Control"].split(", "))


@pytest.mark.parametrize(
    "path", ["no such file", "PS1.IPYNB", "ps1.ipynb/", "data", "../ps1.ipynb", "data/../ps1.ipynb"]
)
def test_path_that_is_not_in_the_tree_is_not_there(submission, root, path):
    for act in ("open", "download"):
        assert root.get(address(submission, act, path)).status_code == 404


@pytest.mark.parametrize("act", ["open", "download"])
def test_lost_bytes_are_said_and_noted(submission, root, act):
    blobs.delete(NOTEBOOK)
    answer = root.get(address(submission, act, "ps1.ipynb"))
    assert answer.status_code == 410 and b"lost the bytes" in answer.content
    assert not Blob.objects.get(sha256=NOTEBOOK).stored
    assert content(root.get(address(submission, act, "data/numbers.csv"))) == WORK["data/numbers.csv"]


# A tree as a zip


def test_zip_is_the_tree(assignment, root):
    one = submit(assignment, ODD)
    answer = root.get(address(one, "zip"))
    folder = f"bob/ps1 {one.created:%Y-%m-%d %H.%M.%S.%f}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{folder.replace("/", " ")}.zip"'
    assert unzipped(answer) == {f"{folder}/{paths.portable(path)}": each for path, each in ODD.items()}


def test_names_that_windows_cannot_write_do_not_replace_others_in_a_zip(assignment, root):
    one = submit(assignment, {"a:b": b"1", "A_b": b"2", "a_b (2)": b"3"})
    found = unzipped(root.get(address(one, "zip")))
    assert sorted(found.values()) == [b"1", b"2", b"3"]
    assert len({path.casefold() for path in found}) == 3 and not any(":" in path for path in found)


def test_every_thing_with_files_has_its_zip(two_courses, root):
    release, feedback, tree = two_courses["release"], two_courses["feedback"], two_courses["submission"].file_set
    assert set(unzipped(root.get(address(release, "zip")))) == {
        "ps1 release 1/data/numbers.csv",
        "ps1 release 1/ps1.ipynb",
    }
    assert set(unzipped(root.get(address(feedback, "zip")))) == {"bob ps1 feedback/ps1.html"}
    assert unzipped(root.get(address(tree, "zip"))) == {f"{tree.digest[:16]}/{path}": WORK[path] for path in WORK}


def test_zip_of_an_empty_tree_is_empty(assignment, root):
    assert unzipped(root.get(address(submit(assignment, {}), "zip"))) == {}


def test_zip_of_a_large_file_is_whole(assignment, root):
    big = bytes(range(256)) * 4096
    assert list(unzipped(root.get(address(submit(assignment, {"big": big}), "zip"))).values()) == [big]


@pytest.mark.parametrize("name", ["..\\..\\evil", "C:\\x", "a\nb", "ps 1 ", "😀", 'a"b'])
def test_zip_of_an_oddly_named_assignment_stays_in_its_folder(course, root, name):
    made = services.release(course, "ps1", cast.upload({"x": b"1"}), by=cast.actor("alice"))
    Assignment.objects.update(name=name)  # as it was possible once
    answer = root.get(address(made, "zip"))
    assert "\n" not in answer.headers["Content-Disposition"]
    ((path, each),) = unzipped(answer).items()
    assert each == b"1" and path.endswith(" release 1/x") and path.count("/") == 1
    assert "\\" not in path and path.isprintable()


@pytest.mark.parametrize("year", [1970, 2200])
def test_zip_of_a_hand_in_of_another_age_is_whole(submission, root, year):
    Submission.objects.update(created=submission.created.replace(year=year, day=1))
    assert sorted(unzipped(root.get(address(submission, "zip"))).values()) == sorted(WORK.values())


def test_zip_says_which_files_are_lost_and_holds_the_others(submission, root):
    blobs.delete(NOTEBOOK)
    found = unzipped(root.get(address(submission, "zip")))
    note = found.pop("MISSING FILES.txt").decode()
    folder = f"bob/ps1 {submission.created:%Y-%m-%d %H.%M.%S.%f}"
    assert found == {f"{folder}/data/numbers.csv": WORK["data/numbers.csv"]}
    assert note.splitlines()[2:] == [f"{folder}/ps1.ipynb"]
    assert not Blob.objects.get(sha256=NOTEBOOK).stored


# Many submissions in one zip


def download(browser, *chosen):
    rows = [one.pk for one in chosen]
    return browser.post("/admin/exchange/submission/", {"action": "download", "_selected_action": rows})


def test_hand_ins_that_are_chosen_come_in_one_zip(two_courses, root):
    mine, theirs = two_courses["submission"], two_courses["foreign submission"]
    another = cast.submit(two_courses["assignment"], "dave", notes=b"of dave")
    found = unzipped(download(root, mine, theirs, another))
    assert len(found) == 2 + 2 + 2
    assert {path.split("/")[0] for path in found} == {"bob", "dave", "zoe"}
    assert b"of dave" in found.values()


def test_attempts_within_one_second_keep_their_own_folders(assignment, root):
    attempts = [submit(assignment, {"x": text}) for text in (b"first", b"second")]
    moment = attempts[0].created.replace(microsecond=1)
    for number, one in enumerate(attempts, start=1):
        Submission.objects.filter(pk=one.pk).update(created=moment.replace(microsecond=number))
    assert sorted(unzipped(download(root, *attempts)).values()) == [b"first", b"second"]


def test_hand_ins_of_one_name_and_instant_in_two_courses_keep_their_own_folders(two_courses, root):
    first = two_courses["submission"]
    foreign = services.release(
        two_courses["foreign course"], "ps1", cast.upload({"x": b"?"}), by=cast.actor("carol")
    ).assignment
    cast.enrol(two_courses["foreign course"], "bob", "student")
    second = submit(foreign, {"ps1.ipynb": b"of the other course"})
    Submission.objects.filter(pk=second.pk).update(created=first.created)
    found = unzipped(download(root, first, second))
    assert len(found) == 3 and b"of the other course" in found.values() and WORK["ps1.ipynb"] in found.values()


def test_lost_file_of_one_stops_no_other(two_courses, root):
    blobs.delete(NOTEBOOK)
    found = unzipped(download(root, two_courses["submission"], two_courses["foreign submission"]))
    assert "MISSING FILES.txt" in found and len(found) == 1 + 1 + 2
