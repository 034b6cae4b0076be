"""Short codes: names of submissions that a person can read out or write on paper, such as `7K3M-Q0ZD-4XHC`.

Eleven random characters, which make 54 bits, and one that checks them. A wrong character, or two that changed places,
never make another code: the digits are summed with different weights, modulo a prime, as in an ISBN.
"""

import secrets

# Digits and letters, without those that look like others; their number is a prime.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
LENGTH = 12
_GROUP = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + _check_character(body)


def grouped(code: str) -> str:
    """Return a code as people read it.

    >>> grouped("7K3MQ0ZD4XHC")
    '7K3M-Q0ZD-4XHC'
    """
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def plain(text: str) -> str:
    """Return the letters and digits of what was typed, in capitals, and O, I, L as the digits that they look like.

    Whatever else comes with a copied code is left out: blanks, line breaks, dashes, quotes, a full stop.

    >>> plain("7k3m-qozd 4xha")
    '7K3MQ0ZD4XHA'
    """
    return "".join(filter(str.isalnum, text.upper())).translate(_READ_AS)


def parse(text: str) -> str | None:
    """Return the code that was typed, in any case, with or without hyphens; None if it is none."""
    code = plain(text)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET) or _check_character(code[:-1]) != code[-1]:
        return None
    return code


def _check_character(body: str) -> str:
    total = sum(weight * ALPHABET.index(char) for weight, char in enumerate(body, 1))
    return ALPHABET[total % len(ALPHABET)]
