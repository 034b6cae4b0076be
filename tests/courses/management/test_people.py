"""The command `people`."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from courses.models import AuditEntry, Membership, User
from tests import cast
from tests.cast import COURSE, everything


def state():
    """Everything, the people included (but not when they were last here)."""
    people = User.objects.order_by("pk").values("pk", "username", "is_active", "is_hub_admin", "hub_groups")
    return {**everything(), "people": list(people)}


@pytest.fixture
def inactive_erin(course):
    User.objects.filter(username="erin").update(is_active=False)


def command(*arguments):
    """(went well, what was said)"""
    out = io.StringIO()
    try:
        call_command("people", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        assert error.returncode == 1
        return False, str(error)
    return True, out.getvalue()


@pytest.fixture
def typed(monkeypatch):
    def type_in(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    type_in("")
    return type_in


@pytest.mark.parametrize(
    ("arguments", "action", "sentence"),
    [
        (("rename", "bob", "robert"), "rename user", "bob is called robert now."),
        (("merge", "bob", "dave", "--yes"), "merge users", "Merged bob into dave: 1 member."),
        (("deactivate", "bob"), "deactivate user", "bob is not active now."),
        (("activate", "erin"), "activate user", "erin is active now."),
        (("anonymise", "bob", "--yes"), "anonymise user", "The audit log still names them"),
        (("anonymise", "bob", "--yes", "--log-too"), "anonymise user", "were not searched.\n"),
    ],
)
def test_command_does_it_and_the_log_names_the_server(inactive_erin, typed, arguments, action, sentence):
    went_well, said = command(*arguments)
    assert went_well and sentence in said
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.role) == (action, "", "server")


@pytest.mark.parametrize(
    "arguments", [("merge", "bob", "dave"), ("anonymise", "bob"), ("anonymise", "bob", "--log-too")]
)
@pytest.mark.parametrize("answer", ["no\n", "\n", "", "y\n", "YES\n"])
def test_what_cannot_be_undone_is_asked_first(course, typed, arguments, answer):
    typed(answer)
    before = state()
    assert command(*arguments) == (False, "Nothing was done.")
    assert state() == before


@pytest.mark.parametrize("arguments", [("merge", "bob", "dave"), ("anonymise", "bob")])
def test_yes_goes_on(course, typed, arguments, capsys):
    typed("yes\n")
    assert command(*arguments)[0]
    assert "bob" in capsys.readouterr().out
    assert not User.objects.filter(username="bob").exists()
    assert not Membership.objects.filter(course__name=COURSE, user__username="bob").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rename", "zoe", "x"), "Nobody is called zoe."),
        (("rename", "bob", "dave"), "There is somebody called dave already."),
        (("rename", "bob", "a/b"), "cannot be a user name"),
        (("rename", "bob\udcff", "x"), "cannot be a user name"),
        (("rename", "bob", "x\udcff"), "cannot be a user name"),
        (("rename", "bob", ""), "cannot be a user name"),
        (("merge", "bob", "zoe", "--yes"), "Nobody is called zoe."),
        (("merge", "bob", "bob", "--yes"), "These are the same account."),
        (("deactivate", "zoe"), "Nobody is called zoe."),
        (("anonymise", "a/b", "--yes"), "cannot be a user name"),
    ],
)
def test_wrong_names_end_the_command_with_a_sentence(course, typed, arguments, sentence):
    before = state()
    went_well, said = command(*arguments)
    assert not went_well and sentence in said
    assert state() == before


@pytest.mark.parametrize("arguments", [(), ("promote", "bob"), ("rename", "bob"), ("merge", "bob")])
def test_half_a_command_is_refused(course, arguments):
    before = state()
    with pytest.raises(CommandError):
        call_command("people", *arguments)
    assert state() == before


def test_deactivating_twice_is_logged_once(course):
    command("deactivate", "bob")
    assert command("deactivate", "bob") == (True, "bob is not active now.\n")
    assert AuditEntry.objects.count() == 1
    assert cast.person("bob").is_active is False
