"""A Jupyter server extension: formgrader's gradebook is that of the course shown, and knows the roster.

Formgrader (nbgrader/server_extensions/formgrader/base.py) opens one gradebook, without an authenticator, and keeps it
permanently in `settings["nbgrader_gradebook"]`. So *Manage Students* does not reach the roster, and after
`/formgrader?path=other` grades go to the course that was opened first. This extension puts an object there
that stands for the right gradebook at each moment.

Formgrader's handlers ask the exchange for the list of assignments in the event loop of the Jupyter server, which stands
still meanwhile. They show the students of the gradebook alone, and a traceback where an exchange fails. Here, `prepare`
asks before they do, in a thread, for the list and the roster; `capture_log` and `render` say in a sentence what failed.
The dialog of an assignment changes its due date in the service, too (formgrader_due_dates.py).
"""

import asyncio
import inspect
import json
from typing import Any

import nbgrader.apps.api
from jinja2 import ChoiceLoader, DictLoader, Environment, PrefixLoader
from jupyter_server.serverapp import ServerApp
from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.exchange import ExchangeFactory
from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.base import BaseHandler, check_notebook_dir, check_xsrf
from nbgrader.utils import capture_log as capture_log_with_traceback
from tornado import web

from .authenticator import NgshareAuthenticator
from .client import recent
from .client.errors import Unreachable
from .exchange.base import Exchange
from .exchange.list import ExchangeList
from .formgrader_due_dates import find_disagreement, save_dialog
from .gradebook.fill import fill_gradebook
from .translation import gettext as _

SLOT, TOLD = "nbgrader_gradebook", "ngshare_told"  # in the settings of the server
WITH_NAMES = (  # handlers that list students
    apihandlers.StudentCollectionHandler,
    apihandlers.SubmissionCollectionHandler,
    apihandlers.SubmittedNotebookCollectionHandler,
)
WITH_DUE_DATES = (apihandlers.AssignmentCollectionHandler, handlers.ManageAssignmentsHandler)
BUTTONS = (  # handlers that send to the exchange, or fetch from it
    apihandlers.ReleaseHandler,
    apihandlers.UnReleaseHandler,
    apihandlers.CollectHandler,
    apihandlers.ReleaseFeedbackHandler,
    apihandlers.ReleaseAllFeedbackHandler,
)

nbgraders_put = apihandlers.AssignmentHandler.put

PAGE = "manage_assignments.tpl"
PAGE_WITH_FAILURE = """{%- extends "nbgrader/manage_assignments.tpl" -%}
{%- block head -%}
{{ super() }}
<script>
$(document).ajaxError(function (event, answer) {
    if (answer.responseJSON && answer.responseJSON.message) {
        window.alert(answer.responseJSON.message);
        window.location.reload();
    }
});
</script>
{%- endblock -%}
{%- block messages -%}
{{ super() }}
{% if disagreement %}
<div class="alert alert-warning" id="warning-due-dates">{{ disagreement | e }}</div>
{% endif %}
{% if failure %}
<div class="alert alert-warning" id="warning-exchange">
{{ failure | e }} {{ advice | e }}
</div>
{% endif %}
{%- endblock -%}
"""


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


async def prepare(handler: BaseHandler) -> None:
    """Load what nbgrader's method for this request will ask for, so that it finds that and does not wait."""
    await super(BaseHandler, handler).prepare()
    recent.begin_click()
    if handler.current_user is None or not _asks_exchange(handler):
        return
    formgrader = handler.settings["nbgrader_formgrader"]
    formgrader.load_config_file()  # as formgrader itself does for each request
    lister = _make_lister(formgrader)
    if lister is None:
        return
    await asyncio.to_thread(lister.load_for_this_click)
    failure = recent.failure()
    if isinstance(handler, BUTTONS) and isinstance(failure, Unreachable):  # nbgrader's method would wait for long
        handler.finish(json.dumps({"success": False, "log": str(failure)}))
        return
    has_roster = isinstance(lister.authenticator.plugin, NgshareAuthenticator) and not isinstance(failure, Unreachable)
    if isinstance(handler, WITH_NAMES) and has_roster:
        place = lister.coursedir.db_url, lister.coursedir.course_id
        await asyncio.to_thread(fill_gradebook, *place, lister.client, formgrader.log)
    if isinstance(handler, WITH_DUE_DATES):
        await _tell_of_disagreement(handler, lister)


def _make_lister(formgrader: NbGrader) -> ExchangeList | None:
    """Return the plugin that lists assignments; None if that is not ngshare's."""
    factory, authenticator = ExchangeFactory(parent=formgrader), Authenticator(parent=formgrader)
    lister = factory.List(coursedir=formgrader.coursedir, authenticator=authenticator, parent=formgrader)
    return lister if isinstance(lister, ExchangeList) else None


async def _tell_of_disagreement(handler: BaseHandler, lister: ExchangeList) -> None:
    """Say on the page, and once in the log, that gradebook and service have other due dates."""
    handler.disagreement = sentence = await asyncio.to_thread(find_disagreement, lister)
    told: set[str] = handler.settings.setdefault(TOLD, set())
    if sentence and sentence not in told:
        handler.log.warning(sentence)
        told.add(sentence)


@web.authenticated
@check_xsrf
@check_notebook_dir
async def put_assignment(handler: BaseHandler, assignment_id: str) -> None:
    """Save what the dialog of an assignment says. It makes nbgrader's `api`, so that `prepare` has asked before."""
    lister = _make_lister(handler.settings["nbgrader_formgrader"])
    if lister is None:
        nbgraders_put(handler, assignment_id)
    else:
        await save_dialog(handler, lister, handler.api, assignment_id.strip())


def _asks_exchange(handler: BaseHandler) -> bool:
    """Return whether nbgrader's method for this request makes its `api`, which asks for a list. Grading does not."""
    method = inspect.unwrap(getattr(type(handler), handler.request.method.lower()))
    return "api" in method.__code__.co_names


def render(handler: BaseHandler, name: str, **names: Any) -> str:
    """Render a page. Where nbgrader would write of a directory that could not be created, write what failed."""
    failure = recent.failure()
    if failure and name == PAGE:
        advice = _("Nothing can be released or collected now. Reload this page to try again.")
        names |= {"exchange_missing": False, "failure": str(failure), "advice": advice}
    names.setdefault("disagreement", getattr(handler, "disagreement", ""))
    template = handler.settings["nbgrader_jinja2_env"].get_template(name)
    return str(template.render(**names))


def _add_template(environment: Environment) -> None:
    """Let the page show a failure, below what nbgrader's own page shows there."""
    original = environment.loader
    if original is not None:
        templates = [DictLoader({PAGE: PAGE_WITH_FAILURE}), PrefixLoader({"nbgrader": original}), original]
        environment.loader = ChoiceLoader(templates)


def capture_log(app: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
    """Start what formgrader's button stands for; of a failure of the exchange, answer the sentence alone."""
    answer: dict[str, Any] = capture_log_with_traceback(app, *arguments, **options)
    if not answer["success"] and isinstance(app, Exchange) and app.failure:
        return {"success": False, "log": app.failure}
    return answer


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
    BaseHandler.prepare, BaseHandler.render = prepare, render
    apihandlers.AssignmentHandler.put = put_assignment
    _add_template(settings["nbgrader_jinja2_env"])
    nbgrader.apps.api.capture_log = capture_log
