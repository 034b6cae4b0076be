"""What an administrator may do to a person: what the page says, what it asks for, and what then happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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

    title: Promise
    sentences: list[Promise]
    run: Callable[[User, CleanedData, Actor], str]
    form: type[forms.Form] = forms.Form


def _rename(user: User, values: CleanedData, by: Actor) -> str:
    old = user.username
    if old == values["new"]:  # the form came once more
        return _("Renamed: this account is called %(user)s.") % {"user": old}
    people.rename(user, values["new"], by=by)
    return _("Renamed %(old)s to %(new)s.") % {"old": old, "new": values["new"]}


def _merge(user: User, values: CleanedData, by: Actor) -> str:
    kept = people.find(values["into"])
    moved = people.merge(user, kept, by=by)
    counts = ", ".join(people.count_of_kind(number, kind) for kind, number in moved.items())
    names = {"user": user, "kept": kept, "counts": counts or _("there was nothing to move")}
    return _("Merged %(user)s into %(kept)s: %(counts)s.") % names


def _deactivate(user: User, values: CleanedData, by: Actor) -> str:
    people.set_active(user, False, by=by)
    return _("Deactivated %(user)s. The service refuses this account from now on.") % {"user": user}


def _activate(user: User, values: CleanedData, by: Actor) -> str:
    people.set_active(user, True, by=by)
    return _("Activated %(user)s. This account can log in again.") % {"user": user}


def _anonymise(user: User, values: CleanedData, by: Actor) -> str:
    old = user.username
    if people.is_anonymous(user) and not values["log_too"]:  # the form came once more
        return _("Anonymised: the account is called %(user)s.") % {"user": old}
    new = people.anonymise(user, by=by, log_too=values["log_too"])
    return _("Anonymised %(old)s. The account is now called %(new)s.") % {"old": old, "new": new}


PERSON_ACTIONS = {
    "rename": PersonAction(
        gettext_lazy("Rename"),
        [
            gettext_lazy(
                "Use this when a user name on JupyterHub has changed. Memberships, submissions and receipts are kept."
            )
        ],
        _rename,
        RenameForm,
    ),
    "merge": PersonAction(
        gettext_lazy("Merge into another account"),
        [
            gettext_lazy(
                "Use this for one person with two accounts. Memberships, submissions and feedback of this account move "
                "to the other; where both are members of a course, the higher role is kept. This account is then "
                "deleted."
            ),
            gettext_lazy("This cannot be undone."),
        ],
        _merge,
        MergeForm,
    ),
    "deactivate": PersonAction(
        gettext_lazy("Deactivate"),
        [
            gettext_lazy(
                "The service refuses this account at once, also in open sessions. Memberships and submissions are kept."
            ),
        ],
        _deactivate,
    ),
    "activate": PersonAction(
        gettext_lazy("Activate"), [gettext_lazy("The account can log in again, with its memberships.")], _activate
    ),
    "anonymise": PersonAction(
        gettext_lazy("Anonymise"),
        [
            gettext_lazy(
                "Forgotten: user name, first and last names, emails and sections. The person is removed from every "
                "roster and cannot log in with this account again."
            ),
            gettext_lazy(
                "Kept, under a number: submissions with their times, and the feedback on them. Names inside the files "
                "are not searched for. Receipts can still be verified."
            ),
            gettext_lazy("This cannot be undone."),
        ],
        _anonymise,
        AnonymiseForm,
    ),
}
