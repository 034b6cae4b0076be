"""A Jupyter server extension: JupyterLab's Course List never stops the server, and tells what failed.

nbgrader's handler (nbgrader/server_extensions/course_list/handlers.py) asks in the event loop of the server for the
user's courses, and answers a failure in a form that its own page cannot show. Here, `prepare` asks before, in a thread.
"""

import asyncio
import json
from contextlib import suppress

from jupyter_server.serverapp import ServerApp
from nbgrader.auth import Authenticator
from nbgrader.exchange import ExchangeError
from nbgrader.server_extensions.course_list.handlers import CourseListHandler, chdir

from .authenticator import NgshareAuthenticator
from .client import recent
from .client.errors import NotConfigured


async def prepare(handler: CourseListHandler) -> None:
    """Load the courses for nbgrader's method, or say why there is no Course List."""
    await super(CourseListHandler, handler).prepare()
    if handler.current_user is None:
        return
    with chdir(handler.assignment_dir):
        authenticator = Authenticator(config=handler.load_config())
    if not isinstance(authenticator.plugin, NgshareAuthenticator):
        return
    recent.begin_click()
    try:
        with suppress(NotConfigured):  # nbgrader's method lists what is on this computer then
            await asyncio.to_thread(authenticator.get_student_courses, "*")
    except ExchangeError as error:
        handler.finish(json.dumps({"success": False, "value": {"message": str(error)}}))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbgrader_plugin.course_list_fix"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Mend nbgrader's handler, whether it is on or not."""
    CourseListHandler.prepare = prepare
