"""The roster's students in nbgrader's gradebook, without a command: formgrader shows who is in the course."""

import logging

from nbgrader.api import Gradebook
from sqlalchemy.exc import SQLAlchemyError

from ..client.client import NgshareClient
from ..client.errors import ErrorResponse, ServiceError
from .roster import Roster
from .students import CourseGradebook
from .sync import BOTH, TO_GRADEBOOK, find_differences, plan_steps


def fill_gradebook(db_url: str, course: str, client: NgshareClient, log: logging.Logger) -> None:
    """Add the roster's students to the gradebook, and the names that it does not have; what it has stays.

    Whatever goes wrong is only logged: formgrader then shows the gradebook as it is.
    """
    if not course:
        return
    try:
        members = Roster(client, course).recent_members()
    except ErrorResponse as error:
        log.debug("The roster of %s is not shown: %s", course, error)  # to whom is not on the staff, as to anybody
        return
    except ServiceError as error:
        log.warning("The roster of %s is not shown: %s", course, error)
        return
    try:
        with Gradebook(db_url, course) as gradebook:
            local = CourseGradebook(gradebook)
            steps = plan_steps(find_differences(members, local.students()), BOTH, remove=False)
            local.add_all({step.username: step.names for step in steps if step.side == TO_GRADEBOOK})
    except SQLAlchemyError as error:
        log.warning("The roster of %s could not be written into the gradebook: %s", course, error)
