import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import paths


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b.c",
        "Übung 1/é.ipynb",
        "...",
        "..a",
        ".hidden/x",
        "a+b (1)",
        "数/学",
        "-",
        "d/" * 31 + "a",
        "CON",
        "a:b",
        "a.",
        " a ",
        "می\u200cخواهم",
        "👩\u200d💻.txt",
    ],
)
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
        ("\x1b[31mred", "it has a control character or an invisible one, U+001B"),
        ("a\x7fb", "U+007F"),
        ("a\x85b", "U+0085"),
        ("exam\u202efdp.exe", "U+202E"),
        ("a\u2066b", "U+2066"),
        ("a\u200fb", "U+200F"),
        ("a\u200bb", "U+200B"),
        ("\ufeffa", "U+FEFF"),
        ("d/" * 32 + "a", "it has 33 parts, the limit is 32"),
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
        ["a", "a."],
        ["a /b", "a/c"],
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


def test_refused_path_leaves_the_tree_as_it_is():
    tree = paths.PathTree()
    tree.add("a/b")
    for path in ("A/x", "a/b/c", "a", "../x"):
        with pytest.raises(paths.BadPath):
            tree.add(path)
    tree.add("x/c")
    tree.add("a/c")


def test_number_of_folders_has_a_limit(monkeypatch):
    monkeypatch.setattr(paths, "MAX_FOLDERS", 3)
    paths.check_all(["a/b/x", "a/c/x", "a/c/y", "z"])
    with pytest.raises(paths.BadPath, match="in more than 3 folders, which is the limit"):
        paths.check_all(["a/b/x", "a/c/x", "a/d/x"])


def test_each_part_of_a_deep_path_is_folded_once(monkeypatch):
    folded = []
    fold = paths._fold
    monkeypatch.setattr(paths, "_fold", lambda part: folded.append(part) or fold(part))
    paths.check_all(f"{'d/' * 31}{number}" for number in range(100))
    assert sum(map(len, folded)) < 100 * 2 * 64


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("ps1/a b.txt", "ps1/a b.txt"),
        ("a:b", "a_b"),
        ('<a>"|?*\\', "_a______"),
        ("a.", "a_"),
        ("a /b", "a_/b"),
        ("...", ".._"),
        ("CON", "_CON"),
        ("aux.tar.gz", "_aux.tar.gz"),
        ("Lpt1 .txt", "_Lpt1 .txt"),
        ("COM¹", "_COM¹"),
        ("console", "console"),
        ("com10", "com10"),
        ("x\u202ey\x1b", "x_y_"),
    ],
)
def test_portable_path_is_one_that_windows_can_write(path, written):
    assert paths.portable(path) == paths.portable(written) == written
