"""`nbgrader release_assignment`: the release folder becomes the latest release on the server."""

import os
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeReleaseAssignment as ABCExchangeReleaseAssignment
from traitlets.config import Config

from ..client import manifest, sending, times
from ..client.errors import ErrorResponse
from ..client.manifest import LocalFile
from ..client.records import as_mapping, optional_time
from ..config import accept_old_section
from ..gradebook.due_dates import read_due_dates
from ..translation import gettext as _
from . import known
from .base import Exchange
from .local_files import read_folder


class ExchangeReleaseAssignment(Exchange, ABCExchangeReleaseAssignment):
    """Releasing again makes a new release; earlier ones, submissions and feedback stay."""

    due_before: datetime | None = None  # in the exchange

    def _load_config(self, cfg: Config, **kwargs: Any) -> None:
        accept_old_section(cfg, "ExchangeRelease", "ExchangeReleaseAssignment", self.log)
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        coursedir = self.coursedir
        assignment = coursedir.assignment_id
        self.src_path = coursedir.format_path(coursedir.release_directory, ".", assignment)
        if os.path.isdir(self.src_path):
            return
        source = coursedir.format_path(coursedir.source_directory, ".", assignment)
        if os.path.isdir(source):
            self.fail(
                _("Assignment found in '%(source)s' but not '%(folder)s', run `nbgrader generate_assignment` first.")
                % {"source": source, "folder": self.src_path}
            )
        others = Path(coursedir.format_path(coursedir.release_directory, ".", "x")).parent
        self.fail_not_found(
            _("Assignment not found at: %(folder)s.") % {"folder": self.src_path},
            self.src_path,
            map(str, sorted(others.glob("*"))),
        )

    def init_dest(self) -> None:
        self.require_course()
        self.place = ("courses", self.coursedir.course_id, "assignments", self.coursedir.assignment_id)
        self.dest_path = self.client.address(*self.place)

    def copy_files(self) -> None:
        coursedir = self.coursedir
        names = f"{coursedir.course_id} {coursedir.assignment_id}"
        if self._is_released():
            if not self.force:
                self.fail(_("Destination already exists, add --force to overwrite: %(names)s") % {"names": names})
            self.log.info(_("Overwriting files: %(names)s") % {"names": names})
        self.log.info(_("Source: %(folder)s") % {"folder": self.src_path})
        self.log.info(_("Destination: %(place)s") % {"place": self.place_in_exchange})
        self._send(read_folder(Path(self.src_path), coursedir))
        self.log.info(_("Released as: %(names)s") % {"names": names})

    def _is_released(self) -> bool:
        try:
            assignment = as_mapping(self.client.get(*self.place))
        except ErrorResponse as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        self.due_before = optional_time(assignment, "due")
        return assignment.get("status") == "released"

    def _send(self, files: list[LocalFile]) -> None:
        content: dict[str, object] = {"files": manifest.as_json(files)}
        due = read_due_dates(self.coursedir).due
        if due is not None:
            content["due"] = times.to_server(due)
            if self.due_before not in (None, due):
                before, after = (times.for_reader(moment, self.reader_zone()) for moment in (self.due_before, due))
                self.log.warning(
                    _("The due date in the exchange was %(before)s; now it is the gradebook's, %(after)s.")
                    % {"before": before, "after": after}
                )
        cache = Path(self.cache)
        response = sending.send(
            self.client,
            (*self.place, "releases"),
            content,
            files,
            known=known.read(cache, self.dest_path).hashes(),
            label=_("Releasing"),
            log=self.log,
            force=self.force,
        )
        if as_mapping(response).get("digest") != manifest.digest(files):
            self.fail(_("The exchange has received other files than were sent. Release again, with --force."))
        known.remember_sent(cache, self.dest_path, files)
