"""The guard against formulas in what we write as CSV."""

import doctest

import pytest

from courses import csv_writer


def test_examples_in_the_documentation_are_true():
    result = doctest.testmod(csv_writer)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n@x", "＝1", "'=1", "''-"])
def test_nothing_written_is_a_formula(cell):
    (line,) = csv_writer.write_rows([["x", cell]])
    written = line.removeprefix("x,").strip('\r\n"')
    assert written.startswith("'") and written[1:] == cell.strip()
