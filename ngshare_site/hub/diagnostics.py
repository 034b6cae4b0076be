"""Checks of the connection between this service and the Hub, with the lines of jupyterhub_config.py that are missing.

The service's own token sees little of the Hub's configuration. A user's token shows whether users are let in: take one
from a terminal of a user's server (`echo $JUPYTERHUB_API_TOKEN`), and the check names the role that lacks the scope.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from django.conf import settings

from ngshare_site.hub import client, http, oauth

SUPPORTED = (2, 6)  # major versions of JupyterHub that are known to work


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    is_ok: bool
    message: str
    config: str = ""  # lines for jupyterhub_config.py, where they are missing


def service_config() -> str:
    """Return the lines that make the service known to the Hub."""
    name = settings.JUPYTERHUB_SERVICE_NAME
    installed = Path(sys.executable).with_name("ngshare")  # the Hub need not have its folder in PATH
    program = installed if installed.exists() else "ngshare"
    return (
        "c.JupyterHub.services = [\n"
        "    {\n"
        f'        "name": "{name}",\n'
        '        "url": "http://127.0.0.1:12121",  # where ngshare listens\n'
        '        # for a service that runs elsewhere, write "api_token" instead of "command"\n'
        f'        "command": ["{program}", "serve"],\n'
        '        "oauth_no_confirm": True,\n'
        '        "environment": {"NGSHARE_DATA": "/srv/ngshare", "NGSHARE_ADMINS": "your-name"},\n'
        "    },\n"
        "]"
    )


def role_config(*, user: bool = True, server: bool = True) -> str:
    """Return the lines that let users and their servers in. Both roles are needed (JupyterHub 2 to 6)."""
    scope = f"access:services!service={settings.JUPYTERHUB_SERVICE_NAME}"
    lines = ["c.JupyterHub.load_roles = ["]
    if user:
        lines.append(f'    {{"name": "user", "scopes": ["self", "{scope}"]}},')
    if server:
        lines += [
            "    {",
            '        "name": "server",',
            "        # on JupyterHub 2 and 3 write access:servers!user",
            f'        "scopes": ["users:activity!user", "access:servers!server", "{scope}"],',
            "    },",
        ]
    return "\n".join([*lines, "]"])


def run_checks(tokens: list[str]) -> Iterator[Finding]:
    """Check one thing after another, and each of the users' tokens. What depends on a missing thing is not checked."""
    if settings.NGSHARE_STANDALONE:
        yield Finding(False, "NGSHARE_STANDALONE is set: there is no Hub, and anybody can act as any user.")
        return
    if not settings.JUPYTERHUB_API_URL:
        yield Finding(
            False,
            "JUPYTERHUB_API_URL is not set. The Hub sets it for a service that it starts; "
            "for one that runs elsewhere set it by hand. The Hub must know the service, and let users in:",
            f"{service_config()}\n{role_config()}",
        )
        return
    connection = _check_connection()
    yield connection
    if not connection.is_ok:
        return
    yield _check_own_token()
    yield _check_prefix()
    yield _check_callback()
    yield _check_administrators()
    if not tokens:
        yield Finding(
            True,
            "Whether users are let in cannot be seen from here. Run this again with a token of a user's server: "
            "echo $JUPYTERHUB_API_TOKEN | ngshare check_hub --token -",
        )
    for token in tokens:
        yield _check_user_token(token)


def _check_connection() -> Finding:
    address = f"{settings.JUPYTERHUB_API_URL}/"
    try:
        response = http.request("GET", address)
        version = response.json()["version"] if response.status_code == 200 else None
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return Finding(False, f"The Hub's API at {address} cannot be reached. Is the address right, is a port blocked?")
    if version is None:
        return Finding(False, f"What answers at {address} ({response.status_code}) is not the Hub's API.")
    major = str(version).split(".")[0]
    if not major.isdigit() or not SUPPORTED[0] <= int(major) <= SUPPORTED[1]:
        return Finding(False, f"The Hub is version {version}; known to work are {SUPPORTED[0]} to {SUPPORTED[1]}.")
    return Finding(True, f"The Hub answers at {address}, version {version}.")


def _check_own_token() -> Finding:
    name = settings.JUPYTERHUB_SERVICE_NAME
    if not settings.JUPYTERHUB_API_TOKEN:
        return Finding(
            False, "JUPYTERHUB_API_TOKEN, the service's own token, is not set: nobody can log in.", service_config()
        )
    try:
        identity = client.fetch_identity(settings.JUPYTERHUB_API_TOKEN)
    except client.BadToken:
        return Finding(
            False,
            "The Hub does not know the service's own token (JUPYTERHUB_API_TOKEN). "
            "It must be the api_token of the service in jupyterhub_config.py:",
            service_config(),
        )
    except client.HubUnreachable as error:
        return Finding(False, f"The Hub did not say whose the service's own token is: {error}.")
    if (identity.kind, identity.name) != ("service", name):
        return Finding(
            False,
            f"The service's own token belongs to the {identity.kind} {identity.name}, not to the service {name}: "
            "JUPYTERHUB_SERVICE_NAME and the name in jupyterhub_config.py must be the same.",
            service_config(),
        )
    return Finding(True, f"The Hub knows this service as {name}.")


def _expected_prefix() -> str:
    """Return the path to which the Hub's proxy sends the service's requests."""
    return f"{oauth.hub_base_path()}services/{settings.JUPYTERHUB_SERVICE_NAME}/"


def _check_prefix() -> Finding:
    base, expected = oauth.hub_base_path(), _expected_prefix()
    if settings.PREFIX == expected:
        return Finding(True, f"It serves at {settings.PREFIX}, below the Hub's base URL {base}.")
    return Finding(
        False,
        f"It serves at {settings.PREFIX}, but the Hub's proxy sends {expected} here: "
        f"set JUPYTERHUB_SERVICE_PREFIX={expected} (and JUPYTERHUB_BASE_URL, if {base} is wrong).",
    )


def _check_callback() -> Finding:
    callback = oauth.callback_url()
    path = f"{_expected_prefix()}oauth_callback"
    if callback.endswith(path):
        return Finding(True, f"Browsers log in at {oauth.hub_url('api/oauth2/authorize')} and come back to {callback}.")
    return Finding(
        False,
        f"Browsers come back from the log-in to {callback}, but the service's path is {path}. "
        "JUPYTERHUB_OAUTH_CALLBACK_URL must be exactly what the Hub has registered:",
        f'        "oauth_redirect_uri": "https://your-hub{path}",',
    )


def _check_administrators() -> Finding:
    if settings.NGSHARE_ADMINS or settings.NGSHARE_HUB_ADMINS:
        names = ", ".join(settings.NGSHARE_ADMINS) or "whoever is an administrator of the Hub"
        return Finding(True, f"Administrators here: {names}.")
    return Finding(
        False,
        "Nobody is an administrator here, so nobody can create a course. Name them in the service's environment:",
        '        "environment": {"NGSHARE_ADMINS": "your-name"},',
    )


def _check_user_token(token: str) -> Finding:
    try:
        identity = client.fetch_identity(token)
    except client.BadToken:
        return Finding(False, "The Hub does not know the token that was given to try.")
    except client.HubUnreachable as error:
        return Finding(False, f"The Hub did not say whose the token is: {error}.")
    if identity.kind != "user":
        return Finding(False, f"The token belongs to the {identity.kind} {identity.name}; a user's is needed to try.")
    if identity.has_access_scope:
        return Finding(True, f"{identity.name} is let in with this token: it carries the access scope.")
    if identity.is_of_own_server:
        advice = (
            "it is refused, NGSHARE_STRICT_SCOPES is set."
            if settings.NGSHARE_STRICT_SCOPES
            else "nbgrader is let in all the same, but pages in the browser may not be."
        )
        return Finding(
            False,
            f"The token of {identity.name}'s server does not carry the access scope: {advice} "
            "The roles user and server must both have it; running servers get it when they restart:",
            role_config(),
        )
    return Finding(
        False,
        f"{identity.name} is not let in: the role user has no access scope, or the token was made without it.",
        role_config(server=False),
    )
