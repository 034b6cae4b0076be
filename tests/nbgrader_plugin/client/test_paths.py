"""Which names may become files here. Runs without nbgrader."""

import pytest

from nbgrader_plugin.client import paths
from nbgrader_plugin.client.paths import BadPath


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b c.txt",
        ".hidden",
        "..a",
        "ä/ö.ipynb",
        "a:b",
        "x" * 255,
        "-rf",
        "~",
        "CON",
        "a.",
        "می\u200cخواهم",
        "👩\u200d💻.txt",
        "d/" * 31 + "a",
    ],
)
def test_clean_path_is_taken_as_it_is(path):
    assert paths.check_path(path) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (
            "a\x1b[31mb",
            r"'a\x1b[31mb' cannot be used: it has a control character, an invisible one or no valid Unicode",
        ),
        ("exam\u202efdp.exe", r"'exam\u202efdp.exe' cannot be used"),
        ("a\u200bb", "U+200B"),
        ("a\x85b", "U+0085"),
        ("\udcff", "U+DCFF"),
        ("d/" * 32 + "a", "it has 33 parts, and 32 are the limit"),
        ("e\u0301" * 2000, "it is longer than 1024 bytes"),
    ],
)
def test_refused_path_is_named_with_the_reason(path, reason):
    with pytest.raises(BadPath) as caught:
        paths.check_path(path)
    assert reason in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize("clash", [["a", "a"], ["a", "A"], ["a/b", "A/c"], ["a", "a/b"], ["a/b", "a"], ["a", "a."]])
def test_paths_that_are_one_file_somewhere_are_refused_together(clash):
    with pytest.raises(BadPath):
        paths.check_paths(clash)
    assert [paths.check_paths([path]) for path in clash] == [[path] for path in clash]


def test_number_of_folders_has_a_limit(monkeypatch):
    monkeypatch.setattr(paths, "MOST_FOLDERS", 3)
    paths.check_paths(["a/b/x", "a/c/x", "a/c/y", "z"])
    with pytest.raises(BadPath, match="in more than 3 folders, which is the limit"):
        paths.check_paths(["a/b/x", "a/c/x", "a/d/x"])


def test_each_part_of_a_deep_path_is_folded_once(monkeypatch):
    folded = []
    fold = paths._folded
    monkeypatch.setattr(paths, "_folded", lambda part: folded.append(part) or fold(part))
    paths.check_paths(f"{'d/' * 31}{number}" for number in range(100))
    assert sum(map(len, folded)) < 100 * 2 * 64


@pytest.mark.parametrize("text", ["alice", "a+b@c.edu", "NBG 101", "..a", "ä"])
def test_clean_name_is_taken_as_it_is(text):
    assert paths.check_name(text) == text


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "/", "a\0", "a\n", "\u2028", "x" * 256, None, 3])
def test_name_that_is_no_single_part_is_refused(text):
    with pytest.raises(BadPath):
        paths.check_name(text)


def test_refusal_names_what_it_is_about():
    with pytest.raises(BadPath, match="The course '../x' cannot be used as a file name: it has a path separator."):
        paths.check_name("../x", "course")
