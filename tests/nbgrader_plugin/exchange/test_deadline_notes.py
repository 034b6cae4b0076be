"""What submit says about the deadline."""

from datetime import UTC, datetime, timedelta

import pytest
from dateutil.tz import gettz

from nbgrader_plugin.client.records import Deadline
from nbgrader_plugin.exchange.deadline_notes import sentences_after, warnings_before

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BERLIN = gettz("Europe/Berlin")


@pytest.mark.parametrize(
    ("deadline", "warnings"),
    [
        (Deadline(), []),
        (Deadline(due=NOW, cut_off=NOW + 6 * MINUTE, attempts_left=2), []),
        (Deadline(due=NOW - MINUTE), ["ps1 was due 12:59 CET: what you submit now is late."]),
        (
            Deadline(due=NOW - timedelta(days=1), extended=True),
            ["ps1 was due 2027-01-30 13:00 CET (extended): what you submit now is late."],
        ),
        (Deadline(attempts_left=1), ["This is your last attempt for ps1."]),
        (Deadline(cut_off=NOW + 5 * MINUTE), ["ps1 closes at 13:05 CET, in 5 minutes."]),
        (Deadline(cut_off=NOW + MINUTE / 2), ["ps1 closes at 13:00 CET, in 1 minute."]),
        (Deadline(cut_off=NOW - MINUTE), []),
    ],
)
def test_warnings_before(deadline, warnings):
    assert list(warnings_before("ps1", deadline, NOW, BERLIN)) == warnings


@pytest.mark.parametrize(
    ("deadline", "sentences"),
    [
        (Deadline(), []),
        (Deadline(attempts_left=1), ["You have no attempts left for ps1."]),
        (Deadline(attempts_left=2), ["You have 1 attempt left for ps1."]),
        (Deadline(attempts_left=3, cut_off=NOW), [
            "You have 2 attempts left for ps1.", "ps1 closes at 2027-01-31 13:00 CET."
        ]),
    ],
)  # fmt: skip
def test_sentences_after(deadline, sentences):
    assert list(sentences_after("ps1", deadline, BERLIN)) == sentences


def test_notes_in_german(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    deadline = Deadline(due=NOW - MINUTE, cut_off=NOW + 5 * MINUTE, attempts_left=2)
    assert [*warnings_before("ps1", deadline, NOW, BERLIN), *sentences_after("ps1", deadline, BERLIN)] == [
        "Die Frist von ps1 war 12:59 CET: Was du jetzt abgibst, ist verspätet.",
        "Annahmeschluss von ps1 ist 13:05 CET, in 5 Minuten.",
        "Du hast noch 1 Versuch für ps1.",
        "Annahmeschluss von ps1 ist 2027-01-31 13:05 CET.",
    ]
