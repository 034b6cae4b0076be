"""Times as the server writes them, and as nbgrader does.

The server writes ISO 8601 in UTC. nbgrader has one text for several uses: the name of a feedback folder, a sort key,
and `timestamp.txt`, from which autograde takes lateness. It is always UTC here: nbgrader's own parser
(nbgrader/utils.py, `parse_utc`) takes "CEST" for UTC and "+0200" for 200 seconds.
"""

from datetime import UTC, datetime

from nbgrader.utils import parse_utc

from .errors import BadAnswer

NBGRADER_FORMAT = "%Y-%m-%d %H:%M:%S.%f %Z"


def from_server(text: object) -> datetime:
    """An aware time, in UTC; BadAnswer if the text is none."""
    if not isinstance(text, str):
        raise BadAnswer("The exchange sent a time that is not text.")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadAnswer("The exchange sent a time that cannot be read.") from error
    if instant.tzinfo is None:
        raise BadAnswer("The exchange sent a time without a zone.")
    return instant.astimezone(UTC)


def to_server(instant: datetime) -> str:
    """ISO 8601 with microseconds; a naive time is taken as UTC, as in nbgrader's gradebook."""
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_nbgrader(instant: datetime, timestamp_format: str = NBGRADER_FORMAT) -> str:
    """nbgrader's text for an instant, in UTC.

    `timestamp_format` is `c.Exchange.timestamp_format`. One that loses microseconds would make two attempts of one
    second the same, and could not name a submission to the server: then nbgrader's default is used.
    """
    aware = instant.astimezone(UTC)
    text = aware.strftime(timestamp_format)
    return text if "/" not in text and from_nbgrader(text) == aware else aware.strftime(NBGRADER_FORMAT)


def from_nbgrader(text: str) -> datetime | None:
    """The instant that nbgrader would read from the text, aware, in UTC; None if it is no time."""
    try:
        instant = parse_utc(text.strip())
    except (ValueError, OverflowError, TypeError):
        return None
    return instant.replace(tzinfo=UTC)
