"""A Jupyter server extension: JupyterLab's Assignment List never stops the server, and tells what failed.

nbgrader's handlers (nbgrader/server_extensions/assignment_list/handlers.py) ask the exchange in the event loop of the
server, so that kernels, terminals and files wait with it. Where the exchange says in a sentence what failed, they give
a traceback, a text about a folder, or nothing. The handlers here take their place: they ask in a thread,
and answer with the sentence. Without ngshare in nbgrader's configuration they leave everything to nbgrader's.
"""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list import handlers
from tornado import web
from traitlets.config import Config

from .client import recent
from .exchange.list import ExchangeList
from .translation import gettext as _

Answer = dict[str, Any]  # as nbgrader's JavaScript reads it: success, value

ACTIONS = {"fetch": "FetchAssignment", "submit": "Submit", "fetch_feedback": "FetchFeedback"}


class AssignmentLists:
    """One person's assignments as nbgrader is configured at this moment, for one request.

    It is made in the event loop, since nbgrader changes the folder of the whole process to read its configuration. Its
    other methods may take long, and run in a thread.
    """

    def __init__(self, manager: handlers.AssignmentList) -> None:
        with manager.get_assignment_dir_config() as config:
            self._folder = os.getcwd()
        self._config: Config = config
        self._root = manager.root_dir

    @property
    def uses_ngshare(self) -> bool:
        return issubclass(ExchangeFactory(config=self._config).list, ExchangeList)

    def act(self, action: str, course: str, assignment: str) -> Answer:
        """Fetch or submit, and return the lists then."""
        self._plugin(ACTIONS[action], course, assignment).start()
        try:
            return self.assignments(course)
        except ExchangeError:
            if action != "submit":
                raise
            # JupyterLab calls a submission failed if this fails. So the list is what is known without the exchange.
            return {"success": True, "value": self._made_local(self._lister(course).rows_of_copies())}

    def assignments(self, course: str) -> Answer:
        return {"success": True, "value": [*self._released(course), *self._submitted(course)]}

    def courses(self) -> Answer:
        rows = [*self._released(""), *self._submitted("")]
        return {"success": True, "value": sorted({row["course_id"] for row in rows})}

    def _released(self, course: str) -> list[dict[str, Any]]:
        rows = self._plugin("List", course).start()
        for row in rows:
            for place in [row, *row["notebooks"]] if row["status"] == "fetched" else []:
                place["path"] = os.path.relpath(place["path"], self._root)
        return sorted(rows, key=lambda row: (row["course_id"], row["assignment_id"]))

    def _submitted(self, course: str) -> list[dict[str, Any]]:
        return self._made_local(self._lister(course).start())

    def _lister(self, course: str) -> ExchangeList:
        return self._plugin("List", course, cached=True)

    def _made_local(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        for attempt in [attempt for row in rows for attempt in row["submissions"]]:
            if attempt["local_feedback_path"]:
                attempt["local_feedback_path"] = os.path.relpath(attempt["local_feedback_path"], self._root)
            if attempt.get("late"):
                attempt["timestamp"] = (
                    _("%(timestamp)s, late") % attempt
                )  # JupyterLab shows this text, and does nothing else with it
        return sorted(rows, key=lambda row: str(row["assignment_id"]))

    def _plugin(self, slot: str, course: str, assignment: str = "", **traits: bool) -> Any:
        config = deepcopy(self._config)
        if course:
            config.CourseDirectory.course_id = course
        config.CourseDirectory.assignment_id = assignment
        make = getattr(ExchangeFactory(config=config), slot)
        directory, authenticator = CourseDirectory(config=config), Authenticator(config=config)
        plugin = make(coursedir=directory, authenticator=authenticator, config=config, **traits)
        plugin.assignment_dir = os.path.join(self._folder, plugin.assignment_dir)
        return plugin


async def tell(work: Callable[[], Answer]) -> Answer:
    """Return the answer of what may take long, or why it failed."""
    recent.begin_click()
    try:
        return await asyncio.to_thread(work)
    except ExchangeError as error:
        return {"success": False, "value": str(error)}


class ListHandler(handlers.AssignmentListHandler):
    @web.authenticated
    async def get(self) -> None:
        lists, course = AssignmentLists(self.manager), self.get_argument("course_id")
        if not lists.uses_ngshare:
            return super().get()
        self.finish(json.dumps(await tell(lambda: lists.assignments(course))))


class CoursesHandler(handlers.CourseListHandler):
    @web.authenticated
    async def get(self) -> None:
        lists = AssignmentLists(self.manager)
        if not lists.uses_ngshare:
            return super().get()
        self.finish(json.dumps(await tell(lists.courses)))


NAMES = ("course_id", "assignment_id")


class ActionHandler(handlers.AssignmentActionHandler):
    @web.authenticated
    async def post(self, action: str) -> None:
        lists = AssignmentLists(self.manager)
        if not lists.uses_ngshare:
            return super().post(action)
        course, assignment = (self.get_argument(name, None) for name in NAMES)
        if course is None or assignment is None:
            fields = self.get_json_body()
            course, assignment = (fields.get(name) for name in NAMES) if isinstance(fields, dict) else (None, None)
        if not isinstance(course, str) or not isinstance(assignment, str):
            raise web.HTTPError(HTTPStatus.BAD_REQUEST, "course_id and assignment_id are missing.")
        self.finish(json.dumps(await tell(lambda: lists.act(action, course, assignment))))


HANDLERS = {
    handlers.AssignmentListHandler: ListHandler,
    handlers.CourseListHandler: CoursesHandler,
    handlers.AssignmentActionHandler: ActionHandler,
}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbgrader_plugin.assignment_list_fix"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Jupyter loads extensions in the order of their names: nbgrader's has been loaded if it is on."""
    application = server.web_app
    if "assignment_list_manager" not in application.settings:
        server.log.debug("ngshare: nbgrader's assignment list is not on.")
        return
    base = application.settings["base_url"]
    ours = [(url_path_join(base, path), HANDLERS[kind]) for path, kind in handlers.default_handlers if kind in HANDLERS]
    application.add_handlers(".*$", ours)
    rules = application.default_router.rules
    rules.insert(0, rules.pop(-2))  # before nbgrader's; tornado adds at the end, before its own last one
