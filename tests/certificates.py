"""Certificates for tests, made as JupyterHub makes its own."""

from types import SimpleNamespace

from certipy import Certipy


def issue(folder, *names, authority="authority"):
    """Return the files of a new authority's certificates for this machine: .cert, .key, and .ca, the authority's."""
    maker = Certipy(store_dir=str(folder / authority))
    maker.create_ca(authority)
    alt_names = ["IP:127.0.0.1", "DNS:localhost"]
    return [
        SimpleNamespace(**maker.create_signed_pair(name, authority, alt_names=alt_names)["files"]) for name in names
    ]
