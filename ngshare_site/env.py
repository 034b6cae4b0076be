"""Typed readers of the environment. A wrong value stops the start with a sentence that names the variable.

Every reader takes the variable's name and a default, reads, and makes nothing. A variable NAME may be given as
NAME_FILE instead: the value is then the content of that file, which is how container platforms pass secrets.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from courses.sizes import parse_size

LEAST_SECRET, LEAST_DISTINCT = 32, 5  # characters of a secret, and different ones among them
# The store would read these from the environment by itself, but not from the files that NAME_FILE names.
S3_KEYS = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "security_token": "AWS_SESSION_TOKEN",
}


def text(name: str, default: str = "") -> str:
    """Return the value of NAME, or the content of the file that NAME_FILE names, without surrounding white space."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error}") from error
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    """Return a switch: 1/true/yes/on or 0/false/no/off."""
    value = text(name).lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return value in ("1", "true", "yes", "on") if value else default
    raise ImproperlyConfigured(f"{name}={value!r}: write 1 or 0.")


def choice(name: str, default: str, *others: str) -> str:
    """Return one of these words."""
    value = text(name, default).lower()
    if value not in (default, *others):
        raise ImproperlyConfigured(f"{name}={value!r}: write {' or '.join((default, *others))}.")
    return value


def time_zone(name: str, default: str) -> str:
    """Return the IANA name of a time zone."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{name}={value!r}: write a time zone, such as Europe/Berlin.") from error
    return value


def number(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number, `least` or more."""
    value = text(name, str(default))
    if not re.fullmatch(r"\d+", value) or int(value) < least:
        raise ImproperlyConfigured(f"{name}={value!r}: write a whole number, {least} or more.")
    return int(value)


def size(name: str, default: str) -> int:
    """Return bytes, from a plain number or one with a unit: `100MB`, `1 GiB`, `500000`."""
    value = text(name, default)
    try:
        return parse_size(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r}: {str(error)[0].lower()}{str(error)[1:]}") from error


def names(name: str) -> list[str]:
    """Return the names between commas, without surrounding white space and empty ones."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def some_of(name: str, words: Sequence[str]) -> list[str]:
    """Return the chosen ones of these words, which stand between commas."""
    chosen = names(name)
    if unknown := sorted(set(chosen) - set(words)):
        raise ImproperlyConfigured(f"{name}: {', '.join(unknown)} is none of {', '.join(words)}.")
    return chosen


def require(name: str, *, because_of: str, instead: str = "") -> None:
    """Check that NAME is set, or another variable instead, because a third one is."""
    if not text(name) and not (instead and text(instead)):
        raise ImproperlyConfigured(f"{because_of} is set, so set {name}, too.")


def origin(name: str, *, instead: str) -> str:
    """Return scheme and host of the address in NAME, or in the other variable instead; empty if neither is set."""
    name = name if text(name) else instead
    if not text(name):
        return ""
    parts = urlsplit(text(name))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{name}: write the whole address, https://host/path.")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class MailServer(NamedTuple):
    scheme: str = "smtp"
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""


def mail_server(name: str) -> MailServer:
    """Return the mail server of `smtp://…`, `smtp+starttls://…` or `smtps://user:password@host:port`."""
    value = text(name)
    if not value:
        return MailServer()
    parts = urlsplit(value)
    ports = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
    try:
        port = parts.port or ports.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if not port or not parts.hostname or parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: write smtp+starttls://user:password@host:587, smtps://… or smtp://….")
    return MailServer(parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


def unless_off(name: str, default: str = "") -> str:
    """Return a text, or an empty one where the value is `off`."""
    value = text(name, default)
    return "" if value.lower() == "off" else value


def secret(name: str, folder: Path) -> str:
    """Return the secret NAME, or the one that is kept in `folder`; an empty text where none was made yet."""
    path = folder / secret_file(name)
    try:
        value = text(name) or path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ""  # data_folder.py says it if the folder is another user's, to commands that need it
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}: cannot read {path}: {error}") from error
    return strong(name, value) if value else ""


def secrets(name: str) -> list[str]:
    """Return the secrets between commas."""
    return [strong(name, value) for value in names(name)]


def strong(name: str, value: str) -> str:
    """Return a secret as it is. Errors: ImproperlyConfigured, if it can be guessed; the message does not show it."""
    if len(value) < LEAST_SECRET or len(set(value)) < LEAST_DISTINCT:
        raise ImproperlyConfigured(
            f"{name}: this key can be guessed. Write {LEAST_SECRET} random characters or more: openssl rand -hex 32."
        )
    return value


def secret_file(name: str) -> str:
    """Return the name of the file that keeps the secret NAME."""
    return name.lower()


def database(name: str, default_file: Path) -> dict[str, object]:
    """Return Django's DATABASES entry for `postgres://user:password@host:port/name?option=value`, `sqlite:///path`,
    or, where the variable is not set, SQLite in `default_file`."""
    value = text(name)
    parts = urlsplit(value)
    if not value or parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)[1:]) if value else default_file)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: write postgres://user:password@host/name or sqlite:///path.")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: the port is not a number.") from error
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,  # seconds
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "ngshare_site.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,  # seconds
        "OPTIONS": {
            # Writers queue at BEGIN instead of failing half-way. A commit is on the disk before the answer goes out.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,  # seconds
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
    }


def storage(name: str, default_folder: Path) -> dict[str, object]:
    """Return Django's STORAGES entry for `s3://bucket/prefix?endpoint_url=…&region_name=…`, or a folder by default."""
    value = text(name)
    if not value:
        return {"BACKEND": "exchange.storage.folder.DurableFolder", "OPTIONS": {"location": str(default_folder)}}
    parts = urlsplit(value)
    if parts.scheme == "file" and parts.path:
        return {"BACKEND": "exchange.storage.folder.DurableFolder", "OPTIONS": {"location": unquote(parts.path)}}
    if parts.scheme != "s3" or not parts.netloc:
        raise ImproperlyConfigured(f"{name}: write s3://bucket/prefix?endpoint_url=… or file:///folder.")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = set(options) - {
        "endpoint_url",
        "public_endpoint_url",
        "region_name",
        "addressing_style",
        "signature_version",
    }
    if unknown:
        raise ImproperlyConfigured(f"{name}: {', '.join(sorted(unknown))} is not an option that can be set here.")
    return {
        "BACKEND": "exchange.storage.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": unquote(parts.path.strip("/")),
            "file_overwrite": True,  # names are hashes of the content: writing again is writing the same
            "max_memory_size": 2**20,  # bytes; what is larger passes through a temporary file
            "default_acl": None,
            "querystring_auth": True,
            **{option: value for option, variable in S3_KEYS.items() if (value := text(variable))},
            **options,
        },
    }


def direct(name: str, *, storage: str) -> list[str]:
    """Return for what users may reach the object store of NGSHARE_STORAGE themselves: `downloads`, `uploads`."""
    chosen = names(name)
    if unknown := sorted(set(chosen) - {"downloads", "uploads"}):
        raise ImproperlyConfigured(f"{name}: write downloads, uploads or both, not {', '.join(unknown)}.")
    if chosen and urlsplit(text(storage)).scheme != "s3":
        raise ImproperlyConfigured(f"{name}: a folder cannot be reached directly. Set {storage} to s3://…, too.")
    return chosen


def cache(name: str, folder: Path) -> dict[str, object]:
    """Return Django's CACHES entry for `redis://…`, or files below `folder`, which
    the processes of one machine share."""
    value = text(name)
    if not value:
        return {
            "BACKEND": "ngshare_site.cache.ForgivingFileCache",
            "LOCATION": str(folder),
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(f"{name}: write redis://host:port/number.")
    return {
        "BACKEND": "ngshare_site.cache.ForgivingRedisCache",
        "LOCATION": value,
        "OPTIONS": {
            "serializer": "ngshare_site.cache.JSONSerializer",
            "socket_connect_timeout": 1,  # seconds
            "socket_timeout": 1,
        },
    }
