"""A Jupyter server extension: formgrader's gradebook is that of the course shown, and knows the roster.

Formgrader (nbgrader/server_extensions/formgrader/base.py) opens one gradebook, without an authenticator, and keeps it
permanently in `settings["nbgrader_gradebook"]`. So *Manage Students* does not reach the roster, and after
`/formgrader?path=other` grades go to the course that was opened first. This extension puts an object there
that stands for the right gradebook at each moment.
"""

from typing import Any

from jupyter_server.serverapp import ServerApp
from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.auth import Authenticator

SLOT = "nbgrader_gradebook"


class CurrentGradebook:
    """Has the attributes of the gradebook of the course that formgrader is showing, opened at the first use."""

    def __init__(self, formgrader: NbGrader) -> None:
        self._formgrader = formgrader
        self._opened: dict[tuple[str, str], Gradebook] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._current(), name)

    def _current(self) -> Gradebook:
        coursedir = self._formgrader.coursedir
        key = (coursedir.db_url, coursedir.course_id)
        if key not in self._opened:
            self._opened[key] = Gradebook(*key)
        gradebook = self._opened[key]
        # Formgrader reads its configuration anew for every request; so the authenticator is made anew as well.
        gradebook.authenticator = Authenticator(parent=self._formgrader)
        return gradebook


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbgrader_plugin.formgrader_fix"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Jupyter loads extensions in the order of their names: formgrader, `nbgrader.…`, has been loaded if it is on."""
    settings = server.web_app.settings
    formgrader = settings.get("nbgrader_formgrader")
    if formgrader is None or settings.get(SLOT) is not None:
        server.log.debug("ngshare: formgrader is not on, or keeps its gradebook elsewhere; it is not changed.")
        return
    settings[SLOT] = CurrentGradebook(formgrader)
