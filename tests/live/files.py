"""The files that the tests of real servers release and submit, and those that a server keeps."""

import os
import stat
from contextlib import suppress

RELEASED = {"ps1.ipynb": b'{"cells": []}', "data.csv": b"1,2,3\n" * 10_000}


def files_below(folder):
    """What is below a folder while a server works there, {path: os.stat_result}: what goes meanwhile is left out."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                found[os.path.join(place, name)] = os.stat(os.path.join(place, name))
    return found


def stored_bytes(folder):
    """How many bytes are in the files below a folder."""
    return sum(one.st_size for one in files_below(folder).values() if stat.S_ISREG(one.st_mode))
