"""People at their own computers, using nbgrader's exchange classes as nbgrader makes them."""

import json
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import requests
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from traitlets.config import Config

import nbgrader_plugin
from nbgrader_plugin import configure


def notebook(text="1 + 1"):
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def write(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def tree(folder):
    """What is in a folder: {path: bytes}, with an empty folder as None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    }


@dataclass
class Outcome:
    """The outcome of a command: its result, and every line of its log at INFO or above."""

    result: object = None
    error: str = ""
    records: list = field(default_factory=list)

    def lines(self, level=None):
        return [text for name, text in self.records if level in (None, name)]

    @property
    def info(self):
        return self.lines("INFO")

    @property
    def warnings(self):
        return self.lines("WARNING")


class LogCollector(logging.Handler):
    def __init__(self, outcome, level):
        super().__init__(level)
        self.outcome = outcome

    def emit(self, record):
        self.outcome.records.append((record.levelname, record.getMessage()))


@contextmanager
def collect_log(log, outcome, level=logging.INFO):
    collector, before = LogCollector(outcome, level), log.level
    log.addHandler(collector)
    log.setLevel(level)
    try:
        yield
    finally:
        log.removeHandler(collector)
        log.setLevel(before)


class Person:
    """Someone with a home directory, where assignments are, and a course directory."""

    def __init__(self, username, home, course, url, monkeypatch):
        self.username, self.home, self.course, self.url = username, home, course, url
        self.monkeypatch = monkeypatch
        home.mkdir(parents=True, exist_ok=True)
        self.settings = Config()
        self.coursedir_traits = {}

    def config(self):
        config = Config()
        configure(config, url=self.url)
        config.CourseDirectory.root = str(self.home / "course")
        config.CourseDirectory.course_id = self.course
        config.Exchange.cache = str(self.home / "cache")
        config.NgshareClient.list_timeout = 120.0  # a busy machine may need more than people are asked to wait
        config.merge(self.settings)
        return config

    @property
    def cache(self):
        return self.home / "cache"

    @property
    def root(self):
        return self.home / "course"

    def sits_down(self):
        self.monkeypatch.setenv("JUPYTERHUB_API_TOKEN", quote(self.username))
        self.monkeypatch.chdir(self.home)

    def plugin(self, kind, assignment="", *, authenticator=True, coursedir=None, **traits):
        config = self.config()
        directory = CourseDirectory(config=config)
        directory.assignment_id = assignment
        for name, value in (coursedir or {}).items():
            setattr(directory, name, value)
        known = Authenticator(config=config) if authenticator else None
        return getattr(nbgrader_plugin, kind)(coursedir=directory, authenticator=known, config=config, **traits)

    def run(self, kind, assignment="", *, level=logging.INFO, **options):
        """Return the outcome. An ExchangeError is in `error`; anything else is a fault of the plugin."""
        self.sits_down()
        plugin, outcome = self.plugin(kind, assignment, **options), Outcome()
        with collect_log(plugin.log, outcome, level):
            try:
                outcome.result = plugin.start()
            except ExchangeError as error:
                outcome.error = str(error)
                assert outcome.error, "an ExchangeError needs a sentence"
        return outcome

    def does(self, kind, assignment="", **options):
        outcome = self.run(kind, assignment, **options)
        assert not outcome.error, outcome.error
        return outcome

    def fails(self, kind, assignment="", **options):
        outcome = self.run(kind, assignment, **options)
        assert outcome.error, "it was to fail"
        return outcome

    def releases(self, assignment="ps1", files=None, **options):
        write(self.root / "release" / assignment, files or {"p1.ipynb": notebook(), "data/points.csv": "1,2\n"})
        return self.does("ExchangeReleaseAssignment", assignment, **options)

    def submits(self, assignment="ps1", files=None, **options):
        """Submit these files, or a folder that exists."""
        if files is not None or not (self.home / assignment).is_dir():
            write(self.home / assignment, files or {"p1.ipynb": notebook("2 + 2")})
        return self.does("ExchangeSubmit", assignment, **options)

    def gives_feedback(self, student, timestamp, assignment="ps1", pages=None):
        """Put what generate_feedback would have made into the course directory."""
        folder = self.root / "feedback" / student / assignment
        return write(folder, {**(pages or {"p1.html": "<p>well done"}), "timestamp.txt": timestamp})

    def api(self, method, path, **request):
        headers = {"Authorization": f"token {quote(self.username)}"}
        answer = requests.request(method, f"{self.url}/api/v2/{path}", headers=headers, timeout=300, **request)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def submissions(self, **params):
        """What the server has of this course, as this person sees it, oldest first."""
        rows = self.api("GET", "submissions/", params={"course": self.course, **params})["results"]
        return sorted(rows, key=lambda row: row["timestamp"])
