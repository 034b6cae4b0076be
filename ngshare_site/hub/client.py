"""The client of JupyterHub's REST API, and its first question: whose token is this?

Source of the rules: JupyterHub's `GET /user` (the model of the token's owner) and its scopes. Answers are kept in
Django's cache, which all processes share, under a hash of the token and for a minute at most.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.core.cache import cache

from courses.failures import Part, count_failure
from ngshare_site.hub import http, strangers

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
    token_id: str = ""  # from JupyterHub 5 on

    @property
    def has_access_scope(self) -> bool:
        """Whether the token carries the scope of access to this service."""
        return bool({"access:services", f"access:services!service={settings.JUPYTERHUB_SERVICE_NAME}"} & {*self.scopes})

    @property
    def is_of_own_server(self) -> bool:
        """Whether the token is the one of its owner's single-user server."""
        return f"users:activity!user={self.name}" in self.scopes


def identify(token: str, sender: strangers.Sender) -> Identity:
    """Return whose token this is, from the cache or the Hub. Errors: BadToken, HubUnreachable, strangers.TooMany."""
    key = hash_of(token)
    known = cache.get(f"hub-identity-{key}")
    if known is None:
        with strangers.admitted(key, sender):
            known = _ask(token, key, sender)
    if not known:
        raise BadToken
    return Identity(**{**known, "groups": tuple(known["groups"]), "scopes": tuple(known["scopes"])})


def hash_of(token: str) -> str:
    """Return the hash under which the cache has what is known of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _ask(token: str, key: str, sender: strangers.Sender) -> dict[str, Any]:
    """Return the Hub's answer and keep it; an empty one for a bad token."""
    try:
        known = asdict(fetch_identity(token))
    except BadToken:
        if strangers.count_bad_token(sender):
            cache.set(f"hub-identity-{key}", {}, BAD_TOKEN_SECONDS)
        return {}
    cache.set(f"hub-identity-{key}", known, min(settings.NGSHARE_IDENTITY_SECONDS, 60))
    strangers.remember(key)
    return known


def fetch_identity(token: str) -> Identity:
    """Ask the Hub whose token this is. Errors: BadToken, HubUnreachable."""
    return parse_identity(get("user", token))


def parse_identity(model: Any) -> Identity:
    """Return the identity that the model of a token's owner describes. Errors: HubUnreachable."""
    try:
        name, kind = model["name"], model.get("kind", "user")
        groups, scopes = model.get("groups") or [], model.get("scopes") or []
        token_id = model.get("token_id")
    except (KeyError, TypeError, AttributeError) as error:
        raise HubUnreachable("the Hub's answer is no user model") from error
    texts, lists = [name, kind], [groups, scopes]
    if not all(isinstance(text, str) and text for text in texts) or not all(isinstance(one, list) for one in lists):
        raise HubUnreachable("the Hub's answer is no user model")
    return Identity(
        name=name,
        kind=kind,
        admin=model.get("admin") is True,
        groups=tuple(group for group in groups if isinstance(group, str)),
        scopes=tuple(scope for scope in scopes if isinstance(scope, str)),
        token_id=token_id if isinstance(token_id, str) else "",
    )


def get(path: str, token: str, *, params: Mapping[str, int] | None = None, accept: str = "application/json") -> Any:
    """Return the JSON that the Hub answers. Errors: BadToken (also for a missing scope), HubUnreachable."""
    response = _request("GET", path, token, params=params, accept=accept)
    if response.status_code != 200:
        count_failure(Part.HUB)
        raise HubUnreachable(f"the Hub answered {response.status_code}")
    try:
        return response.json()
    except ValueError as error:
        raise HubUnreachable(type(error).__name__) from error


def revoke(token: str) -> None:
    """Ask the Hub to delete a user's token, which a token may do that carries `tokens!user` (JupyterHub 5 and later).

    Errors: BadToken (also for the missing scope), HubUnreachable.
    """
    identity = fetch_identity(token)
    if identity.token_id:
        _request("DELETE", f"users/{quote(identity.name, safe='')}/tokens/{quote(identity.token_id, safe='')}", token)


def _request(
    method: str, path: str, token: str, *, params: Mapping[str, int] | None = None, accept: str = "application/json"
) -> requests.Response:
    """Return the answer of any status but 401 and 403. Errors: BadToken, HubUnreachable."""
    if not settings.JUPYTERHUB_API_URL:
        raise HubUnreachable("JUPYTERHUB_API_URL is not set")
    headers = {"Authorization": f"token {token}", "Accept": accept}
    try:
        response = http.request(method, f"{settings.JUPYTERHUB_API_URL}/{path}", headers=headers, params=params)
    except requests.RequestException as error:
        count_failure(Part.HUB)
        raise HubUnreachable(type(error).__name__) from error
    if response.status_code in (401, 403):
        raise BadToken
    return response
