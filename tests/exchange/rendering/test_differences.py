import json

import pytest

from exchange.rendering.differences import (
    MOST_CHARACTERS,
    MOST_LINES,
    compare_lines,
    compare_notebooks,
    compare_texts,
    render,
)
from tests.exchange.rendering.notebooks import code, markdown, notebook, printed


def compared(before, after):
    return [(part.state, part.title, part.count) for part in compare_notebooks(before.decode(), after.decode())]


def marks(lines):
    return [line.mark + line.text for line in lines]


def test_changed_cell_shows_its_lines_and_others_are_counted():
    same = [markdown("one"), markdown("two")]
    before, after = notebook(*same, code("a = 1\nb = 2")), notebook(*same, code("a = 1\nb = 3"))
    assert compared(before, after) == [("same", "Markdown cell 1", 2), ("changed", "Code cell 3", 1)]
    assert marks(compare_notebooks(before.decode(), after.decode())[1].lines) == [" a = 1", "-b = 2", "+b = 3"]


def test_cell_put_in_between_is_added_and_nothing_else_changes():
    before = notebook(code("a", id="a"), code("b", id="b"))
    after = notebook(code("a", id="a"), markdown("new", id="n"), code("b", id="b"))
    assert [state for state, *_ in compared(before, after)] == ["same", "added", "same"]
    assert [state for state, *_ in compared(after, before)] == ["same", "removed", "same"]


def test_cells_without_ids_are_found_by_what_they_say():
    def without_ids(content):
        made = json.loads(content)
        for cell in made["cells"]:
            del cell["id"]
        return json.dumps(made).encode()

    before = without_ids(notebook(code("first"), code("second cell")))
    after = without_ids(notebook(code("first"), code("another"), code("second cells")))
    assert [state for state, *_ in compared(before, after)] == ["same", "added", "changed"]


def test_cell_of_nbgrader_is_found_by_its_grade_id():
    before = notebook(code("raise NotImplementedError()", nbgrader={"grade_id": "squares"}, id="one"), code("x"))
    after = notebook(code("return 7", nbgrader={"grade_id": "squares"}, id="two"), code("x"))
    assert compared(before, after)[0][0] == "changed"


def test_outputs_are_told_of_and_numbers_of_executions_are_not():
    (part,) = compare_notebooks(notebook(code("1", printed("a"))).decode(), notebook(code("1", printed("b"))).decode())
    assert part.outputs_changed and part.lines == []
    other = code("1", printed("a"))
    other.execution_count = 99
    assert compared(notebook(code("1", printed("a"))), notebook(other)) == []


def test_unchanged_lines_far_from_a_change_are_left_out():
    before = "\n".join(map(str, range(20)))
    assert marks(compare_lines(before, before.replace("10", "ten"))) == [
        "…7 unchanged lines", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13", "…6 unchanged lines",
    ]  # fmt: skip


def test_same_text_has_no_parts():
    assert compare_texts("a", "a") == []


def test_both_files_come_in_one():
    content, options = b"old\nsame" + b"new\nsame", {"kind": "text", "start": "8"}
    (part,) = json.loads(render(content, options))
    assert [line["mark"] for line in part["lines"]] == ["-", "+", " "]


def test_very_many_changes_are_cut():
    before, after = (notebook(*[code(f"{word} {n}", id=f"c{n}") for n in range(3000)]) for word in ("old", "new"))
    content, options = before + after, {"kind": "notebook", "start": str(len(before))}
    parts = json.loads(render(content, options))
    assert sum(len(part["lines"]) for part in parts) <= MOST_LINES
    assert parts[-1]["lines"][0]["text"].endswith("more parts are not shown.")


@pytest.mark.parametrize("cells", [1, 3])
def test_long_lines_are_cut_too(cells):
    before = notebook()
    after = notebook(*[code("\n".join([str(n) + 1000 * "x"] * 1500), id=f"c{n}") for n in range(cells)])
    content, options = before + after, {"kind": "notebook", "start": str(len(before))}
    parts = json.loads(render(content, options))
    lines = [line for part in parts for line in part["lines"]]
    assert MOST_CHARACTERS / 2 < sum(len(line["text"]) for line in lines) <= MOST_CHARACTERS + 200
    assert "not shown" in lines[-1]["text"]


def test_long_kind_of_a_cell_is_cut():
    before, after = notebook(code("old")), notebook(code("new"))
    after = after.replace(b'"code"', b'"' + 1000 * b"x" + b'"')
    assert all(len(part.title) < 100 for part in compare_notebooks(before.decode(), after.decode()))


@pytest.mark.parametrize("text", ["[]", "{}", '{"cells": [7]}', "no"])
def test_what_is_no_notebook_is_an_error(text):
    with pytest.raises(ValueError):
        compare_notebooks(text, text)
