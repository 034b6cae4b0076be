"""Hearing a sender out."""

from django.http import HttpRequest

DRAINED = 2**26  # bytes of a refused body that are still read, so that the sender gets to read the refusal


def drain(request: HttpRequest) -> None:
    """Read what the sender is still sending. Closing on it would reset the connection, answer and all."""
    left = DRAINED
    try:
        while left > 0 and (chunk := request.read(2**18)):
            left -= len(chunk)
    except OSError:
        pass  # the sender is gone; so is the need to be polite
