import pytest

from exchange.rendering.texts import LONGEST_LINE, render


def test_code_is_highlighted_with_a_place_for_each_number():
    html = render(b"import os\nx = 1\n", {"language": "python"}).decode()
    assert '<span id="line-2">' in html and '<span class="kn">import</span>' in html


def test_tags_in_a_text_are_text():
    assert "&lt;script&gt;" in render(b"<script>alert(1)</script>", {"language": "text"}).decode()


def test_very_long_lines_are_plain():
    assert 'class="mi"' not in render(b"x = 1\n" + b"1" * (LONGEST_LINE + 1), {"language": "python"}).decode()


def test_bytes_are_no_text():
    with pytest.raises(UnicodeDecodeError):
        render(b"\xff\xfe\x00", {"language": "text"})
