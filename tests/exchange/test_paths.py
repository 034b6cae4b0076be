import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import paths


@pytest.mark.parametrize("path", ["a", "a/b.c", "Übung 1/é.ipynb", "...", "..a", ".hidden/x", "a+b (1)", "数/学", "-"])
def test_ordinary_names_pass(path):
    assert paths.check(path) == path


@given(st.text(max_size=40))
def test_what_passes_stays_inside(path):
    try:
        paths.check(path)
    except paths.BadPath:
        return
    parts = path.split("/")
    assert path and not path.startswith("/") and "\0" not in path and "\\" not in path
    assert not {"", ".", ".."} & set(parts)
    assert unicodedata.is_normalized("NFC", path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "it is empty"),
        ("/a", "it starts or ends with '/'"),
        ("a/", "it starts or ends with '/'"),
        ("a//b", "two in a row"),
        ("./a", "it has a part '.'"),
        ("a/../b", "it has a part '..'"),
        ("a\\b", "it has a backslash"),
        ("a\nb", "it has a control character"),
        ("a\u2028b", "it has a control character"),
        ("e\u0301", "not in Unicode normal form NFC"),
        ("\ud800", "it is not valid Unicode"),
        ("x" * 256, "a part is longer than 255 bytes"),
        ("/".join(["x" * 200] * 6), "it is longer than 1024 bytes"),
    ],
)
def test_unusable_path_is_refused_with_the_reason(path, reason):
    with pytest.raises(paths.BadPath, match="is no usable path") as caught:
        paths.check(path)
    assert reason in str(caught.value)


def test_longest_parts_and_paths_pass():
    assert paths.check("x" * 255) and paths.check("/".join(["x" * 255] * 4))


@pytest.mark.parametrize("path", [None, 1, b"a", ["a"]])
def test_what_is_not_text_is_refused(path):
    with pytest.raises(paths.BadPath, match="must be text"):
        paths.check(path)


@pytest.mark.parametrize(
    "clash",
    [
        ["a", "a"],
        ["a", "A"],
        ["straße", "STRASSE"],
        ["a/b", "A/c"],
        ["a", "a/b"],
        ["a/b", "A"],
    ],
)
def test_paths_that_would_be_one_file_somewhere_are_refused_together(clash):
    with pytest.raises(paths.BadPath):
        paths.check_all(clash)
    for path in clash:
        paths.check_all([path])


def test_every_path_of_a_file_set_obeys_the_rule():
    with pytest.raises(paths.BadPath, match="is no usable path"):
        paths.check_all(["a", "../b"])
    paths.check_all(["a/b", "a/c", "b"])
