"""Groups on the Hub become memberships: at the first request, at the log-in, and by `sync_groups`."""

import io
import json

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from courses import services
from courses.models import Course, Membership
from courses.permissions import SERVER
from ngshare_site.hub import groups
from ngshare_site.hub.client import HubUnreachable
from tests.cast import COURSE, ELSEWHERE, actor, everything, person, v2
from tests.fake_hub import ACCESS, READS_GROUPS
from tests.site.test_login import begin

TAKES, TEACHES = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"


@pytest.fixture
def switched_on(settings):
    settings.NGSHARE_GROUPS = True


@pytest.fixture
def readable(hub, settings):
    """The service's token may read groups."""
    settings.JUPYTERHUB_API_TOKEN = hub.user("service-token", "ngshare", *READS_GROUPS, kind="service")
    return hub


def roles_of(username):
    found = Membership.objects.filter(user__username=username)
    return dict(found.values_list("course__name", "role"))


def ask(client, token):
    return client.get(v2("me"), headers={"Authorization": f"token {token}"})


# At the first request and at the log-in


def test_groups_are_not_looked_at_unless_it_is_switched_on(hub, course, client):
    hub.user("t", "erin", ACCESS, groups=[TAKES])
    before = everything()
    assert ask(client, "t").status_code == 200
    assert everything() == before


def test_first_request_joins(hub, course, client, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES, f"formgrade-{ELSEWHERE}", "physics"])
    courses = ask(client, "t").json()["courses"]
    assert {one["name"]: one["role"] for one in courses} == {COURSE: "student", ELSEWHERE: "instructor"}
    assert roles_of("frank") == {COURSE: "student", ELSEWHERE: "instructor"}


def test_old_wire_joins_as_well(hub, course, client, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    answer = client.get("/courses", headers={"Authorization": "token t"})
    assert json.loads(answer.content) == {"success": True, "courses": [COURSE]}


def test_group_that_comes_later_counts_once_the_hub_is_asked_again(hub, course, client, switched_on):
    hub.user("t", "frank", ACCESS)
    ask(client, "t")
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    cache.clear()  # a minute has passed
    ask(client, "t")
    assert roles_of("frank") == {COURSE: "student"}


def test_leaving_the_group_or_the_roster_changes_nothing_by_itself(hub, course, client, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    ask(client, "t")
    hub.user("t", "frank", ACCESS)
    cache.clear()
    ask(client, "t")
    assert roles_of("frank") == {COURSE: "student"}
    services.remove_member(Membership.objects.get(user__username="frank"), by=actor("alice"))
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    cache.clear()
    ask(client, "t")
    assert roles_of("frank") == {}


def test_token_that_is_refused_joins_nobody(hub, course, client, switched_on):
    hub.user("t", "erin", "read:users", groups=[TAKES])
    before = everything()
    assert ask(client, "t").status_code == 403
    person_row = person("erin")
    person_row.is_active = False
    person_row.save()
    hub.user("u", "erin", ACCESS, groups=[TAKES])
    assert ask(client, "u").status_code == 403
    assert everything() == before and person("erin").hub_groups == []


def test_weird_groups_do_not_lock_their_members_out(hub, course, client, switched_on):
    weird = ["nbgrader-a\0b", "nbgrader-\ud800", "nbgrader-a/b", "", "x" * 10_000, 7, None]
    hub.user("t", "frank", ACCESS, groups=[*weird, TAKES])
    assert ask(client, "t").status_code == 200
    assert roles_of("frank") == {COURSE: "student"}


def test_log_in_of_a_browser_joins(hub, course, client, switched_on):
    hub.codes["code"] = hub.user("t", "frank", ACCESS, groups=[TEACHES])
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 302
    assert roles_of("frank") == {COURSE: "instructor"}
    assert client.get("/admin/").status_code == 200


# sync_groups


def sync(*arguments):
    """(went well, standard output and the error's sentence)"""
    out = io.StringIO()
    try:
        call_command("sync_groups", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        return False, out.getvalue() + str(error)
    return True, out.getvalue()


@pytest.fixture
def grouped(readable, course):
    readable.groups.update(
        {TAKES: ["bob", "frank", "alice"], TEACHES: ["gina"], f"nbgrader-{ELSEWHERE}": ["erin"], "nbgrader-New": ["x"]}
    )
    return readable


def test_sync_joins_everybody(grouped):
    went_well, said = sync()
    assert went_well, said
    assert said.splitlines() == [
        "Elsewhere: 1 created",
        "erin: created as student",
        "NBG 101: 1 created, 1 changed, 1 unchanged",
        "frank: created as student",
        "gina: changed; role 'grader' → 'instructor'",
        "groups name these courses, which are not here: New",
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


def test_course_in_the_bin_is_no_course(grouped, course):
    services.trash_course(course, by=SERVER)
    before = everything()
    assert sync(COURSE) == (False, f"There is no course {COURSE}.")
    assert everything() == before
    assert "not here: NBG 101, New" in sync()[1]
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


@pytest.mark.parametrize("page", [1, 2, 3, 200])
def test_all_pages_are_read(grouped, page):
    grouped.page = page
    found = groups.members()
    assert found == grouped.groups and list(found) == list(grouped.groups)


def test_hub_without_groups_is_no_trouble(readable, course):
    assert groups.members() == {}
    assert sync() == (True, "")


def test_users_who_cannot_be_members_are_told_and_the_rest_goes_on(grouped):
    grouped.groups[TAKES] += ["a/b"]
    went_well, said = sync()
    assert not went_well and "a/b: refused" in said and "1 of the groups' members were refused" in said
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


def test_lines_to_add_are_python_that_adds_a_role():
    class Config:
        """What jupyterhub_config.py calls `c`."""

        class JupyterHub:
            load_roles: list = []

    exec(groups.lines_to_add(), {"c": Config})
    assert Config.JupyterHub.load_roles[0]["scopes"] == ["list:groups", "read:groups"]


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


@pytest.mark.parametrize(
    "answer",
    [
        "groups",
        7,
        None,
        {},
        {"items": 7, "_pagination": {"next": None}},
        {"items": []},
        {"items": [7], "_pagination": {"next": None}},
        {"items": [{"users": []}], "_pagination": {"next": None}},
        {"items": [{"name": "x", "users": 7}], "_pagination": {"next": None}},
        {"items": [], "_pagination": {"next": {"offset": 0}}},
        {"items": [], "_pagination": {"next": {"offset": "7"}}},
    ],
)
def test_answer_that_is_no_list_of_groups_changes_nothing(grouped, monkeypatch, answer):
    monkeypatch.setattr(grouped, "answer", lambda *asked: (200, answer))
    before = everything()
    with pytest.raises(HubUnreachable):
        groups.members()
    went_well, said = sync()
    assert not went_well and said.startswith("JupyterHub cannot be asked for its groups: ")
    assert everything() == before


def test_list_without_pages_is_read_as_well(grouped, monkeypatch):
    monkeypatch.setattr(grouped, "answer", lambda *asked: (200, [{"name": TAKES, "users": ["erin"]}]))
    assert groups.members() == {TAKES: ["erin"]}
