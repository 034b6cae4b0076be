"""Is the process alive; is everything there that it needs?"""

import logging
from collections.abc import Callable

import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from exchange.storage import blobs
from ngshare_site.hub import client

log = logging.getLogger(__name__)


def alive(request: HttpRequest) -> JsonResponse:
    """The process answers. Touches nothing else, so that a slow database does not get it restarted."""
    return JsonResponse({"success": True})


def ready(request: HttpRequest) -> JsonResponse:
    """Database, storage and Hub: each "ok" or what is wrong; 503 if one is."""
    checks: dict[str, Callable[[], str]] = {"database": _database, "storage": _storage, "hub": _hub}
    found = {name: check() for name, check in checks.items()}
    is_ready = all(state == "ok" for state in found.values())
    return JsonResponse({"success": is_ready, **found}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        log.exception("the database is not ready")
        return "does not answer, or is not migrated"
    return "ok"


def _storage() -> str:
    try:
        blobs.probe()
    except blobs.StoreUnreachable:
        log.exception("the storage is not ready")
        return "does not answer"
    return "ok"


def _hub() -> str:
    if settings.NGSHARE_STANDALONE:
        return "ok"
    if not settings.JUPYTERHUB_API_URL:
        return "JUPYTERHUB_API_URL is not set"
    try:
        answer = requests.get(f"{settings.JUPYTERHUB_API_URL}/", timeout=client.TIMEOUT)
    except requests.RequestException:
        return "cannot be reached"
    return "ok" if answer.status_code == 200 else f"answers {answer.status_code}"
