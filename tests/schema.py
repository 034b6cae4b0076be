"""The native API's schema, and whether an answer follows it."""

import re
from functools import cache

import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from schemathesis.core.transport import Response

ROOT = "/api/v2/"


@cache
def load():
    """Return the schema that the service answers."""
    return schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))


@cache
def operations():
    """[(method, pattern of the path, operation)], those without a parameter first."""
    found = [result.ok() for result in load().get_all_operations()]
    found.sort(key=lambda operation: operation.path.count("{"))
    return [(one.method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", one.path)), one) for one in found]


def check(method, path, response):
    """Fail unless the schema knows the answer of this request: its status, and its JSON."""
    operation = next((one for name, pattern, one in operations() if name == method and pattern.fullmatch(path)), None)
    is_json = response.headers.get("Content-Type") == "application/json"
    if operation is None:
        assert response.status_code >= 400 or not is_json or method == "OPTIONS", (
            f"{method} {path} is not in the schema"
        )
        return
    responses = operation.definition.raw["responses"]
    if response.status_code < 400 and response.status_code not in (206, 304):
        assert str(response.status_code) in responses, f"{operation.label} answers {response.status_code}"
    if is_json:
        operation.validate_response(as_schemathesis(method, response))


def as_schemathesis(method, response):
    request = requests.Request(method, "http://testserver/").prepare()
    headers = {name.lower(): [value] for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content, request, 0.0, False)
