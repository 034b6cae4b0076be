"""Asking API v1 as its clients do."""

import base64
import json
from urllib.parse import quote, urlencode

from django.test import Client

from tests.exchange.api.v1.scenarios import files

FORM = "application/x-www-form-urlencoded"
HTML = {"files": files(ps1_html=b"<b>well done</b>")}
WORK = {"files": files(ps1_ipynb=b"my work")}


def path(*parts):
    return "/" + "/".join(quote(part, safe="") for part in parts)


def ask(who, method, *parts, form=None, query=None, **headers):
    """Our reply to someone's request (stand-alone mode); nobody's for None."""
    if who:
        headers["Authorization"] = f"token {quote(who)}"
    address = path(*parts) + (f"?{urlencode(query)}" if query else "")
    body = urlencode(form) if form is not None else ""
    return Client().generic(method, address, body, FORM if form is not None else "", headers=headers)


def said(reply):
    """The reply's status and JSON."""
    text = b"".join(reply.streaming_content) if reply.streaming else reply.content
    return reply.status_code, json.loads(text)


def get(who, *parts, **query):
    return said(ask(who, "GET", *parts, query=query))


def post(who, *parts, **form):
    return said(ask(who, "POST", *parts, form=form))


def delete(who, *parts, **form):
    return said(ask(who, "DELETE", *parts, form=form or None))


def contents(listed):
    """{path: bytes} of the files of a reply."""
    return {one["path"]: base64.b64decode(one["content"]) for one in listed["files"]}
