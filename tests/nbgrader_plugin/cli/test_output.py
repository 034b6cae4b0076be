"""Lines in colour where there is a terminal, and what becomes of errors."""

import os
import pty
import sys

import pytest

from nbgrader_plugin.cli.output import CommandFailed, print_error, render_table, run_command
from nbgrader_plugin.client.errors import NotConfigured


def seen_in_terminal(monkeypatch, text):
    """What a terminal gets when the text is printed on standard error."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        print_error(text)
        answer = os.read(ours, 1000).decode()
    os.close(ours)
    return answer


def test_errors_are_red_in_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert seen_in_terminal(monkeypatch, "No.") == "\033[31mNo.\033[0m\r\n"


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert seen_in_terminal(monkeypatch, "No.") == "No.\r\n"


def test_a_file_gets_no_colours_and_no_control_characters(capsys):
    print_error("bob\x1b[2J")
    assert capsys.readouterr().err == "bob[2J\n"


@pytest.mark.parametrize(
    "error", [CommandFailed("It is so."), NotConfigured("It is so."), FileNotFoundError("It is so.")]
)
def test_foreseen_errors_are_a_sentence_and_a_status(error, capsys):
    def command():
        raise error

    assert run_command(command) == 1
    assert capsys.readouterr().err == "It is so.\n"


def test_unforeseen_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def test_table_lines_up_wide_characters_and_shows_no_control_characters():
    lines = render_table(["name", "x"], [["李", "1"], ["e\u0301va", "2"], ["a\x1b[31m", "3"]]).splitlines()
    assert lines == ["name   x", "-----  -", "李     1", "éva    2".replace("é", "e\u0301"), "a[31m  3"]
