"""Pictures that lie beside a document and are sent with it."""

import json
from base64 import b64encode


def take_pictures(content: bytes, options: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return the document, and its pictures as {path: `data:` address}.

    `options` may have the `size` of the document and, as JSON, `pictures`: [path, content type, size] of each, whose
    bytes follow it.
    """
    start = size = int(options.get("size", len(content)))
    pictures = {}
    for path, content_type, length in json.loads(options.get("pictures", "[]")):
        pictures[path] = f"data:{content_type};base64,{b64encode(content[start : start + length]).decode()}"
        start += length
    return content[:size], pictures
