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
    offset: int | None = 0
    while offset is not None:
        page = _page(offset)
        for model in page["items"]:
            if "users" not in model:
                raise ScopeMissing("read:groups")
            found[str(model["name"])] = [str(name) for name in model["users"]]
        following = page["_pagination"]["next"]
        offset = following["offset"] if following else None
    return found


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
    return page if isinstance(page, dict) else {"items": page, "_pagination": {"next": None}}
