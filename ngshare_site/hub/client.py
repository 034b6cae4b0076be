"""The client of JupyterHub's REST API, and its first question: whose token is this?

Source of the rules: JupyterHub's `GET /user` (the model of the token's owner) and its scopes. Answers are kept in
Django's cache, which all processes share, under a hash of the token and for a minute at most.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache

TIMEOUT = (3, 10)  # seconds to connect, to read
BAD_TOKEN_SECONDS = 10  # how long a bad token is remembered


class HubUnreachable(Exception):
    """The Hub gave no usable answer, which says nothing about the token."""


class BadToken(Exception):
    """The Hub does not know the token."""


@dataclass(frozen=True)
class Identity:
    """Whose token it is."""

    name: str
    kind: str  # "user" or "service"
    admin: bool
    groups: tuple[str, ...]
    scopes: tuple[str, ...]

    @property
    def has_access_scope(self) -> bool:
        """Whether the token carries the scope of access to this service."""
        return bool({"access:services", f"access:services!service={settings.JUPYTERHUB_SERVICE_NAME}"} & {*self.scopes})

    @property
    def is_of_own_server(self) -> bool:
        """Whether the token is the one of its owner's single-user server."""
        return f"users:activity!user={self.name}" in self.scopes


def identify(token: str, *, fresh: bool = False) -> Identity:
    """Return whose token this is. With `fresh` the cache is not read. Errors: BadToken, HubUnreachable."""
    cache_key = f"hub-identity-{hashlib.sha256(token.encode()).hexdigest()}"
    known = None if fresh else cache.get(cache_key)
    if known is None:
        try:
            known = asdict(fetch_identity(token))
        except BadToken:
            known = {}
        cache.set(cache_key, known, min(settings.NGSHARE_IDENTITY_SECONDS, 60) if known else BAD_TOKEN_SECONDS)
    if not known:
        raise BadToken
    return Identity(**known)


def fetch_identity(token: str) -> Identity:
    """Ask the Hub whose token this is. Errors: BadToken, HubUnreachable."""
    model = get("user", token)
    try:
        return Identity(
            name=str(model["name"]),
            kind=str(model.get("kind", "user")),
            admin=model.get("admin") is True,
            groups=tuple(str(group) for group in model.get("groups") or ()),
            scopes=tuple(str(scope) for scope in model.get("scopes") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise HubUnreachable("the Hub's answer is no user model") from error


def get(path: str, token: str, *, params: Mapping[str, int] | None = None, accept: str = "application/json") -> Any:
    """Return the JSON that the Hub answers. Errors: BadToken (also for a missing scope), HubUnreachable."""
    if not settings.JUPYTERHUB_API_URL:
        raise HubUnreachable("JUPYTERHUB_API_URL is not set")
    try:
        response = requests.get(
            f"{settings.JUPYTERHUB_API_URL}/{path}",
            params=params,
            headers={"Authorization": f"token {token}", "Accept": accept},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if response.status_code in (401, 403):
            raise BadToken
        if response.status_code != 200:
            raise HubUnreachable(f"the Hub answered {response.status_code}")
        return response.json()
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
