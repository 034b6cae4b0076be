"""Questions to JupyterHub's REST API: whose token is this?

Source of the rules: JupyterHub's `GET /user` (the model of the token's owner) and its scopes. Answers are kept in
Django's cache, which the processes share, under a hash of the token and for at most a minute.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache

TIMEOUT = (3, 10)  # seconds to connect, to read
REFUSAL_SECONDS = 10  # how long a bad token is remembered


class HubUnreachable(Exception):
    """The Hub gave no usable answer; this says nothing about the token."""


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
    def may_access_us(self) -> bool:
        """Does the token carry the scope that lets it in here?"""
        return bool({"access:services", f"access:services!service={settings.JUPYTERHUB_SERVICE_NAME}"} & {*self.scopes})

    @property
    def is_of_own_server(self) -> bool:
        """Does the token carry the mark of its owner's own single-user server?"""
        return f"users:activity!user={self.name}" in self.scopes


def identify(token: str, *, fresh: bool = False) -> Identity:
    """Whose token this is. With `fresh` the Hub is asked in any case. Errors: BadToken, HubUnreachable."""
    kept_as = f"hub-identity-{hashlib.sha256(token.encode()).hexdigest()}"
    known = None if fresh else cache.get(kept_as)
    if known is None:
        try:
            known = asdict(ask(token))
        except BadToken:
            known = {}
        cache.set(kept_as, known, min(settings.NGSHARE_IDENTITY_SECONDS, 60) if known else REFUSAL_SECONDS)
    if not known:
        raise BadToken
    return Identity(**known)


def ask(token: str) -> Identity:
    """What the Hub says of a token now. Errors: BadToken, HubUnreachable."""
    model = _get("user", token)
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


def _get(path: str, token: str) -> Any:
    if not settings.JUPYTERHUB_API_URL:
        raise HubUnreachable("JUPYTERHUB_API_URL is not set")
    try:
        answer = requests.get(
            f"{settings.JUPYTERHUB_API_URL}/{path}",
            headers={"Authorization": f"token {token}"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.status_code in (401, 403):
            raise BadToken
        if answer.status_code != 200:
            raise HubUnreachable(f"the Hub answered {answer.status_code}")
        return answer.json()
    except (requests.RequestException, ValueError) as error:
        raise HubUnreachable(type(error).__name__) from error
