"""What all classes of the exchange have in common: settings, names of places, access, and how a failure ends."""

import difflib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

from dateutil.tz import gettz
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.abc import Exchange as ABCExchange
from nbgrader.exchange.default import Exchange as FolderExchange
from traitlets import Bool, Unicode, default

from ..authenticator import NgshareAuthenticator, course_names
from ..client import manifest, times
from ..client.client import NgshareClient
from ..client.errors import ErrorResponse, LocalFileError, NotConfigured, ServiceError
from ..client.manifest import BadManifest
from ..client.paths import BadPath, check_name
from ..client.printing import log_printable, printable
from ..client.records import as_mapping
from ..translation import gettext as _
from . import known as memory
from .known import Known, Release


class Exchange(ABCExchange):
    """nbgrader's exchange, kept by an ngshare service."""

    root = Unicode(help="Shown by formgrader as the place of the exchange; no files are kept there.").tag(config=True)

    cache = Unicode(
        help="Folder that keeps copies of what was submitted. Default: nbgrader_cache in Jupyter's data folder."
    ).tag(config=True)

    path_includes_course = Bool(
        False, help="Whether assignments are in a folder per course: ./course123/ps1 instead of ./ps1."
    ).tag(config=True)

    @default("root")
    def _default_root(self) -> str:
        try:
            return self.client.address().removesuffix("/api/v2/")
        except NotConfigured:
            return ""

    @default("cache")
    def _default_cache(self) -> str:
        return str(FolderExchange().cache)

    @cached_property
    def client(self) -> NgshareClient:
        return NgshareClient(parent=self)

    failure = ""  # the sentence with which it failed
    failed_for_now = False  # whether it may succeed later: the service, or the way to it, was not there

    def start(self) -> Any:
        with self.raising_exchange_errors():
            return super().start()

    @contextmanager
    def raising_exchange_errors(self) -> Iterator[None]:
        """Log whatever fails inside once, and raise it as an ExchangeError with a sentence.

        nbgrader prints the traceback of what it catches, with every exception before it: so there is none before it.
        """
        log_printable(self.log)
        try:
            with self.client.connected():
                yield
        except (ServiceError, LocalFileError, BadPath, BadManifest) as error:
            self.failed_for_now = isinstance(error, ServiceError) and error.is_temporary
            self.fail(str(error))
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            self.fail(f"{error.strerror or error}{where}")

    def fail(self, msg: str) -> NoReturn:
        self.log.critical(msg)
        self.failure = printable(msg, limit=None)
        raise ExchangeError(self.failure) from None

    def require_course(self) -> None:
        if not self.coursedir.course_id:
            self.fail(_("No course id specified. Re-run with --course flag."))

    def choose_course(self) -> None:
        """Take the user's only course if none is named; fail if there are several, or none."""
        if self.coursedir.course_id:
            return
        names = sorted(course_names(as_mapping(self.client.get("me")).get("courses")))
        if not names:
            self.fail(_("You are in no course. Name one with --course."))
        if len(names) > 1:
            self.fail(_("You are in several courses; name one with --course: %(names)s") % {"names": ", ".join(names)})
        self.coursedir.course_id = names[0]

    def require_access(self) -> None:
        """Fail if nbgrader's authenticator knows that the user does not belong to the course.

        The server knows that itself, so this plugin's own authenticator is not asked: it would be one more request.
        """
        authenticator = self.authenticator
        if authenticator is None or isinstance(authenticator.plugin, NgshareAuthenticator):
            return
        if not authenticator.has_access(self.coursedir.student_id, self.coursedir.course_id):
            self.fail(_("You do not have access to this course."))

    def fail_without_access(self, error: ErrorResponse) -> NoReturn:
        self.fail(_("You do not have access to this course. %(error)s") % {"error": error})

    def named_student(self) -> str:
        """Return the student named on the command line, empty if that is oneself; fail for a pattern."""
        student = self.coursedir.student_id
        if student in ("", "*"):
            return ""
        if "*" in student or "+" in student:
            self.fail(_("The student ID should contain no '*' nor '+'; got %(student)s") % {"student": student})
        return str(student)

    def timestamp_text(self, instant: datetime) -> str:
        """Return nbgrader's text for a time of the server, always in UTC."""
        return times.to_nbgrader(instant, self.timestamp_format)

    def reader_zone(self) -> tzinfo | None:
        """Return the zone in which times are told: `c.Exchange.timezone` if it is set, else that of this computer."""
        return None if self.timezone == "UTC" else gettz(self.timezone)

    def local_folder(self, course: str, assignment: str) -> Path:
        """Return where a student's copy of an assignment is, absolute; raise BadPath for an unsafe name."""
        parts = [check_name(assignment, _("assignment"))]
        if self.path_includes_course:
            parts.insert(0, check_name(course, _("course")))
        return Path(os.path.abspath(os.path.join(self.assignment_dir, *parts)))

    def fail_not_found(self, message: str, wanted: str, others: Iterable[str]) -> NoReturn:
        """Fail, and log which of the others may have been meant."""
        likely = difflib.get_close_matches(wanted, list(others), n=1, cutoff=0.0)
        if likely:
            message = _("%(message)s Did you mean %(name)s?") % {"message": message, "name": likely[0]}
        self.fail(message)

    def courses_of_other_authenticator(self) -> list[str] | None:
        """Return the student's courses by another authenticator than ours; None if there is no such filter."""
        authenticator = self.authenticator
        if authenticator is None or self.coursedir is None or not self.coursedir.student_id:
            return None
        if isinstance(authenticator.plugin, NgshareAuthenticator):
            return None  # the server has filtered already
        courses: list[str] | None = authenticator.get_student_courses(self.coursedir.student_id)
        return courses

    @property
    def place_in_exchange(self) -> str:
        """What the log calls the exchange's side of a transfer, where nbgrader's own has a folder."""
        return _("%(course)s %(assignment)s in the exchange") % {
            "course": self.coursedir.course_id,
            "assignment": self.coursedir.assignment_id,
        }

    def assignment_address(self) -> str:
        return self.client.address("courses", self.coursedir.course_id, "assignments", self.coursedir.assignment_id)

    def latest_release(self, known: Release | None = None) -> Release:
        """Return the latest release, `known` if that is it. Fail if there is none, and name a likely assignment."""
        place = ("courses", self.coursedir.course_id, "assignments", self.coursedir.assignment_id, "releases", "latest")
        try:
            answer = self.client.get_if_changed(*place, etag=known.etag if known else "")
        except ErrorResponse as error:
            if error.status == HTTPStatus.FORBIDDEN:
                self.fail_without_access(error)
            if error.status == HTTPStatus.NOT_FOUND:
                self._fail_not_released(error)
            raise
        if answer is None and known:
            return known
        content = as_mapping(answer.content if answer else None)
        return Release(manifest.from_server(content.get("files")), answer.etag if answer else "")

    def _fail_not_released(self, error: ErrorResponse) -> NoReturn:
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        try:
            names = self._released_names()
        except ErrorResponse:
            self.fail(str(error))  # the course itself does not exist
        if memory.read(Path(self.cache), self.assignment_address()) != Known():
            self.fail(
                _("%(assignment)s was unreleased by your instructor (course %(course)s).")
                % {"assignment": assignment, "course": course}
            )
        self.fail_not_found(
            _("Assignment not found: %(assignment)s is not released in %(course)s.")
            % {"assignment": assignment, "course": course},
            assignment,
            names,
        )

    def _released_names(self) -> list[str]:
        rows = self.client.get_all("courses", self.coursedir.course_id, "assignments")
        return [row["name"] for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]
