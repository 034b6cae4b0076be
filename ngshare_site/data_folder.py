"""The folder NGSHARE_DATA and the secret key in it. This is the one place that makes them.

Reading the settings makes nothing, so `ngshare help` works anywhere. What needs data calls `prepare` first: the command
line for all commands but a few (`__main__.py`), and wsgi.py.
"""

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ngshare_site import env


def prepare() -> None:
    """Make the folder and the secret key unless they exist. Errors: ImproperlyConfigured."""
    folder: Path = settings.DATA
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("this user may not write there")
        # The settings were read before there was a key.
        key = env.secret("NGSHARE_SECRET_KEY", folder)
        settings.SECRET_KEY = key or make_secret(folder / env.secret_file("NGSHARE_SECRET_KEY"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImproperlyConfigured(
            f"NGSHARE_DATA: cannot keep data in {folder} ({reason}). Set it to a folder that this user may write to."
        ) from error


def make_secret(path: Path) -> str:
    """Make a secret in a file that only its owner may read, and return it. Errors: OSError, ImproperlyConfigured.

    Several processes may start at once: each writes a whole file of its own, and all use the one that was linked first.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    if secret := path.read_text().strip():
        return secret
    raise ImproperlyConfigured(f"{path} is empty. Delete it, or write the secret key that was in it.")
