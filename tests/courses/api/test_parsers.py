"""JSON: how many values it may have, and how it must be written."""

import json

import pytest
from rest_framework.exceptions import ParseError

from courses.api import parsers
from courses.api.parsers import strict_json
from courses.errors import TooLarge


@pytest.fixture
def few(monkeypatch, settings):
    """At most 40 tokens."""
    monkeypatch.setattr(parsers, "MAX_TOKENS", 40)
    settings.NGSHARE_MAX_FILES = 1


@pytest.mark.parametrize("item", ["{}", "[]", "0", '""', '"\\""', "null", '{"a":0}'])
@pytest.mark.parametrize("start", ["[", '{"files": [', '["\\"[", '])
def test_many_small_values_are_refused_before_they_are_made(few, monkeypatch, start, item):
    monkeypatch.setattr(json, "loads", lambda *arguments, **options: pytest.fail("they are made"))
    with pytest.raises(TooLarge):
        strict_json((start + ",".join([item] * 100)).encode())


def test_what_stands_in_texts_counts_for_nothing(few):
    text = '{[,"\\' * 100
    assert strict_json(json.dumps([text, {text: text}]).encode()) == [text, {text: text}]


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 1_000_000, b'"' + b"\\" * 1_000_001, b'"' * 300_001])
def test_text_without_an_end_is_refused_in_one_pass(text):
    with pytest.raises(ParseError):
        strict_json(text)


@pytest.mark.parametrize("codec", ["utf-16", "utf-32-be", "latin-1"])
def test_json_in_another_encoding_is_refused(codec):
    with pytest.raises(ParseError):
        strict_json('["é"]'.encode(codec))


def test_byte_order_mark_is_let_pass():
    assert strict_json('["é"]'.encode("utf-8-sig")) == ["é"]
