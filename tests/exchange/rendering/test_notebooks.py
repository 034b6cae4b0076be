import json

import pytest

from exchange.rendering.notebooks import LONGEST_OUTPUT, MOST_OUTPUTS, render
from tests.exchange.rendering.notebooks import PIXEL, code, markdown, notebook, printed, shown


def html_of(*cells, **metadata):
    return render(notebook(*cells, **metadata), {}).decode()


def test_text_formulas_code_and_output_are_shown():
    html = html_of(markdown("# Title\n\n$x^2$"), code("import os", printed("hello")))
    assert (
        "<h1>Title</h1>" in html and "<msup>" in html and "hello" in html and '<span class="kn">import</span>' in html
    )


def test_pictures_are_shown():
    html = html_of(code("plot()", shown(image_png=PIXEL)), code("draw()", shown(**{"image_svg+xml": "<svg/>"})))
    assert f'src="data:image/png;base64,{PIXEL}"' in html and 'src="data:image/svg+xml;base64,' in html


def test_attached_picture_is_shown():
    cell = markdown("![a](attachment:a.png)")
    cell.attachments = {"a.png": {"image/png": PIXEL}}
    assert f"base64,{PIXEL}" in html_of(cell)


def test_language_of_the_notebook_is_highlighted():
    assert '<span class="o">&lt;-</span>' in html_of(code("x <- 1"), language_info={"name": "R"})
    assert "x &lt;- 1" in html_of(code("x <- 1"), language_info={"name": "klingon"})


def test_language_of_a_fence_is_highlighted():
    assert '<span class="k">def</span>' in html_of(markdown("```python\ndef f(): 1\n```"))
    assert "def f(): 1" in html_of(markdown("```klingon\ndef f(): 1\n```"))


def test_long_output_is_cut():
    html = html_of(code("1", printed("x" * LONGEST_OUTPUT + "y" * 1234)))
    assert "1,234 more characters are not shown" in html and "y" * 9 not in html


def test_many_outputs_are_cut():
    html = html_of(code("1", *[printed(f"line {number}\n") for number in range(MOST_OUTPUTS + 7)]))
    assert "7 more outputs are not shown" in html and f"line {MOST_OUTPUTS}" not in html


def test_output_of_a_script_shows_what_needs_none():
    formats = {"text_html": "<div></div><script>plot()</script>", "text_plain": "a plot"}
    assert "a plot" in html_of(code("1", shown(**formats)))
    table = {"text_html": "<table><tr><td>7</table><script>sort()</script>", "text_plain": "a table"}
    assert "<td>7</td>" in html_of(code("1", shown(**table)))


def test_output_that_needs_a_kernel_says_so():
    widget = {"application_vnd.jupyter.widget-view+json": {"model_id": "1"}}
    assert "needs a running notebook" in html_of(code("1", shown(**widget)))


def test_notebooks_of_old_formats_are_read():
    cells = [{"cell_type": "code", "language": "python", "input": "print(7)", "outputs": [], "prompt_number": 1}]
    old = {"worksheets": [{"cells": cells}], "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}
    assert "print" in render(json.dumps(old).encode(), {}).decode()


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b'{"cells": 7}', b"\xff"])
def test_what_is_no_notebook_is_an_error(content):
    with pytest.raises((ValueError, AttributeError, KeyError, TypeError)):
        render(content, {})
