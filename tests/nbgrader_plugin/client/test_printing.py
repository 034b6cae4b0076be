"""What is safe to print."""

import logging

import pytest

from nbgrader_plugin.client.printing import log_printable, printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Übung 1, 数学", "Übung 1, 数学"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b]0;owned\x07no", "]0;ownedno"),
        ("a\x9b31mb\r", "a31mb"),
        ("exam\u202efdp.exe", "examfdp.exe"),
        ("half \ud800", "half "),
    ],
)
def test_text_loses_what_controls_a_terminal(text, shown):
    assert printable(text) == shown
    assert printable("x" * 3000) == "x" * 2000


def test_line_break_in_a_name_makes_no_line():
    assert printable_line("ps1\r\nSubmitted as: x\ty") == "ps1 Submitted as: x y"


def test_log_is_safe_to_print_whoever_writes_it(caplog):
    log = logging.getLogger("tests.printing")
    log_printable(log)
    log_printable(logging.LoggerAdapter(log))
    log.error("%s sent %d \x1b[2J", "\u202eeve", 3)
    log.error("100 % of the arguments %s are missing", *[])
    assert caplog.messages == ["eve sent 3 [2J", "100 % of the arguments %s are missing"]
    assert len(log.filters) == 1
