"""Reading the rest of a refused request, for those who are logged in: it costs time and bandwidth."""

from django.http import HttpRequest

DRAINED = 2**26  # bytes of a refused body that are still read, so that the sender receives the error


def drain(request: HttpRequest) -> None:
    """Read what is still being sent: closing the connection now would reset it before the sender has the answer."""
    remaining = DRAINED
    try:
        while remaining > 0 and (chunk := request.read(2**18)):
            remaining -= len(chunk)
    except OSError:
        pass  # the sender has gone away
