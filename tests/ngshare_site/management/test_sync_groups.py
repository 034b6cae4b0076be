"""`sync_groups` adds everybody to the courses that their groups on the Hub name."""

import io

import pytest
from django.core.management import CommandError, call_command

from courses import services
from courses.models import Course, Membership
from courses.permissions import SERVER
from ngshare_site.hub import groups
from tests.cast import COURSE, ELSEWHERE, actor, everything, person, v2
from tests.fake_hub import ACCESS
from tests.ngshare_site.names import TAKES, roles_of


def ask(client, token):
    return client.get(v2("me"), headers={"Authorization": f"token {token}"})


def sync(*arguments):
    """(went well, standard output and the error's sentence)"""
    out = io.StringIO()
    try:
        call_command("sync_groups", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        return False, out.getvalue() + str(error)
    return True, out.getvalue()


def test_sync_joins_everybody(grouped):
    went_well, said = sync()
    assert went_well, said
    assert said.splitlines() == [
        "Elsewhere: 1 created",
        "erin: created as student",
        "NBG 101: 1 created, 1 changed, 1 unchanged",
        "frank: created as student",
        "gina: changed; role 'grader' → 'instructor'",
        "groups name these courses, which do not exist: New",
    ]
    assert roles_of("frank") == {COURSE: "student"} and roles_of("erin") == {ELSEWHERE: "student"}
    assert roles_of("alice") == roles_of("gina") == {COURSE: "instructor"}
    assert not Course.objects.filter(name="New").exists()


def test_sync_again_changes_nothing(grouped):
    sync()
    before = everything()
    assert sync() == (True, "Elsewhere: 1 unchanged\nNBG 101: 3 unchanged\n" + sync()[1].splitlines()[-1] + "\n")
    assert everything() == before


def test_sync_of_one_course_leaves_the_others(grouped):
    went_well, said = sync(COURSE)
    assert went_well and ELSEWHERE not in said and "New" not in said
    assert roles_of("frank") == {COURSE: "student"} and roles_of("erin") == {}
    assert person("frank").hub_groups == [TAKES] and person("erin").hub_groups == []


def test_dry_run_says_the_same_and_writes_nothing(grouped):
    before = everything()
    _, foretold = sync("--dry-run")
    assert everything() == before and person("bob").hub_groups == []
    assert foretold == sync()[1] + "dry run: nothing was done\n"


@pytest.mark.parametrize("name", ["Nowhere", "", "a/b"])
def test_unknown_course_is_named(grouped, name):
    before = everything()
    went_well, said = sync(name)
    assert not went_well and said == f"There is no course {name}."
    assert everything() == before


def test_course_in_the_trash_is_not_found(grouped, course):
    services.trash_course(course, by=SERVER)
    before = everything()
    assert sync(COURSE) == (False, f"There is no course {COURSE}.")
    assert everything() == before
    assert "do not exist: NBG 101, New" in sync()[1]
    assert roles_of("frank") == {}


def test_sync_joins_anew_whom_an_instructor_took_off_but_their_next_request_does_not(
    grouped, course, client, switched_on
):
    grouped.user("t", "frank", ACCESS, groups=[TAKES])
    sync()
    services.remove_member(Membership.objects.get(user__username="frank"), by=actor("alice"))
    ask(client, "t")
    assert roles_of("frank") == {}
    sync()
    assert roles_of("frank") == {COURSE: "student"}


def test_hub_without_groups_is_no_trouble(readable, course):
    assert groups.fetch_members() == {}
    assert sync() == (True, "")


def test_users_who_cannot_be_members_are_told_and_the_rest_goes_on(grouped):
    grouped.groups[TAKES] += ["a/b"]
    went_well, said = sync()
    assert not went_well and "a/b: refused" in said and "1 of the groups' members was refused" in said
    assert roles_of("frank") == {COURSE: "student"}


# What may be missing


@pytest.mark.parametrize(("scopes", "missing"), [((), "list:groups"), (("list:groups",), "read:groups")])
def test_missing_scope_is_named_with_the_lines_to_add(grouped, settings, scopes, missing):
    grouped.user("service-token", "ngshare", *scopes, kind="service")
    settings.JUPYTERHUB_SERVICE_NAME = "exchange"
    before = everything()
    went_well, said = sync()
    assert not went_well and f"lacks the scope {missing}." in said
    assert '{"name": "exchange-groups", "scopes": ["list:groups", "read:groups"], "services": ["exchange"]}' in said
    assert "service-token" not in said and everything() == before


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_hub_in_trouble_changes_nothing(grouped, status):
    grouped.status = status
    before = everything()
    went_well, said = sync()
    assert not went_well and said == f"JupyterHub cannot be asked for its groups: the Hub answered {status}."
    assert everything() == before


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/hub/api"])
def test_hub_that_is_not_there_changes_nothing(grouped, settings, url):
    settings.JUPYTERHUB_API_URL = url
    before = everything()
    went_well, said = sync()
    assert not went_well and said.startswith("JupyterHub cannot be asked for its groups: ")
    assert everything() == before


@pytest.mark.parametrize("answer", ["groups", {"items": []}])
def test_answer_that_is_no_list_of_groups_changes_nothing(grouped, monkeypatch, answer):
    monkeypatch.setattr(grouped, "answer", lambda *asked: (200, answer))
    before = everything()
    went_well, said = sync()
    assert not went_well and said.startswith("JupyterHub cannot be asked for its groups: ")
    assert everything() == before
