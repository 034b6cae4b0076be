"""What the fuzz tests send: addresses from the URL resolver, filled with known and odd names, and mutated bodies."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

from django.urls import URLPattern, get_resolver

from tests import cast, schema

FORM = "application/x-www-form-urlencoded"
TAR = "application/x-tar"
PLACE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<converted>\w+)>|\(\?P<(?P<grouped>\w+)>[^)]*\)")
ODD_TEXTS = [
    "", " ", ".", "..", "*", "%", "%00", "\0", "a+b", " x ", "\u202e", "\x1b[31m", "x" * 300, "é", "🜁", "null", "-1",
    "0", "1.5", "²", "99999999999999999999", "9" * 5000, "2026-11-27", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-13-45 99:99", "<b>", "=1+1", "'; --", "../../etc/passwd", "true", "[]", "{}", "\r\nX: y", "cD1hYmM=",
]  # fmt: skip
ODD_VALUES = [None, True, -1, 0, 1.5, 1e308, 2**63, 10**30, [], {}, [[]], [None], {"a": 1}, [{}] * 50, ["x"] * 50]
QUERY_NAMES = [
    "files", "latest", "page", "page_size", "cursor", "ordering", "course", "assignment", "student", "since", "state",
    "q", "section", "role", "trash", "bin", "next", "p", "o", "e", "_to_field", "_popup", "_changelist_filters",
    "id__in", "name__regex", "created__gte", "user", "username", "list_only", "timestamp", "format", "code", "error",
    "key", "all",
]  # fmt: skip
V1_NAMES = ["files", "timestamp", "students", "instructors", "first_name", "last_name", "email", "list_only", "user"]
V1_FILES = json.dumps([{"path": "ps1.ipynb", "content": "e30=", "checksum": "x"}])
ROSTER = "username,first_name,last_name,email,role,section\nbob,B,Ob,b@x,student,1\nnew,N,Ew,,grader,\n"


@dataclass
class Request:
    """One request, written so that a failure can be repeated."""

    who: str | None
    method: str
    path: str
    body: bytes = b""
    content_type: str = FORM
    headers: dict[str, str] = field(default_factory=dict)


def patterns() -> list[str]:
    """Return the pattern of every address: `courses/<str:course>` and the like."""

    def walk(found, before):
        for one in found:
            pattern = before + re.sub(r"^\^|\$$", "", str(one.pattern))
            yield from [pattern] if isinstance(one, URLPattern) else walk(one.url_patterns, pattern)

    return sorted({pattern.replace("^", "") for pattern in walk(get_resolver().url_patterns, "")})


class Fields(HTMLParser):
    """The fields of the forms on a page, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "select":
            self.select = given.get("name") or ""
        elif tag == "option" and self.select and "selected" in given:
            self.values.append((self.select, given.get("value") or ""))
        elif tag in ("input", "textarea") and given.get("name"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.values.append((given["name"], given.get("value") or ""))


class Generator:
    """Makes requests from a random.Random, for the rows that `existing` names: {parameter: [values]}."""

    def __init__(self, random, existing):
        self.random, self.existing = random, existing
        properties = [part.get("properties", {}) for part in schema.load().raw_schema["components"]["schemas"].values()]
        self.json_names = sorted(
            {name for names in properties for name in names} | {"files", "submissions", "feedback"}
        )

    def request(self, pattern: str, api: str) -> Request:
        """Return a request to this address as `api` (v1, v2, pages, admin) expects it, with something odd in it."""
        random = self.random
        path = "/" + PLACE.sub(self.fill, pattern).replace("\\", "")
        if random.random() < 0.4:
            query = {random.choice(QUERY_NAMES): self.text() for _ in range(random.randint(1, 3))}
            path += "?" + urlencode(query, errors="surrogatepass")
        method = random.choice(["GET", "GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
        who = random.choice([*filter(None, cast.CALLERS.values()), "root", "alice", "bob", "alice", None])
        request = Request(who, method, path)
        if method not in ("GET", "HEAD", "OPTIONS"):
            request.body, request.content_type = self.body(api)
        if random.random() < 0.1:
            request.headers = {random.choice(["Accept", "Range", "Idempotency-Key", "If-None-Match"]): self.header()}
        return request

    def fill(self, place: re.Match[str]) -> str:
        name = place["converted"] or place["grouped"]
        known = self.existing.get(name, ["1"])
        if self.random.random() < 0.85:
            return quote(str(self.random.choice(known)), safe="")
        return quote(self.text() or "x", safe="", errors="replace")

    def text(self) -> str:
        random = self.random
        if random.random() < 0.5:
            return str(random.choice(random.choice(list(self.existing.values()))))
        return random.choice(ODD_TEXTS)

    def header(self) -> str:
        return re.sub(r"[^ -~]", "?", self.text())

    def value(self, depth=0):
        random = self.random
        kind = random.random()
        if kind < 0.5:
            return self.text()
        if kind < 0.75 or depth > 2:
            return random.choice(ODD_VALUES)
        if kind < 0.9:
            return [self.value(depth + 1) for _ in range(random.randint(0, 3))]
        return {random.choice(self.json_names): self.value(depth + 1) for _ in range(random.randint(0, 4))}

    def body(self, api: str) -> tuple[bytes, str]:
        random = self.random
        if random.random() < 0.05:
            kinds = [
                FORM,
                TAR,
                "application/json",
                "text/csv",
                "text/plain",
                "application/octet-stream",
                "",
                "a/b;c",
                "multipart/form-data; boundary=x",
            ]
            return random.randbytes(random.randint(0, 200)), random.choice(kinds)
        if api == "v1":
            return self.form({"files": V1_FILES, **{name: self.text() for name in random.sample(V1_NAMES, 3)}}), FORM
        if api == "v2":
            return random.choice([self.json, self.json, self.bundle, self.csv])()
        return self.form({name: self.text() for name in random.sample(QUERY_NAMES, 3)}), FORM

    def form(self, values: dict[str, str]) -> bytes:
        if values and self.random.random() < 0.5:
            values = {**values, self.random.choice(list(values)): self.text()}
        return urlencode(values, errors="replace").encode()

    def json(self) -> tuple[bytes, str]:
        names = self.random.sample(self.json_names, self.random.randint(0, 5))
        body = {name: self.value() for name in names} if self.random.random() < 0.9 else self.value()
        return json.dumps(body).encode(), "application/json"

    def bundle(self) -> tuple[bytes, str]:
        """Return a good bundle, or one whose manifest or whose bytes are not."""
        random = self.random
        kind = random.random()
        if kind < 0.3:
            number = random.choice(self.existing["pk"])
            return cast.bundle(cast.WORK, feedback=[{"submission": number, "files": cast.manifest(cast.WORK)}]), TAR
        if kind < 0.6:
            entries = cast.manifest(cast.WORK)
            random.choice(entries)[random.choice(["path", "sha256", "size", "more"])] = self.value()
            manifest = json.dumps({"files": entries, random.choice(self.json_names): self.value()}).encode()
            blobs = [(cast.sha256(content), content) for content in cast.WORK.values()]
            return cast.tar([("manifest.json", manifest), *blobs]), TAR
        made = bytearray(cast.bundle(cast.WORK))
        for _ in range(random.randint(0, 3)):
            made[random.randrange(len(made))] = random.randrange(256)
        return bytes(made[: random.randint(0, len(made))]) if kind > 0.9 else bytes(made), TAR

    def csv(self) -> tuple[bytes, str]:
        text = ROSTER
        if self.random.random() < 0.7:
            cells = text.split(",")
            cells[self.random.randrange(len(cells))] = self.text()
            text = ",".join(cells)
        return text.encode(errors="replace"), "text/csv"

    def filled_in(self, page: str) -> tuple[bytes, str]:
        """Return the page's form with some fields changed, doubled or left out."""
        values = Fields(page).values or [("x", "y")]
        for _ in range(self.random.randint(0, 3)):
            place = self.random.randrange(len(values))
            name, _ = values[place]
            change = self.random.random()
            if change < 0.7:
                values[place] = (name, self.text())
            elif change < 0.85:
                values.append((name, self.text()))
            elif len(values) > 1:
                del values[place]
        return urlencode(values, errors="replace").encode(), FORM
