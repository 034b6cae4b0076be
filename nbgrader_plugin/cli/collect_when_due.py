"""The subcommand `collect_when_due`: `nbgrader collect` when an assignment is due for everybody.

The service needs no clock for its deadlines, and neither does this one keep any state: started again, it goes on.
"""

import argparse
import logging
import time
from datetime import datetime, timedelta, timezone

from nbgrader.auth import Authenticator
from nbgrader.exchange import ExchangeError

from ..client.errors import ServiceError
from ..exchange.collect import ExchangeCollect
from ..gradebook import students
from ..gradebook.deadlines import CourseDeadlines
from ..translation import gettext as _
from .commands import Commands
from .deadline_tables import render_time
from .output import CommandFailed, print_success, print_warning

LOOK_AGAIN = 300.0  # seconds: deadlines may be moved meanwhile
TRY_AGAIN = 30.0  # seconds, while the service is away
AFTER = timedelta(seconds=5)  # the service's clock decides, and this computer's may be ahead of it


class CollectWhenDue(Commands):
    def collect_when_due(self, options: argparse.Namespace) -> None:
        reason = students.reason_not_to_use(self.app.coursedir, options.course, create=True)
        if reason:
            raise CommandFailed(
                _("%(reason)s Go to the course's folder, see ngshare-course-directory.") % {"reason": reason}
            )
        deadlines = CourseDeadlines(self.client, options.course)
        if not options.now_if_due:
            Wait(deadlines, options.assignment).until_due()
        elif (end := due_for_everybody(deadlines, options.assignment)) + AFTER > datetime.now(timezone.utc):
            print_success(
                _("%(assignment)s is due %(due)s: nothing was collected.")
                % {"assignment": options.assignment, "due": render_time(end, deadlines.zone())}
            )
            return
        self._collect(options, is_patient=not options.now_if_due)
        print_success(
            _("Collected %(assignment)s of '%(course)s'.")
            % {"assignment": options.assignment, "course": options.course}
        )

    def _collect(self, options: argparse.Namespace, *, is_patient: bool) -> None:
        """Collect, as often as it takes while the service is not there, if `is_patient`."""
        while True:
            collector = self._collector(options)
            try:
                collector.start()
                return
            except ExchangeError:  # which is in the log
                if not (is_patient and collector.failed_for_now):
                    raise CommandFailed(
                        _("%(assignment)s was not collected, or not all of it.") % {"assignment": options.assignment}
                    ) from None
            time.sleep(TRY_AGAIN)

    def _collector(self, options: argparse.Namespace) -> ExchangeCollect:
        """Return `nbgrader collect --update`, which logs as that does."""
        coursedir = self.app.coursedir
        coursedir.course_id, coursedir.assignment_id = options.course, options.assignment
        self.app.log_level = logging.INFO
        collector = ExchangeCollect(coursedir=coursedir, authenticator=Authenticator(parent=self.app), parent=self.app)
        collector.update, collector.before_duedate = True, options.before_duedate
        return collector


class Wait:
    """Waiting until an assignment is due for everybody, whatever happens to the deadlines and the service meanwhile."""

    def __init__(self, deadlines: CourseDeadlines, assignment: str) -> None:
        self._deadlines = deadlines
        self._assignment = assignment
        self._told = ""  # what was said last: nothing is said twice

    def until_due(self) -> None:
        while (pause := self._pause()) > 0:
            time.sleep(pause)

    def _pause(self) -> float:
        """Return how many seconds to wait before looking again; none when the assignment is due."""
        try:
            end, zone = due_for_everybody(self._deadlines, self._assignment), self._deadlines.zone()
        except ServiceError as error:
            if not error.is_temporary:
                raise
            self._tell(_("%(error)s Still waiting.") % {"error": error})
            return TRY_AGAIN
        remaining = (end + AFTER - datetime.now(timezone.utc)).total_seconds()
        if remaining > 0:
            self._tell(
                _("%(assignment)s is due %(due)s. Waiting; Ctrl-C ends it.")
                % {"assignment": self._assignment, "due": render_time(end, zone)}
            )
        return min(remaining, LOOK_AGAIN)

    def _tell(self, sentence: str) -> None:
        if sentence != self._told:
            print_warning(sentence)
            self._told = sentence


def due_for_everybody(deadlines: CourseDeadlines, assignment: str) -> datetime:
    """Return when it is due for the last student: at the cut-off, or at the due date without one."""
    own = deadlines.assignment(assignment).terms.end
    ends = [member.terms.end for member in deadlines.members(assignment)]
    latest = max((end for end in [own, *ends] if end), default=None)
    if latest is None:
        raise CommandFailed(_("%(assignment)s has no due date.") % {"assignment": assignment})
    return latest
