"""How log records look: on one line each, whatever somebody wrote into them."""

import json
import logging
import sys

import pytest

from courses import request_id
from ngshare_site import logs

EVIL = "bob\r\n2026-11-27 12:00:00 INFO x: forged\x1b[2J\u202e"


def record(message, *arguments, **attributes):
    made = logging.LogRecord("ngshare.test", logging.WARNING, __file__, 1, message, arguments, None)
    made.__dict__.update(attributes)
    return made


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


@pytest.fixture
def in_request():
    token = request_id.current.set("7f3a")
    yield
    request_id.current.reset(token)


def test_line_says_when_what_and_in_which_request(in_request):
    line = logs.LineFormatter().format(record("%s has submitted", "bob"))
    assert line.endswith(" WARNING ngshare.test [7f3a]: bob has submitted")


def test_line_of_a_command_names_no_request():
    assert logs.LineFormatter().format(record("done")).endswith(" WARNING ngshare.test: done")


@pytest.mark.parametrize("formatter", [logs.LineFormatter(), logs.JSONFormatter()])
def test_nothing_in_a_message_starts_a_line_or_moves_the_cursor(formatter):
    line = formatter.format(record("user %s", EVIL))
    assert line.isprintable()


def test_lines_of_a_traceback_cannot_pass_for_records():
    lines = logs.LineFormatter().format(record("failed", exc_info=caught(ValueError(EVIL)))).splitlines()
    assert len(lines) > 2 and all(line.startswith("    ") and line.isprintable() for line in lines[1:])
    assert any("forged" in line for line in lines)


def test_json_has_the_values_apart(in_request):
    fields = {"user": EVIL, "status": 201}
    values = json.loads(logs.JSONFormatter().format(record("a %s", "line", **{logs.FIELDS: fields})))
    assert values.pop("time").endswith("+00:00") and values.pop("process")
    assert values == {
        "level": "WARNING",
        "logger": "ngshare.test",
        "message": "a line",
        "request_id": "7f3a",
        "user": EVIL,
        "status": 201,
    }


def test_json_of_an_error_has_its_traceback():
    text = logs.JSONFormatter().format(record("failed", exc_info=caught(ValueError("why"))))
    assert "\n" not in text and "ValueError: why" in json.loads(text)["traceback"]
