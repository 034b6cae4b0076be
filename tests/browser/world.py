"""A service with a course as courses are: 30 students, deadlines, extensions, late work, feedback, webhooks."""

import base64
import json
import struct
import subprocess
import sys
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from nbformat import v4

from tests.exchange.rendering.notebooks import code, markdown, notebook, printed
from tests.servers import ROOT, environment_of, service

COURSE = "NBG 101"
OVER, CURRENT, TO_COME, UNRELEASED = "ps1", "ps2", "ps3", "ps0"
FIRST = (
    "Bob Carol Dave Ada Ben Chen Elif Femi Gael Hana Ines Jan Kofi Lena Mira Noor Olaf Pia Quentin Rosa Sofia Tariq "
    "Uma Viktor Wanja Xenia Yara Zoë Anna-Lena Jörg"
).split()
LAST = "Baker Cook Dyer Lindqvist Okafor Wei Demir Ade Roux Sato Costa Novák Mensah Vogel Stein".split()
NAMES = [name.lower().replace("ë", "e").replace("ö", "oe") for name in FIRST]
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
VARIABLES = {
    "NGSHARE_MAIL": "released,submitted,feedback_returned,due_soon",
    "NGSHARE_MAIL_SERVER": "smtp://127.0.0.1:9",
    "NGSHARE_MAIL_FROM": "ngshare@example.edu",
    "NGSHARE_PUBLIC_URL": "https://hub.example.edu",
    "NGSHARE_SEND_NOTICES": "0",
    "NGSHARE_RENDERING_SECONDS": "100",  # a busy machine may need all of the time that follows from this
}


def moment(days, hours=0):
    return TODAY + timedelta(days=days, hours=hours)


@contextmanager
def running(folder):
    """Yield the service, and {label of a model: primary key of one of its rows}."""
    command = [sys.executable, "-m", "tests.browser.make_world"]
    env = environment_of(folder, VARIABLES)
    made = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    with service(folder, workers=1, **VARIABLES) as started:
        yield started, json.loads(made.stdout.splitlines()[-1])


def picture(width=480, height=160):
    """Return a PNG of bars, as plots have them."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            is_bar = x // 48 % 2 and height - y < 24 + (x // 48 * 37) % 120
            rows += b"\x0b\x5c\xad" if is_bar else b"\xff\xff\xff"

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


PICTURE = picture()
HEIGHTS = b"1.72\n" * 900
TASK = """# Problem set: heights

The mean of $n$ values is $\\bar{x} = \\frac{1}{n} \\sum_{i=1}^{n} x_i$, and their variance is

$$s^2 = \\frac{1}{n-1} \\sum_{i=1}^{n} (x_i - \\bar{x})^2.$$

Compute both for the heights in `data/heights.csv`, and plot them. See the [notes](https://example.edu/notes)."""
SUMMARY = "| value | heights |\n|---|---|\n| mean | 1.72 |\n| variance | 0.01 |"
FEEDBACK = b"""<!DOCTYPE html><html lang="en"><head><title>ps1</title></head><body>
<div class="panel panel-primary"><div class="panel-heading"><h4>ps1 (Score: 8.0 / 10.0)</h4></div>
<ol><li><a href="#cell">Test cell</a> (Score: 3.0 / 5.0)</li></ol></div>
<div id="cell"><p>The variance is $s^2$; you divided by $n$.</p><pre>AssertionError</pre><p>Nearly right.</p></div>
</body></html>"""


def released(name):
    task = notebook(markdown(TASK), code("# YOUR CODE HERE\nraise NotImplementedError"))
    return {f"{name}.ipynb": task, "data/heights.csv": HEIGHTS}


def solved(name, number):
    """Return {path: bytes} of a student's work, which differs from one number to the next."""
    plot = v4.new_output("display_data", data={"image/png": base64.b64encode(PICTURE).decode(), "text/plain": "Figure"})
    answer = (
        f"heights = [float(line) for line in open('data/heights.csv')]\nprint({number}, sum(heights) / len(heights))"
    )
    work = notebook(markdown(TASK), code(answer, printed(f"{number} 1.72\n"), plot), markdown(SUMMARY))
    tools = b"def clean(lines):\n    return [line for line in lines if line]\n"
    return {f"{name}.ipynb": work, "data/heights.csv": HEIGHTS, "plot.png": PICTURE, "tools/clean.py": tools}
