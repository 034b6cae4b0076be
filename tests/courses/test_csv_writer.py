"""The guard against formulas in what we write as CSV."""

import pytest

from courses import csv_writer


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n@x",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "\u3000＝1",
        "\xa0=1",
        "'=1",
        "''-",
    ],
)
def test_nothing_written_is_a_formula(cell):
    (line,) = csv_writer.write_rows([["x", cell]])
    written = line.removeprefix("x,").strip('\r\n"')
    assert written.startswith("'") and written[1:] == cell.strip()
