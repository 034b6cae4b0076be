"""What compressing would save, and cost: files of a course with gzip and zstd. `python -m benchmarks.compression`"""

import base64
import gzip
import hashlib
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import nbgrader
import zstandard

from tests.servers import ROOT

ROUNDS = 3  # the fastest counts
LEAST = 1_000_000  # bytes that are worked on for one timing

CODECS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    **{
        f"gzip {level}": (lambda content, level=level: gzip.compress(content, level), gzip.decompress)  # type: ignore[misc]
        for level in (1, 6)
    },
    **{
        f"zstd {level}": (zstandard.ZstdCompressor(level).compress, zstandard.ZstdDecompressor().decompress)
        for level in (1, 3, 9)
    },
}


def samples() -> dict[str, bytes]:
    """Return what students submit: the notebook of nbgrader's own example course, and made-up data."""
    example = Path(nbgrader.__file__).parent / "docs/source/user_guide/source/ps1/problem1.ipynb"
    picture = (ROOT / "docs/progress.png").read_bytes()
    numbers = random.Random("table")
    lines = (
        f"{row},2026-{numbers.randint(1, 12):02}-{numbers.randint(1, 28):02},{numbers.choice('ABCD')},"
        f"{numbers.gauss(20, 5):.2f},{numbers.gauss(1000, 50):.1f},{numbers.random():.6f}\n"
        for row in range(12_000)
    )
    return {
        "notebook": example.read_bytes(),
        "notebook with pictures": with_pictures(example.read_bytes(), picture),
        "CSV": b"row,day,group,temperature,pressure,share\n" + "".join(lines).encode(),
        "PNG": picture,
        "random bytes": numbers.randbytes(500_000),
    }


def with_pictures(notebook: bytes, picture: bytes) -> bytes:
    """Return a notebook whose cells show three plots."""
    parsed = json.loads(notebook)
    output = {"output_type": "display_data", "data": {"image/png": base64.b64encode(picture).decode()}, "metadata": {}}
    for number, cell in enumerate([cell for cell in parsed["cells"] if cell["cell_type"] == "code"][:3]):
        changed = picture[number:] + picture[:number]  # another picture in each
        cell["outputs"] = [{**output, "data": {"image/png": base64.b64encode(changed).decode()}}]
    return json.dumps(parsed, indent=1).encode()


def measure() -> list[dict[str, object]]:
    """Return a row for each sample and codec: sizes in bytes, times in CPU seconds for a megabyte of plain bytes."""
    rows: list[dict[str, object]] = []
    for name, content in samples().items():
        hashing = seconds_for_megabyte(lambda content=content: hashlib.sha256(content).digest(), content)  # type: ignore[misc]
        for codec, (compress, decompress) in CODECS.items():
            packed = compress(content)
            rows.append(
                {
                    "sample": name,
                    "codec": codec,
                    "plain": len(content),
                    "packed": len(packed),
                    "compress": seconds_for_megabyte(lambda: compress(content), content),  # noqa: B023
                    "decompress": seconds_for_megabyte(lambda: decompress(packed), content),  # noqa: B023
                    "sha256": hashing,
                }
            )
    return rows


def seconds_for_megabyte(act: Callable[[], object], content: bytes) -> float:
    times = max(1, LEAST // len(content))
    fastest = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            act()
        fastest = min(fastest, time.process_time() - start)
    return fastest / (times * len(content) / 1e6)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
