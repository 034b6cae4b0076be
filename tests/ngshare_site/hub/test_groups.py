"""The Hub's groups are read whole, or not at all."""

import pytest

from ngshare_site.hub import groups
from ngshare_site.hub.client import HubUnreachable
from tests.ngshare_site.names import TAKES


@pytest.mark.parametrize("page", [1, 2, 3, 200])
def test_all_pages_are_read(grouped, page):
    grouped.page = page
    found = groups.fetch_members()
    assert found == grouped.groups and list(found) == list(grouped.groups)


def test_missing_config_is_python_that_adds_a_role():
    class Config:
        """What jupyterhub_config.py calls `c`."""

        class JupyterHub:
            load_roles: list = []

    exec(groups.missing_config(), {"c": Config})
    assert Config.JupyterHub.load_roles[0]["scopes"] == ["list:groups", "read:groups"]


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
def test_answer_that_is_no_list_of_groups_is_no_answer(grouped, monkeypatch, answer):
    monkeypatch.setattr(grouped, "answer", lambda *asked: (200, answer))
    with pytest.raises(HubUnreachable):
        groups.fetch_members()


def test_list_without_pages_is_read_as_well(grouped, monkeypatch):
    monkeypatch.setattr(grouped, "answer", lambda *asked: (200, [{"name": TAKES, "users": ["erin"]}]))
    assert groups.fetch_members() == {TAKES: ["erin"]}
