"""JupyterHub's groups with their members, asked with the service's own token (`GET /groups`).

The token needs the scopes `list:groups` and `read:groups`; without the second the Hub names groups but not who is in
them. Lists come in pages (JupyterHub's REST API, “Pagination”).
"""

from typing import Any

import requests
from django.conf import settings

from ngshare_site.hub.client import TIMEOUT, HubUnreachable

PAGE = 200  # groups in one answer; the Hub's own greatest


class ScopeMissing(Exception):
    """The service's token may not read groups."""


def lines_to_add() -> str:
    """What is missing in jupyterhub_config.py."""
    return (
        "c.JupyterHub.load_roles.append(\n"
        f'    {{"name": "{settings.JUPYTERHUB_SERVICE_NAME}-groups", "scopes": ["list:groups", "read:groups"], '
        f'"services": ["{settings.JUPYTERHUB_SERVICE_NAME}"]}}\n'
        ")"
    )


def members() -> dict[str, list[str]]:
    """{group: user names}. Errors: ScopeMissing, HubUnreachable."""
    found: dict[str, list[str]] = {}
    offset = 0
    while True:
        page = _page(offset)
        try:
            found.update(_of(model) for model in page["items"])
            following = page["_pagination"]["next"]
            if following is None:
                return found
            before, offset = offset, int(following["offset"])
        except (KeyError, TypeError, ValueError) as error:
            raise HubUnreachable("the Hub's answer is no list of groups") from error
        if offset <= before:
            raise HubUnreachable("the Hub's list of groups does not end")


def _of(model: dict[str, Any]) -> tuple[str, list[str]]:
    """One group and its members."""
    name = str(model["name"])
    if "users" not in model:
        raise ScopeMissing("read:groups")
    return name, [str(user) for user in model["users"]]


def _page(offset: int) -> dict[str, Any]:
    if not settings.JUPYTERHUB_API_URL:
        raise HubUnreachable("JUPYTERHUB_API_URL is not set")
    try:
        answer = requests.get(
            f"{settings.JUPYTERHUB_API_URL}/groups",
            params={"offset": offset, "limit": PAGE},
            headers={
                "Authorization": f"token {settings.JUPYTERHUB_API_TOKEN}",
                "Accept": "application/jupyterhub-pagination+json",
            },
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.status_code in (401, 403):
            raise ScopeMissing("list:groups")
        if answer.status_code != 200:
            raise HubUnreachable(f"the Hub answered {answer.status_code}")
        page = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
    return {"items": page, "_pagination": {"next": None}} if isinstance(page, list) else page
