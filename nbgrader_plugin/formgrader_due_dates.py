"""Due dates in formgrader: its dialog changes them in the service, too, and its page says where both differ.

nbgrader's dialog (apihandlers.py, `AssignmentHandler.put`) writes into the gradebook alone. So a due date that was set
after the release reached nobody. It also takes the offset of today for that of the due date, which is an hour
wrong across a change of the clocks.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone, tzinfo
from http import HTTPStatus

import dateutil.parser
from dateutil.tz import datetime_ambiguous, enfold, gettz, resolve_imaginary
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.exchange import ExchangeError
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.utils import to_numeric_tz
from sqlalchemy.exc import SQLAlchemyError

from .client import recent, times
from .client.errors import ErrorResponse, ServiceError, Unreachable
from .client.records import as_mapping, optional_time
from .exchange.list import ExchangeList
from .gradebook.due_dates import due_dates_of, read_all_due_dates, set_due_date
from .translation import gettext as _

NOT_THERE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}  # not released yet, or a course that only the gradebook has


async def save_dialog(handler: BaseHandler, lister: ExchangeList, api: NbGraderAPI, assignment: str) -> None:
    """Save what the dialog says: in the service, if the assignment is there, and then in the gradebook.

    If the service refuses it, neither is changed.
    """
    coursedir = lister.coursedir  # formgrader may be switched to another course while the service answers
    try:
        due = typed_due_date(handler.get_json_body() or {}, api.timezone)
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            before = _due_date_in(gradebook, assignment)
        if due != before:
            await asyncio.to_thread(_set_in_service, lister, assignment, due)
    except (ValueError, OverflowError, ExchangeError) as error:
        sentence = _("The due date of %(assignment)s was not changed. %(error)s") % {
            "assignment": assignment,
            "error": error,
        }
        handler.log.warning(sentence)
        handler.set_status(HTTPStatus.CONFLICT)
        handler.finish({"message": sentence})
        return
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        set_due_date(gradebook, assignment, due)
    os.makedirs(coursedir.format_path(coursedir.source_directory, ".", assignment), exist_ok=True)
    await asyncio.to_thread(lister.load_for_this_click)
    handler.write(json.dumps(api.get_assignment(assignment)))


def typed_due_date(fields: Mapping[str, object], zone_name: str) -> datetime | None:
    """Return the due date in the dialog, aware, in UTC; raise ValueError or OverflowError if it is no time.

    The dialog suggests the offset that formgrader's zone has today. Left as it is, the zone is meant.
    """
    typed, offset = fields.get("duedate_notimezone"), fields.get("duedate_timezone")
    if not typed:
        return None
    moment = dateutil.parser.parse(str(typed))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone_of(str(offset or "UTC"), zone_name))
        # In the hour that comes twice the second one is meant, as in the service: nobody is late too early.
        moment = enfold(moment) if datetime_ambiguous(moment) else resolve_imaginary(moment)
    return moment.astimezone(timezone.utc)


def _zone_of(offset: str, zone_name: str) -> tzinfo:
    if offset == to_numeric_tz(zone_name) and (zone := gettz(zone_name)):
        return zone
    try:
        fixed = datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        fixed = gettz(offset)
    if fixed is None:
        raise ValueError(_("%(offset)s is no time zone.") % {"offset": offset})
    return fixed


def _due_date_in(gradebook: Gradebook, assignment: str) -> datetime | None:
    try:
        return due_dates_of(gradebook.find_assignment(assignment)).due
    except MissingEntry:
        return None


def _set_in_service(lister: ExchangeList, assignment: str, due: datetime | None) -> None:
    """Set the due date of an assignment that the service has. The next release sends that of any other."""
    failure = recent.failure()
    if isinstance(failure, Unreachable):
        raise failure
    place = ("courses", lister.coursedir.course_id, "assignments", assignment)
    if not all(place):
        return
    try:
        found = as_mapping(lister.client.get_recent_object(*place))
    except ErrorResponse as error:
        if error.status in NOT_THERE:
            return
        raise
    if optional_time(found, "due") != due:
        lister.client.patch(*place, body={"due": due and times.to_server(due)})


def find_disagreement(lister: ExchangeList) -> str:
    """Return a sentence if gradebook and service have other due dates of what is released; empty if they agree."""
    try:
        service, local = lister.own_due_dates(), read_all_due_dates(lister.coursedir)
    except (ServiceError, SQLAlchemyError):
        return ""  # which is told elsewhere
    names = sorted(name for name in service.keys() & local.keys() if service[name] != local[name])
    if not names:
        return ""
    first = names[0]
    in_service, in_gradebook = (
        times.for_reader(due, timezone.utc) if due else _("no due date") for due in (service[first], local[first])
    )
    sentence = _(
        "%(assignment)s has other due dates in the exchange (%(in_service)s) and in the gradebook (%(in_gradebook)s)."
    ) % {"assignment": first, "in_service": in_service, "in_gradebook": in_gradebook}
    others = [_("%(count)s more differ.") % {"count": len(names) - 1}] if len(names) > 1 else []
    command = f'ngshare-course-management sync_deadlines "{lister.coursedir.course_id}"'
    return " ".join([sentence, *others, _("See: %(command)s") % {"command": command}])
