"""Sizes in bytes, as people write and read them."""

import re

from django.utils.formats import number_format
from django.utils.translation import ngettext

UNITS = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3}
BINARY_UNITS = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
_BYTES = {unit.upper(): bytes_each for unit, bytes_each in {**UNITS, **BINARY_UNITS, "": 1, "B": 1}.items()}


def readable_size(size: int) -> str:
    """Return a number of bytes as people read it, in the language of the page.

    >>> readable_size(80_000_000), readable_size(1_500), readable_size(12)
    ('80 MB', '1.5 kB', '12 bytes')
    """
    for unit, bytes_each in UNITS.items():
        if size >= bytes_each:
            return f"{number_format(f'{size / bytes_each:.3g}')} {unit}"
    return ngettext("%(count)d byte", "%(count)d bytes", size) % {"count": size}


def exact_size(size: int) -> str:
    """Return a number of bytes as a text that parse_size reads again.

    >>> exact_size(20 * 10**9), exact_size(1_500)
    ('20 GB', '1500')
    """
    for unit, bytes_each in UNITS.items():
        if size and size % bytes_each == 0:
            return f"{size // bytes_each} {unit}"
    return str(size)


def parse_size(text: str) -> int:
    """Return the bytes that a plain number or one with a unit stands for. Errors: ValueError, for anything else.

    >>> parse_size("100MB"), parse_size("1 GiB"), parse_size("500000")
    (100000000, 1073741824, 500000)
    """
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,9})?)\s*([A-Za-z]*)", text.strip())
    if not match or match[2].upper() not in _BYTES or float(match[1]) <= 0:
        raise ValueError("Write a size such as 100MB or 1GiB.")
    size = int(float(match[1]) * _BYTES[match[2].upper()])
    if size >= 2**63:
        raise ValueError("The size is too large.")
    return size
