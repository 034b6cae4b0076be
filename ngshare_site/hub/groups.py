"""JupyterHub's groups with their members, read with the service's own token (`GET /groups`).

The token needs the scopes `list:groups` and `read:groups`; without the second the Hub names groups without their
members. Lists come in pages (JupyterHub's REST API, “Pagination”).
"""

from typing import Any

from django.conf import settings

from ngshare_site.hub import client
from ngshare_site.hub.client import HubUnreachable

PAGE_SIZE = 200  # groups in one answer, the most that the Hub gives


class ScopeMissing(Exception):
    """The service's token may not read groups."""


def missing_config() -> str:
    """Return the lines for jupyterhub_config.py that grant the scopes."""
    return (
        "c.JupyterHub.load_roles.append(\n"
        f'    {{"name": "{settings.JUPYTERHUB_SERVICE_NAME}-groups", "scopes": ["list:groups", "read:groups"], '
        f'"services": ["{settings.JUPYTERHUB_SERVICE_NAME}"]}}\n'
        ")"
    )


def fetch_members() -> dict[str, list[str]]:
    """Return {group: user names}. Errors: ScopeMissing, HubUnreachable."""
    members: dict[str, list[str]] = {}
    offset = 0
    while True:
        page = _fetch_page(offset)
        try:
            members.update(_parse_group(model) for model in page["items"])
            following = page["_pagination"]["next"]
            if following is None:
                return members
            previous, offset = offset, int(following["offset"])
        except (KeyError, TypeError, ValueError) as error:
            raise HubUnreachable("the Hub's answer is no list of groups") from error
        if offset <= previous:
            raise HubUnreachable("the Hub's list of groups does not end")


def _parse_group(model: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the name of a group and its members."""
    name = str(model["name"])
    if "users" not in model:
        raise ScopeMissing("read:groups")
    return name, [str(user) for user in model["users"]]


def _fetch_page(offset: int) -> dict[str, Any]:
    try:
        page = client.get(
            "groups",
            settings.JUPYTERHUB_API_TOKEN,
            params={"offset": offset, "limit": PAGE_SIZE},
            accept="application/jupyterhub-pagination+json",
        )
    except client.BadToken as error:
        raise ScopeMissing("list:groups") from error
    return {"items": page, "_pagination": {"next": None}} if isinstance(page, list) else page
