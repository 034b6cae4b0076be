"""An exchange directory as nbgrader itself makes one: its own exchange classes write it."""

import shutil

from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeReleaseAssignment, ExchangeReleaseFeedback, ExchangeSubmit
from traitlets.config import Config


class Folder:
    """`root` is the exchange; teachers and students have folders of their own beside it."""

    def __init__(self, place):
        self.place, self.root = place, place / "exchange"

    def _start(self, kind, home, course, assignment, student="*"):
        config = Config()
        config.Exchange.root, config.Exchange.cache = str(self.root), str(home / "cache")
        config.Exchange.assignment_dir = config.CourseDirectory.root = str(home)
        config.CourseDirectory.course_id, config.CourseDirectory.assignment_id = course, assignment
        config.CourseDirectory.student_id = student
        parts = {"coursedir": CourseDirectory(config=config), "authenticator": Authenticator(config=config)}
        kind(config=config, **parts).start()

    def release(self, course, assignment, tree):
        home = self.place / "teacher" / course
        write(home / "release" / assignment, tree)
        self._start(ExchangeReleaseAssignment, home, course, assignment)

    def submit(self, course, assignment, student, tree):
        """Returns the folder that nbgrader made of it."""
        home, before = self.place / student, set(self._inbound(course))
        write(home / assignment, tree)
        self._start(ExchangeSubmit, home, course, assignment, student)
        (made,) = set(self._inbound(course)) - before
        return made

    def _inbound(self, course):
        return (self.root / course / "inbound").iterdir()

    def give_feedback(self, course, assignment, student, submission, tree):
        """On this submission, as after collect, autograde and generate_feedback."""
        home = self.place / "teacher" / course
        folder = home / "feedback" / student / assignment
        write(folder, tree)
        for name in ("timestamp.txt", "submission_secret.txt"):
            shutil.copy(submission / name, folder)
        self._start(ExchangeReleaseFeedback, home, course, assignment)

    def unrelease(self, course, assignment):
        shutil.rmtree(self.root / course / "outbound" / assignment)


def write(folder, tree):
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
