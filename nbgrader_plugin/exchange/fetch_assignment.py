"""`nbgrader fetch_assignment`: the latest release becomes a folder of the student."""

import os
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeFetchAssignment as ABCExchangeFetchAssignment
from traitlets.config import Config

from ..client import manifest
from ..client.manifest import File
from ..client.transfer import Blobs
from ..config import accept_old_section
from ..translation import gettext as _
from . import folders, known
from .base import Exchange


class ExchangeFetchAssignment(Exchange, ABCExchangeFetchAssignment):
    """The folder appears whole or not at all; with --replace, only the files that are missing in it."""

    def _load_config(self, cfg: Config, **kwargs: Any) -> None:
        accept_old_section(cfg, "ExchangeFetch", "ExchangeFetchAssignment", self.log)
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        self.choose_course()
        self.require_access()
        self.src_path = self.assignment_address()
        remembered = known.read(Path(self.cache), self.src_path).release
        self.release = self.latest_release(remembered)
        self.files = manifest.without_ignored(self.release.files, self.coursedir.ignore)

    def init_dest(self) -> None:
        self.dest_path = self.local_folder(self.coursedir.course_id, self.coursedir.assignment_id)
        if self.dest_path.is_dir() and not self.replace_missing_files:
            shown = os.path.relpath(self.dest_path, os.path.abspath(self.assignment_dir))
            self.fail(_("You already have a copy of the assignment in this directory: %(folder)s") % {"folder": shown})

    def copy_files(self) -> None:
        self.log.info(_("Source: %(place)s") % {"place": self.place_in_exchange})
        self.log.info(_("Destination: %(folder)s") % {"folder": self.dest_path})
        if self.dest_path.is_dir():
            self._replace_missing()
        else:
            with folders.temporary_folder(self.dest_path) as folder:
                blobs = self._fetch(self.files, folder)
                folders.write_folder(self.dest_path, self.files, blobs.write)
        known.remember_release(Path(self.cache), self.src_path, self.release)
        self.log.info(
            _("Fetched as: %(course)s %(assignment)s")
            % {"course": self.coursedir.course_id, "assignment": self.coursedir.assignment_id}
        )

    def _replace_missing(self) -> None:
        missing = [file for file in self.files if not os.path.lexists(self.dest_path / file.path)]
        with folders.temporary_folder(self.dest_path) as folder:
            blobs = self._fetch(missing, folder)
            for file in sorted(missing, key=lambda file: file.path.split("/")):
                target = self.dest_path / file.path
                self._make_folders(target.parent)
                self.log.warning(_("Replacing missing file '%(file)s'"), {"file": os.path.relpath(target)})
                folders.write_file(target, blobs.place(file.sha256))

    def _make_folders(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folders(folder.parent)
            self.log.warning(_("Creating missing directory '%(folder)s'"), {"folder": os.path.relpath(folder)})
            folder.mkdir()

    def _fetch(self, files: list[File], folder: Path) -> Blobs:
        blobs = Blobs(self.client, folder, self.log)
        blobs.fetch(files, _("Fetching"))
        return blobs
