"""Authentication of both APIs: a JupyterHub token in the Authorization header.

401: no token, or one that the Hub does not know. 403: a token that may not be used here. 429: the Hub is not asked now,
because too many unknown tokens come in (strangers.py). 503: the Hub does not answer. The last two say nothing about the
token. In stand-alone mode the token is the user name.
"""

import logging
from typing import TYPE_CHECKING
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from courses import people
from courses.errors import DomainError
from courses.importers import groups
from courses.models import User
from courses.permissions import Actor, remember_actor
from courses.services import check_name, find_or_create_user
from ngshare_site.hub import client, strangers
from ngshare_site.hub.client import Identity
from ngshare_site.hub.strangers import Sender, TooMany

if TYPE_CHECKING:  # it imports DRF's views, which import this module
    from drf_spectacular.openapi import AutoSchema

log = logging.getLogger(__name__)


class HubUnreachable(APIException):
    status_code = 503
    default_detail = gettext_lazy("JupyterHub cannot be reached to ask who you are. Try again in a moment.")
    default_code = "hub_unreachable"


class TooManyTokens(APIException):
    status_code = 429
    default_detail = gettext_lazy("Too many tokens that JupyterHub does not know are coming in. Try again in a moment.")
    default_code = "throttled"
    wait = 2  # seconds, for Retry-After


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, str] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        token = read_token(header)
        if not token:
            raise AuthenticationFailed(_("Write the header as “Authorization: token <your JupyterHub token>”."))
        if settings.NGSHARE_STANDALONE:
            return _user_of(request, actor_by_name(unquote(token))), token
        try:
            identity = client.identify(token, Sender.of(request))
        except client.BadToken as error:
            raise AuthenticationFailed(_("JupyterHub does not know this token; it may have expired.")) from error
        except TooMany as error:
            raise TooManyTokens from error
        except client.HubUnreachable as error:
            log.warning("cannot ask the Hub who someone is: %s", error)
            raise HubUnreachable from error
        check_admission(identity)
        return _user_of(request, actor_by_identity(identity)), token

    def authenticate_header(self, request: Request) -> str:
        return "token"


class TokenScheme(OpenApiAuthenticationExtension):
    """The description of the header in the schema."""

    target_class = TokenAuthentication
    name = "JupyterHub token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token <JupyterHub token>`"}


def read_token(header: str) -> str:
    """Return the token in an Authorization header; an empty text if there is none, or none that can be one."""
    kind, _, token = header.strip().partition(" ")
    token = token.strip()
    return token if kind.lower() in ("token", "bearer") and token.isascii() else ""


def has_known_token(request: HttpRequest) -> bool:
    """Return whether the request has a token that was good within the last day. Nobody is asked."""
    token = read_token(request.headers.get("Authorization", ""))
    return bool(token) and (settings.NGSHARE_STANDALONE or strangers.is_known(client.hash_of(token)))


def check_admission(identity: Identity) -> None:
    """Check that this token may be used here. Errors: PermissionDenied."""
    if identity.kind == "service":
        if identity.name not in settings.NGSHARE_SERVICE_TOKENS:
            text = _("Tokens of the service %(name)s are not let in (NGSHARE_SERVICE_TOKENS).")
            raise PermissionDenied(text % {"name": identity.name})
    elif identity.kind != "user":
        raise PermissionDenied(_("Only tokens of users are let in."))
    elif not identity.has_access_scope and (settings.NGSHARE_STRICT_SCOPES or not identity.is_of_own_server):
        text = _(
            "This token does not carry the scope access:services!service=%(name)s. If it is your own server's token, "
            "the Hub's administrator must grant that scope, and you must restart your server."
        )
        raise PermissionDenied(text % {"name": settings.JUPYTERHUB_SERVICE_NAME})


def _user_of(request: Request, actor: Actor) -> User:
    """Return the user, and let the request have its actor, which was read with the user."""
    remember_actor(request, actor)
    return actor.required_user


def actor_by_identity(identity: Identity) -> Actor:
    """Return the actor for whom the Hub names, and add them to the courses of their groups.

    Errors: AuthenticationFailed, PermissionDenied.
    """
    actor = actor_by_name(identity.name)
    user = actor.required_user
    is_hub_admin = identity.admin and identity.kind == "user"
    is_changed = user.is_hub_admin != is_hub_admin
    if is_changed:
        people.set_hub_admin(user, is_hub_admin)
    is_changed |= groups.join(user, identity.groups)
    return Actor.of(user) if is_changed else actor


def actor_by_name(name: str) -> Actor:
    """Return the actor for the user of this name, created at first contact.

    Errors: AuthenticationFailed, PermissionDenied.
    """
    try:
        actor = Actor.named(check_name(name)) or Actor.of(find_or_create_user(name))
    except DomainError as error:
        raise AuthenticationFailed(error.message) from error
    if not actor.required_user.is_active:
        raise PermissionDenied(_("Your account was deactivated here by an administrator."))
    return actor
