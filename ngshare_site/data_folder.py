"""The folder NGSHARE_DATA and the secret key in it. This is the one place that makes them, and keeps others out.

Reading the settings makes nothing, so `ngshare help` works anywhere. What needs data calls `prepare` first: the command
line for all commands but a few (`__main__.py`), and wsgi.py.
"""

import logging
import os
import pwd
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from exchange.storage.folder import make_folder, sync_folder
from ngshare_site import env

log = logging.getLogger(__name__)

PRIVATE_UMASK = 0o077  # what this process makes is for its own user alone
OUR_FILES = ("ngshare_secret_key", "ngshare.sqlite3")
OUR_FOLDERS = re.compile(r"blobs|cache|staging|[0-9a-f]{2}|lost\+found")  # of NGSHARE_DATA or of the blobs


def prepare() -> None:
    """Make the folder and the secret key unless they exist, and keep others out. Errors: ImproperlyConfigured."""
    os.umask(PRIVATE_UMASK)
    folder: Path = settings.DATA
    try:
        if not folder.exists() and not env.text("NGSHARE_DATA"):
            log.warning("NGSHARE_DATA is not set: data is kept in %s, a new folder.", folder)
        make_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"it belongs to {_owner(folder)}, and this user may not write there")
        for path in _places():
            keep_private(path)
        _check_cache(folder / "cache")
        # The settings were read before there was a key.
        key = env.secret("NGSHARE_SECRET_KEY", folder)
        settings.SECRET_KEY = key or make_secret(folder / env.secret_file("NGSHARE_SECRET_KEY"))
    except OSError as error:
        elsewhere = f"{error.filename}: " if error.filename and Path(error.filename) != folder else ""
        reason = f"{elsewhere}{error.strerror or error}"
        raise ImproperlyConfigured(
            f"NGSHARE_DATA: cannot keep data in {folder} ({reason}). Set it to a folder that this user may write to."
        ) from error


def require_database(*, to_exist: bool) -> None:
    """Open the database, which must be there if `to_exist`; SQLite makes it otherwise. Errors: ImproperlyConfigured."""
    database = settings.DATABASES["default"]
    variable = "DATABASE_URL" if env.text("DATABASE_URL") else "NGSHARE_DATA"
    advice = "Set it to that of the service; `ngshare migrate` makes a new one."
    file = Path(str(database["NAME"]))
    try:
        if to_exist and str(database["ENGINE"]).endswith("sqlite") and not file.exists():
            unset = "" if env.text(variable) else " is not set"
            raise ImproperlyConfigured(f"{variable}{unset}: there is no database {file}. {advice}")
        has_tables = MigrationRecorder(connection).has_table()
        connection.close()
    except (DatabaseError, OSError) as error:
        raise ImproperlyConfigured(
            f"{variable}: the database cannot be opened: {' '.join(str(error).split())}. Set it to that of the "
            "service, and run this as the service's user."
        ) from error
    if to_exist and not has_tables:
        raise ImproperlyConfigured(f"{variable}: the database is empty. {advice}")


def keep_private(path: Path) -> None:
    """Take a file or folder away from others where it is ours. Errors: ImproperlyConfigured, if others may enter it.

    A group may stay on what is not ours: on Kubernetes the root of a volume belongs to root, and the service, whatever
    its user is, enters by its group (`fsGroup`, mode 2770).
    """
    before = _mode(path)
    if before & PRIVATE_UMASK and os.geteuid() in (path.stat().st_uid, 0) and not _has_foreign_folders(path):
        with suppress(OSError):  # what follows says so
            path.chmod(before & ~PRIVATE_UMASK)
    mode = _mode(path)  # not every file system takes another mode
    if mode & stat.S_IRWXO:
        move = ", and move what is in it there" if any((path / name).exists() for name in OUR_FILES) else ""
        raise ImproperlyConfigured(
            f"NGSHARE_DATA: every account of this machine may enter {path} (mode {mode:o}). Give ngshare a folder of "
            f"its own, such as {path / 'ngshare'}{move}, or run `chmod o-rwx {path}` as its owner."
        )
    if mode & stat.S_IRWXG:
        log.warning("The group of %s may enter it (mode %o): it must be the service's alone.", path, mode)
    elif mode != before:
        log.warning("%s was open to others (mode %o). Now it is its owner's alone.", path, before)


def _has_foreign_folders(path: Path) -> bool:
    """Return whether a folder serves others, too: root could close /srv or somebody's home to everybody by mistake."""
    if not path.is_dir() or any((path / name).exists() for name in OUR_FILES):
        return False
    names = [entry.name for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    return not all(OUR_FOLDERS.fullmatch(name) for name in names)


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container only the number need be known
        return f"user {uid}"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _places() -> Iterator[Path]:
    """Yield what holds data: the folder, and the blobs and the SQLite file where they are elsewhere."""
    folder: Path = settings.DATA
    yield folder
    database = settings.DATABASES["default"]
    store: Any = settings.STORAGES["default"]
    names = [store["OPTIONS"]["location"]] if "bucket_name" not in store["OPTIONS"] else []
    if str(database["ENGINE"]).endswith("sqlite"):
        names += [f"{database['NAME']}{suffix}" for suffix in ("", "-wal", "-shm", "-queue")]
    for path in map(Path, names):
        if os.path.exists(path) and not path.resolve().is_relative_to(folder.resolve()):
            yield path


def _check_cache(folder: Path) -> None:
    """Refuse a cache that somebody else made: Django's cache in files runs what it reads, which is pickled.

    Errors: ImproperlyConfigured.
    """
    if folder.is_dir():
        keep_private(folder)
        if os.geteuid() not in (folder.stat().st_uid, 0):
            raise ImproperlyConfigured(f"NGSHARE_DATA: {folder} belongs to somebody else. Delete it.")


def make_secret(path: Path) -> str:
    """Make a secret in a file that only its owner may read, and return it. Errors: OSError, ImproperlyConfigured.

    It is durable before anything is signed with it. Several processes may start at once: each writes a whole file of
    its own, and all use the one that was linked first.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)
    if secret := path.read_text().strip():
        return secret
    raise ImproperlyConfigured(f"{path} is empty. Delete it, or write the secret key that was in it.")
