"""Records what ngshare 0.6 itself answers, as the golden files that test_golden.py compares our answers with.

`python -m tests.exchange.api.v1.record_golden [SCENARIO …]` installs and starts ngshare 0.6, and writes golden/*.json.
"""

import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

import requests

from tests.exchange.api.v1.scenarios import SCENARIOS, Step
from tests.exchange.importers import published

GOLDEN = Path(__file__).parent / "golden"


class Kept:
    """The timestamps of a run, by name: each run has its own, a golden file has `{name}` instead."""

    def __init__(self) -> None:
        self.times: dict[str, str] = {}

    def fill(self, values: dict[str, str]) -> dict[str, str]:
        return {name: self._filled(value) for name, value in values.items()}

    def _filled(self, value: str) -> str:
        for name, time in self.times.items():
            value = value.replace(f"{{{name}}}", time)
        return value

    def blank(self, body: str) -> str:
        for name, time in self.times.items():
            body = body.replace(time, f"{{{name}}}")
        return body

    def note(self, step: Step, body: object) -> None:
        if step.keep and isinstance(body, dict) and "timestamp" in body:
            self.times[step.keep] = body["timestamp"]


def address(step: Step, kept: Kept) -> str:
    path = "/".join(quote(part, safe="") for part in step.path)
    return f"{path}?{urlencode(kept.fill(step.query))}" if step.query else path


def body(step: Step, kept: Kept) -> tuple[bytes | None, str | None]:
    if step.form is not None:
        return urlencode(kept.fill(step.form)).encode(), "application/x-www-form-urlencoded"
    return step.body, step.content_type


def shown(status: int, content_type: str, location: str | None, text: str, kept: Kept) -> dict[str, object]:
    """A reply as it is compared: a page for people counts as its status alone."""
    reply: dict[str, object] = {"status": status, "content_type": content_type}
    if location is not None:
        reply["redirected"] = True
    elif status != 500 and text.startswith("{"):
        reply["body"] = json.loads(kept.blank(text))
    return reply


def record(name: str) -> list[dict[str, object]]:
    kept = Kept()
    lines: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, published.old_service(Path(folder)) as service:
        for step in SCENARIOS[name]().steps:
            headers = {"Authorization": f"token {quote(step.who)}"} if step.who else {}
            content, kind = body(step, kept)
            if kind:
                headers["Content-Type"] = kind
            url = f"{service.url}/{address(step, kept)}"
            reply = requests.request(step.method, url, headers=headers, data=content, allow_redirects=False, timeout=60)
            if reply.text.startswith("{") and reply.status_code == 200:
                kept.note(step, reply.json())
            kind, where = reply.headers.get("Content-Type", ""), reply.headers.get("Location")
            lines.append({"step": step.name, **shown(reply.status_code, kind, where, reply.text, kept)})
    return lines


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCENARIOS:
        lines = ",\n".join(json.dumps(line, ensure_ascii=False) for line in record(name))
        (GOLDEN / f"{name}.json").write_text(f"[\n{lines}\n]\n")
        print(name)


if __name__ == "__main__":
    main()
