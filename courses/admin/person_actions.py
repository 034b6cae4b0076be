"""What may happen to a person, each on a page that says what it means and asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from courses import people
from courses.admin.base import Page, confirmation
from courses.admin.forms import AnonymiseForm, MergeForm, RenameForm
from courses.errors import DomainError
from courses.models import User
from courses.permissions import Actor, actor_of


@dataclass(frozen=True)
class Act:
    """`does(user, what the form says, by)` returns the sentence that is told afterwards.

    It does not begin with a name: the admin's pages write the first letter of a message large.
    """

    title: str
    sentences: list[str]
    does: Callable[[User, dict[str, Any], Actor], str]
    form: type[forms.Form] = forms.Form


def _rename(user: User, said: dict[str, Any], by: Actor) -> str:
    old = user.username
    people.rename(user, said["new"], by=by)
    return f"Renamed {old} to {said['new']}."


def _merge(user: User, said: dict[str, Any], by: Actor) -> str:
    kept = people.find(said["into"])
    moved = people.merge(user, kept, by=by)
    told = ", ".join(f"{count} {kind}" for kind, count in moved.items())
    return f"Merged {user} into {kept}: {told or 'nothing was theirs'}."


def _deactivate(user: User, said: dict[str, Any], by: Actor) -> str:
    people.set_active(user, False, by=by)
    return f"Deactivated {user}, who is refused everywhere from now on."


def _activate(user: User, said: dict[str, Any], by: Actor) -> str:
    people.set_active(user, True, by=by)
    return f"Activated {user}, who is let in again."


def _anonymise(user: User, said: dict[str, Any], by: Actor) -> str:
    old = user.username
    return f"Anonymised {old}, who is {people.anonymise(user, by=by, log_too=said['log_too'])} now."


ACTS = {
    "rename": Act(
        "Rename",
        ["For someone whose name on JupyterHub has changed. Memberships, work and receipts stay theirs."],
        _rename,
        RenameForm,
    ),
    "merge": Act(
        "Merge into another account",
        [
            "For one person with two accounts. Memberships, work and feedback of this account go to the other; "
            "where both are in a course, the higher role counts. This account is then deleted.",
            "It cannot be undone.",
        ],
        _merge,
        MergeForm,
    ),
    "deactivate": Act(
        "Deactivate",
        ["They are refused everywhere at once, also where they are logged in. Memberships and work stay."],
        _deactivate,
    ),
    "activate": Act("Activate", ["They are let in again, with the memberships that they had."], _activate),
    "anonymise": Act(
        "Anonymise",
        [
            "Forgotten: user name, first and last names, emails, sections; they leave every roster and cannot log in "
            "as this account again.",
            "Kept, under a number: what they handed in, with its times, and the feedback on it. Names that stand in "
            "the files are not looked for. Receipts that they hold can still be verified.",
            "It cannot be undone.",
        ],
        _anonymise,
        AnonymiseForm,
    ),
}


def act(request: HttpRequest, pk: int, act: str, *, page: Page) -> HttpResponseBase:
    user = page.get_object(request, str(pk))
    if act not in ACTS or user is None or not page.has_view_permission(request, user):
        raise Http404
    chosen = ACTS[act]
    form = chosen.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, chosen.does(user, form.cleaned_data, actor_of(request)))
            return HttpResponseRedirect(reverse("admin:courses_user_changelist"))
        except DomainError as error:
            form.add_error(None, error.message)
    return confirmation(
        request,
        page,
        title=f"{chosen.title}: {user}",
        sentences=chosen.sentences,
        form=form,
        button=chosen.title,
    )
