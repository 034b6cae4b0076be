"""Health checks: whether the process is alive, and whether it has everything that it needs."""

import logging

import requests
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext_noop

from courses.failures import Part, count_failure
from exchange.storage import blobs
from ngshare_site.hub import http

log = logging.getLogger(__name__)

HUB_PATIENCE = (1, 2)  # seconds to connect, to wait for the next bytes: a probe waits for the answer
HUB_SECONDS = 5  # how long the Hub's answer is reported


def alive(request: HttpRequest) -> JsonResponse:
    """Answer, and use nothing else, so that a slow database does not restart the process."""
    return JsonResponse({"success": True})


def ready(request: HttpRequest) -> JsonResponse:
    """Report for database, storage and Hub "ok" or what is wrong. The status is 503 if database or storage is.

    The Hub does not count: while it restarts, a request that arrives here gets a better answer than one that a load
    balancer keeps away. `?without=hub` leaves it out altogether.
    """
    states = {"database": _check_database(), "storage": _check_storage()}
    is_ready = all(state == "ok" for state in states.values())
    if request.GET.get("without") != "hub":
        states["hub"] = hub_state()
    return JsonResponse({"success": is_ready, **states}, status=200 if is_ready else 503)


def _check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        log.exception("the database is not ready")
        count_failure(Part.DATABASE)
        return "does not answer, or is not migrated"
    return "ok"


def _check_storage() -> str:
    try:
        blobs.probe()
    except blobs.StoreUnreachable:
        log.exception("the storage is not ready")
        return "does not answer"
    return "ok"


def hub_state() -> str:
    """Return what the Hub answered last, in English.

    It is asked by one of all processes every few seconds, however many ask us.
    """
    if settings.NGSHARE_STANDALONE:
        return "ok"
    if not settings.JUPYTERHUB_API_URL:
        return gettext_noop("JUPYTERHUB_API_URL is not set")
    if cache.add("hub-health-is-fresh", True, HUB_SECONDS):
        answer = _ask_hub()
        cache.set("hub-health", answer, 10 * HUB_SECONDS)
        return answer
    return cache.get("hub-health", gettext_noop("has not answered yet"))


def _ask_hub() -> str:
    try:
        response = http.request("GET", f"{settings.JUPYTERHUB_API_URL}/", timeout=HUB_PATIENCE)
    except requests.RequestException:
        count_failure(Part.HUB)
        return gettext_noop("unreachable")
    return "ok" if response.status_code == 200 else f"answers {response.status_code}"
