"""A starter whose tasks try what a document must not be able to do. They tell what they reached."""

import os
import resource
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress

from exchange.rendering import child


def open_things(content, options):
    """Try each way to something outside."""
    reached = [name for name in os.environ if name not in ("HOME", "LC_CTYPE")]
    attempts = {
        "file": lambda: open("/etc/passwd"),
        "code": lambda: open(child.__file__),
        "new file": lambda: open("/tmp/made-by-a-document", "w"),
        "folder": lambda: os.listdir("/"),
        "connection": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "pipe": os.pipe,
        "process": lambda: os.fork() or os._exit(0),
        "limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
    }
    for name, attempt in attempts.items():
        with suppress(OSError, ValueError):
            attempt()
            reached.append(name)
    if os.getuid() == 0:
        reached.append("root")
    for number in range(50):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                reached.append(f"connection {number}")
    return " ".join(reached).encode()


def spin(content, options):
    while True:
        pass


def sleep(content, options):
    time.sleep(float(content))
    return b"awake"


def use_memory(content, options):
    return bytes(len(bytearray(10**10)))


def write_much(content, options):
    while True:
        os.write(1, b"x" * 10**6)


def main():
    tasks = {each.__name__: each for each in (open_things, spin, sleep, use_memory, write_much)}
    child.serve(tasks, *map(int, sys.argv[2:6]))
