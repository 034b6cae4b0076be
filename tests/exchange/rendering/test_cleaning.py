import re

import pytest

from exchange.rendering.cleaning import clean
from exchange.rendering.formulas import typeset
from tests.exchange.rendering.notebooks import PIXEL, hostile_html

ADDRESS = "http://elsewhere.example"


@pytest.mark.parametrize("prepare", [str, typeset])
def test_nothing_that_runs_or_loads_is_left(prepare):
    html = clean(prepare(hostile_html(ADDRESS)))
    assert "cover" in html and "bad link" in html and "still here" in html
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {"a", "details", "div", "img", "math", "mi", "mtext", "p", "summary", "table", "tbody", "td", "tr"}
    attributes = set(re.findall(r' ([a-z:-]+)="', html))
    assert attributes <= {"href", "rel", "target", "style", "id", "open"}
    assert re.findall(r'href="([^"]*)"', html) == [f"{ADDRESS}/ping"]
    assert "url" not in html and "position" not in html and "image-set" not in html


def test_pictures_that_come_with_the_document_stay():
    html = f'<img alt="a" src="data:image/png;base64,{PIXEL}">'
    assert clean(html) == html


@pytest.mark.parametrize("address", ["data:text/html,x", "https://x.org/a.png", "/a.png", "a.png", "//x.org/a.png"])
def test_no_other_picture_is_loaded(address):
    assert "src" not in clean(f'<img src="{address}" alt="a">')


@pytest.mark.parametrize(
    "address", ["ps2.ipynb", "/admin/", "//x.org", "JAVASCRIPT:alert(1)", "vbscript:x", "data:text/html,x"]
)
def test_links_into_the_site_and_scripts_lead_nowhere(address):
    assert "href" not in clean(f'<a href="{address}">x</a>')


def test_links_elsewhere_and_inside_the_document_stay():
    assert 'href="#a"' in clean('<a href="#a">x</a>')
    assert 'href="https://x.org" rel="noopener noreferrer"' in clean('<a href="https://x.org">x</a>')


def test_colours_stay():
    assert clean('<td style="color: red; background-color: rgb(1, 2, 3); position: fixed">') == ""
    html = clean('<p style="color: red; background-color: rgb(1, 2, 3); position: fixed">x</p>')
    assert html == '<p style="color:red;background-color:rgb(1, 2, 3)">x</p>'
