"""Short codes: what is typed for them, and which mistakes are noticed."""

from importlib import import_module
from itertools import combinations
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from exchange import short_codes
from exchange.models import Submission
from exchange.short_codes import ALPHABET, LENGTH, grouped, new_code, parse
from tests import cast

CODES = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1).map(
    lambda body: body + short_codes._check_character(body)
)


def test_alphabet_has_no_characters_that_look_alike():
    assert len(set(ALPHABET)) == 31 and not set(ALPHABET) & set("OILUV")


def test_new_codes_are_codes_and_differ():
    codes = [new_code() for _ in range(1000)]
    assert len(set(codes)) == 1000 and all(parse(code) == code for code in codes)


@given(CODES)
def test_code_is_read_in_any_spelling(code):
    spoken = grouped(code).lower().replace("0", "o").replace("1", "l")
    for typed in (
        code,
        grouped(code),
        spoken,
        f" {grouped(code)} ",
        code.replace("1", "I"),
        grouped(code).replace("-", "–"),
    ):
        assert parse(typed) == code


@pytest.mark.parametrize("between", ["\u2011", "—", "\u00a0", "\n", "\t", " - ", "_", "/"], ids=ascii)
@pytest.mark.parametrize("around", ["{}", "“{}”", "{}.", "({})"])
def test_code_is_read_as_other_programs_write_it(between, around):
    assert parse(around.format("7K3M-Q0ZD-4XHC".replace("-", between))) == "7K3MQ0ZD4XHC"


@given(CODES, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code, place, char):
    typed = code[:place] + char + code[place + 1 :]
    assert parse(typed) == (code if typed == code else None)


@given(CODES)
def test_two_characters_that_changed_places_are_noticed(code):
    for first, second in combinations(range(LENGTH), 2):
        typed = list(code)
        typed[first], typed[second] = typed[second], typed[first]
        assert parse("".join(typed)) == (code if code[first] == code[second] else None)


@pytest.mark.parametrize("text", ["", "7K3M", "7K3M-Q0ZD-4XHCC", "ÄÖÜ-ÄÖÜÄ-ÖÜÄÖ", "7K3MQ0ZD4XU!", "٣" * 12])
def test_what_is_no_code_is_none(text):
    assert parse(text) is None


@pytest.mark.django_db
def test_migration_gives_each_submission_a_code(assignment, monkeypatch):
    migration = import_module("exchange.migrations.0010_receipts")
    monkeypatch.setattr(migration, "BATCH", 2)
    for _ in range(5):
        cast.submit(assignment, "bob")
    Submission.objects.update(code=None)
    migration.give_codes(apps, SimpleNamespace(connection=connection))
    codes = Submission.objects.values_list("code", flat=True)
    assert len(set(codes)) == 5 and all(parse(code) == code for code in codes)
