import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import paths
from exchange.api.v2 import blobs
from exchange.storage import file_sets


@pytest.mark.parametrize("module", [paths, file_sets, blobs])
def test_examples_in_the_documentation_are_true(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


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


@pytest.mark.parametrize("path", [None, 1, b"a", ["a"]])
def test_what_is_no_text_is_refused(path):
    with pytest.raises(paths.BadPath):
        paths.check(path)
