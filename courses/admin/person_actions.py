"""What an administrator may do to a person: what the page says, what it asks for, and what then happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms

from courses import people
from courses.admin.forms import AnonymiseForm, MergeForm, RenameForm
from courses.models import User
from courses.permissions import Actor

CleanedData = dict[str, Any]  # of a form


@dataclass(frozen=True)
class PersonAction:
    """One action. `run` gets the user, the form's cleaned data and the actor, and returns the message for afterwards.

    The message must not begin with a name: the admin's pages capitalise its first letter.
    """

    title: str
    sentences: list[str]
    run: Callable[[User, CleanedData, Actor], str]
    form: type[forms.Form] = forms.Form


def _rename(user: User, values: CleanedData, by: Actor) -> str:
    old = user.username
    if old == values["new"]:  # the form came once more
        return f"Renamed: this account is called {old}."
    people.rename(user, values["new"], by=by)
    return f"Renamed {old} to {values['new']}."


def _merge(user: User, values: CleanedData, by: Actor) -> str:
    kept = people.find(values["into"])
    moved = people.merge(user, kept, by=by)
    counts = ", ".join(people.count_of_kind(number, kind) for kind, number in moved.items())
    return f"Merged {user} into {kept}: {counts or 'there was nothing to move'}."


def _deactivate(user: User, values: CleanedData, by: Actor) -> str:
    people.set_active(user, False, by=by)
    return f"Deactivated {user}. The service refuses this account from now on."


def _activate(user: User, values: CleanedData, by: Actor) -> str:
    people.set_active(user, True, by=by)
    return f"Activated {user}. This account can log in again."


def _anonymise(user: User, values: CleanedData, by: Actor) -> str:
    old = user.username
    if people.is_anonymous(user) and not values["log_too"]:  # the form came once more
        return f"Anonymised: the account is called {old}."
    return f"Anonymised {old}. The account is now called {people.anonymise(user, by=by, log_too=values['log_too'])}."


PERSON_ACTIONS = {
    "rename": PersonAction(
        "Rename",
        ["Use this when a user name on JupyterHub has changed. Memberships, submissions and receipts are kept."],
        _rename,
        RenameForm,
    ),
    "merge": PersonAction(
        "Merge into another account",
        [
            "Use this for one person with two accounts. Memberships, submissions and feedback of this account move to "
            "the other; where both are members of a course, the higher role is kept. This account is then deleted.",
            "This cannot be undone.",
        ],
        _merge,
        MergeForm,
    ),
    "deactivate": PersonAction(
        "Deactivate",
        [
            "The service refuses this account at once, also in open sessions. Memberships and submissions are kept.",
        ],
        _deactivate,
    ),
    "activate": PersonAction("Activate", ["The account can log in again, with its memberships."], _activate),
    "anonymise": PersonAction(
        "Anonymise",
        [
            "Forgotten: user name, first and last names, emails and sections. The person is removed from every roster "
            "and cannot log in with this account again.",
            "Kept, under a number: submissions with their times, and the feedback on them. Names inside the files are "
            "not searched for. Receipts can still be verified.",
            "This cannot be undone.",
        ],
        _anonymise,
        AnonymiseForm,
    ),
}
