"""Which names may become files here. Runs without nbgrader."""

import pytest

from nbgrader_plugin.client import paths
from nbgrader_plugin.client.paths import BadPath


@pytest.mark.parametrize("path", ["a", "a/b c.txt", ".hidden", "..a", "ä/ö.ipynb", "a:b", "x" * 255, "-rf", "~"])
def test_clean_path_is_taken_as_it_is(path):
    assert paths.check_path(path) == path


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
