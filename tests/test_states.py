"""One truth about work: whatever happens to a student's work, every place that shows it says the same, and it is right.

Every sequence of steps is tried, once for each state that it leads to; each student of the course went through one.
What is right says `Student`, as slowly and plainly as possible.
"""

import csv
import io
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import count

import pytest
from django.core.management import call_command
from django.db import connection

from courses import services as course_services
from courses.models import Membership
from courses.permissions import SERVER
from courses.services import RosterEntry
from exchange import services
from exchange.models import Extension, Submission
from exchange.progress_tables import SHOWN
from nbgrader_plugin.cli.course_status import render_status
from tests import cast
from tests.cast import COURSE, actor, person, v2

DUE = datetime(2026, 11, 3, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EXTENDED = DUE + timedelta(days=7)
STEPS = ("submit", "submit late", "submit again late", "collect", "feedback", "withdraw", "extend", "leave", "rejoin")
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Attempt:
    number: int
    late: bool  # for the assignment's own due date
    files: int  # the number of the first attempt with these
    collected: bool = False
    feedback: bool = False
    withdrawn: bool = False


@dataclass(frozen=True)
class Student:
    """What one student's work is after some steps."""

    attempts: tuple[Attempt, ...] = ()
    extended: bool = False
    enrolled: bool = True
    steps: tuple[str, ...] = field(default=(), compare=False)

    def after(self, step):
        """The student after one more step; None if it is impossible or changes nothing."""
        *earlier, last = self.attempts or (None,)
        changed = {
            "submit": self._submit(late=False),
            "submit late": self._submit(late=True),
            "submit again late": self._submit(late=True, again=True),
            "collect": self._change(earlier, last, collected=True),
            "feedback": self._change(earlier, last, feedback=True),
            "withdraw": self._change(earlier, last, withdrawn=True),
            "extend": replace(self, extended=True),
            "leave": replace(self, enrolled=False),
            "rejoin": replace(self, enrolled=True),
        }[step]
        return None if changed in (None, self) else replace(changed, steps=(*self.steps, step))

    def _submit(self, *, late, again=False):
        """`again`: the files of the latest attempt before the due date."""
        number, before = len(self.attempts), [a for a in self.attempts if not a.late]
        if not self.enrolled or number == MOST_ATTEMPTS or (again and not before):
            return None
        if not late and any(a.late for a in self.attempts):
            return None
        return replace(self, attempts=(*self.attempts, Attempt(number, late, before[-1].files if again else number)))

    def _change(self, earlier, last, **change):
        return None if last is None else replace(self, attempts=(*earlier, replace(last, **change)))

    @property
    def shown(self):
        """The attempts that count."""
        return [attempt for attempt in self.attempts if not attempt.withdrawn]

    def is_late(self, attempt):
        return attempt.late and not self.extended

    @property
    def counted(self):
        """The attempt of which tables tell: the latest, or the one in time that has the same files."""
        *_, last = self.shown
        in_time = [attempt for attempt in self.shown if not self.is_late(attempt)]
        return in_time[-1] if in_time and in_time[-1].files == last.files else last

    @property
    def state(self):
        if not self.shown:
            return "not submitted"
        last, counted = self.shown[-1], self.counted
        same = [last] if counted == last else [attempt for attempt in self.shown if attempt.files == last.files]
        for word, attempts in (("{}", same), ("newer than {}", self.shown)):
            if any(attempt.feedback for attempt in attempts):
                return word.format("feedback returned").replace("than feedback returned", "than feedback")
            if any(attempt.collected for attempt in attempts):
                return word.format("collected")
        return "submitted"

    @property
    def late(self):
        return bool(self.shown) and self.is_late(self.counted)

    @property
    def last(self):
        """When the attempt arrived of which tables tell, as `11:02`."""
        return f"{13 if self.counted.late else 11}:{self.counted.number:02}" if self.shown else ""

    @property
    def words(self):
        attempts = f", {len(self.shown)} attempts" if len(self.shown) > 1 else ""
        return f"{self.last} {'late, ' if self.late else ''}{self.state}{attempts}"

    @property
    def is_listed(self):
        return self.enrolled or bool(self.shown)

    @property
    def kind(self):
        """What tells states apart that may be shown in another way: of earlier attempts, whether there is any such."""
        *earlier, last = self.shown or (None,)
        marks = {(a.collected, a.feedback, a.files == last.files) for a in earlier}
        hidden = any(a.withdrawn for a in self.attempts)
        of_last = last and replace(last, number=0, files=0)
        is_counted = last and self.counted == last
        return of_last, is_counted, frozenset(marks), hidden, len(self.shown), self.extended, self.enrolled


def every_student(longest):
    """One student for each kind of state that so many steps lead to, by the shortest way there."""
    found = {Student().kind: Student()}
    level = [Student()]
    for _ in range(longest):
        level = [changed for student in level for step in STEPS if (changed := student.after(step))]
        level = [found.setdefault(each.kind, each) for each in level if each.kind not in found]
    return list(found.values())


@pytest.fixture
def students(assignment, request):
    """{user name: Student}: everybody of the course, after their steps. Their times are set: an hour takes too long."""
    Membership.objects.filter(role="student").delete()
    services.set_due_date(assignment, DUE, by=actor("alice"))
    alice = actor("alice")
    enrolled = {f"s{number:04}": student for number, student in enumerate(every_student(request.param))}
    for name, student in enrolled.items():
        course_services.add_member(assignment.course, RosterEntry(name), by=SERVER)
        own = []
        for step in student.steps:
            if step.startswith("submit"):
                attempt = student.attempts[len(own)]
                made = cast.submit(assignment, name, part=b"%d" % attempt.files)
                made.created = DUE + (1 if attempt.late else -1) * HOUR + attempt.number * MINUTE
                Submission.objects.filter(pk=made.pk).update(created=made.created)
                own.append(made)
            elif step == "collect":
                services.mark_collected(own[-1:], by=alice)
            elif step == "feedback":
                cast.return_feedback(own[-1], "alice")
            elif step == "withdraw":
                services.withdraw_submissions(own[-1:], by=alice)
            elif step == "extend":
                Extension.objects.create(
                    assignment=assignment, user=person(name), due=EXTENDED, reason="illness", created=DUE
                )
            elif step == "leave":
                course_services.remove_member(Membership.objects.get(user__username=name), by=SERVER)
            elif step == "rejoin":
                course_services.add_member(assignment.course, RosterEntry(name), by=SERVER)
    if connection.vendor == "postgresql":  # which does it by itself, but for rows of other transactions alone
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return enrolled


def sentence_about(students):
    enrolled = [student for student in students.values() if student.enrolled]
    left = len([student for student in students.values() if student.shown and not student.enrolled])
    of_left = f"; {left} submissions of people who left" if left > 1 else ""
    return f"{len([each for each in enrolled if each.shown])} of {len(enrolled)} students{of_left}"


# The places. Each is {user name: words}.


def text_of(response):
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8-sig")


def plain(html):
    """The text of HTML, its blanks made one."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def in_words(row, words, attempts):
    """What a place says, with the time of the submission, which is the only one in its row that is not due then."""
    time = re.search(r"(?<!\d)1[13]:\d\d", row)
    return f"{time[0] if time else ''} {words}" + (f", {attempts} attempts" if int(attempts) > 1 else "")


def of_csv(text, prefix=""):
    rows = list(csv.DictReader(io.StringIO(text)))
    return {
        row["username"]: in_words(
            row[f"{prefix}last"],
            ("late, " if row[f"{prefix}late"] == "yes" else "") + row[f"{prefix}state"],
            row[f"{prefix}attempts"],
        )
        for row in rows
    }


def of_text(text):
    """A table for the terminal, with or without a line below its header."""
    lines = [re.split(r"  +", line) for line in text.splitlines()]
    cells = {first: rest[-1] for first, *rest in lines if re.fullmatch(r"s\d+", first)}
    without_due = {name: re.sub(r" \(due [^)]*\)$", "", cell) for name, cell in cells.items()}
    return {
        name: " not submitted" if cell == "-" else f"{cell[11:16]} {cell.partition(', ')[2]}"
        for name, cell in without_due.items()
    }


def pages_of(client, address, **query):
    for number in count(1):
        response = client.get(address, {**query, "page": number})
        yield text_of(response)
        if not response.context["page"].has_next():
            return


def on_portal(client, **query):
    shown = {}
    for page in pages_of(client, f"/view/course/{COURSE}/ps1/", **query):
        for row in re.findall(r'<tr><td class="pick" data-label.*?</tr>', page, re.DOTALL):
            name = re.search(r"\bs\d{4}\b|gina", row)[0]
            tags = re.findall(r'<span class="tag \w+">([^<]*)</span>', row.partition('data-label="State"')[2])
            attempts = re.search(r'data-label="Attempts" class="number">(\d+)', row)[1]
            shown[name] = in_words(row, ", ".join(tag for tag in tags if not tag.startswith("extended")), attempts)
    return shown


def in_admin(client, course, **query):
    shown = {}
    for page in pages_of(client, f"/admin/exchange/assignment/status/{course.pk}/", **query):
        for row in re.findall(r'<tr><th scope="row">.*?</tr>', page, re.DOTALL):
            words = re.search(r'<span class="quiet">([^<]*)(?:<br>[^<]*)*</span></td>', row)[1]
            shown[re.search(r"\bs\d{4}\b|gina", row)[0]] = in_words(row, words, 0)
    return shown


def in_list_of_submissions(client, assignment, **query):
    """What the admin's list says of latest submissions, of who has one."""
    shown = {}
    for number in count(1):
        response = client.get("/admin/exchange/submission/", {"p": number, **query})
        for row in response.context["cl"].result_list:
            state = response.context["cl"].model_admin.state(row)
            if "not the latest" not in state and "in the trash" not in state and "trial" not in state:
                # It is late, but the same work was not.
                shown[row.student.username] = re.sub(r"^late, (.*), same files as in time$", r"\1", state)
        if number == response.context["cl"].paginator.num_pages:
            return shown


def of_answer(status):
    return {
        member["username"]: in_words(
            work["last"] or "", ("late, " if work["late"] else "") + work["state"].replace("_", " "), work["attempts"]
        )
        for member in status["members"]
        for work in member["work"]
    }


def from_api(**query):
    """All pages of the answer of the API."""
    answers, alice = [{"next_page": 1}], cast.client("alice")
    while page := answers[-1]["next_page"]:
        answers.append(alice.get(v2("courses", COURSE, "status"), {**query, "page": page}).json())
    return answers[1:]


def from_command(*arguments):
    out = io.StringIO()
    call_command("course_status", COURSE, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def standalone(settings):
    settings.NGSHARE_STANDALONE = True


@pytest.mark.parametrize("students", [5], indirect=True)
def test_every_table_says_of_everybody_what_is_right(students, assignment, client, standalone):
    client.force_login(person("alice"))
    check_tables(students, assignment, client)
    check_filters(students, assignment, client)
    services.unrelease(assignment, by=actor("alice"))
    check_tables(students, assignment, client)


def check_tables(students, assignment, client):
    listed = {name: student.words for name, student in students.items() if student.is_listed}
    course, pages, table = assignment.course, from_api(), from_command()
    places = {
        "portal": on_portal(client),
        "portal's CSV": of_csv(text_of(client.get(f"/view/course/{COURSE}/ps1/hand-ins.csv"))),
        "admin": in_admin(client, course),
        "admin's CSV": of_csv(
            text_of(client.get(f"/admin/exchange/assignment/status/{course.pk}/status.csv")), "ps1: "
        ),
        "course_status": of_text(table),
        "course_status --csv": of_csv(from_command("--csv"), "ps1: "),
        "API": {name: words for page in pages for name, words in of_answer(page).items()},
        "API without pages": of_answer(cast.client("alice").get(v2("courses", COURSE, "status")).json()),
        "ngshare-course-management status": of_text(render_status(pages)),
    }
    assert len(listed) > 100
    for place, shown in places.items():
        wrong = {
            students[name].steps: (shown.get(name), words) for name, words in listed.items() if shown.get(name) != words
        }
        assert not wrong, place
        assert shown.keys() == listed.keys(), place
    submitted = {
        name: re.sub(r"^[\d:]+ |, \d attempts", "", words) for name, words in listed.items() if words[0] != " "
    }
    assert in_list_of_submissions(client, assignment) == submitted
    told = [
        plain(text_of(client.get("/"))),
        plain(text_of(client.get(f"/view/course/{COURSE}/ps1/"))),
        plain(text_of(client.get(f"/admin/exchange/assignment/status/{course.pk}/"))),
        table,
        render_status(pages),
        pages[0]["assignments"][0]["counts"]["sentence"],
    ]
    assert [sentence_about(students) in text for text in told] == [True] * len(told)


@pytest.mark.parametrize("students", [4], indirect=True)
def test_every_student_finds_all_that_they_submitted(students, assignment, client, standalone):
    check_students(students, client, unreleased=False)
    services.unrelease(assignment, by=actor("alice"))
    check_students(students, client, unreleased=True)


def check_students(students, client, *, unreleased):
    of_each_kind = {
        (each.words, each.extended, each.enrolled, len(each.attempts)): name for name, each in students.items()
    }
    for name, student in ((name, students[name]) for name in of_each_kind.values()):
        client.force_login(person(name))
        home = text_of(client.get("/"))
        listed = home.partition('<section class="course" aria-labelledby="course-')[2]  # after what is due next
        row = re.search(r'<tr><th scope="row" data-label="Assignment">.*?</tr>', listed, re.DOTALL)
        if not student.attempts and not (student.enrolled and not unreleased):
            assert row is None, student.steps
            continue
        if not student.enrolled:  # what is of courses that were left is in the history
            assert row is None, student.steps
            check_history(name, student, text_of(client.get("/view/history/")))
            continue
        tags = re.findall(r'<span class="tag \w+">([^<]*)</span>', row[0].partition('"Your submission"')[2])
        attempts = re.search(r"(\d+) attempts", row[0])
        shown = in_words(row[0], ", ".join(tags), attempts[1] if attempts else 0)
        assert shown == student.words, student.steps
        assert ("extended" in row[0]) is (student.extended and student.enrolled), student.steps
        if not unreleased:
            continue
        link = re.search(r'href="([^"]*)"', row[0])[1]
        check_history(name, student, text_of(client.get(link)))


def check_history(name, student, page):
    """Every attempt is on the page, and no more."""
    found = re.findall(r"/view/submission/(\d+)/", page)
    own = cast.client(name).get(v2("submissions"), {"mine": "true"}).json()["results"]
    assert {int(pk) for pk in found} == {each["id"] for each in own} and len(own) == len(student.attempts), (
        student.steps
    )


def has_state(state):
    return lambda student: student.state == state


def check_filters(students, assignment, client):
    csv_address = f"/admin/exchange/assignment/status/{assignment.course.pk}/status.csv"
    rules = {
        "missing": lambda each: not each.shown,
        "late": lambda each: each.late,
        "uncollected": lambda each: each.state in ("submitted", "newer than collected", "newer than feedback"),
        "waiting": lambda each: each.shown and each.state != "feedback returned",
    }
    for show in set(SHOWN) - {"all"}:
        rule = rules.get(show, has_state(show.replace("_", " ")))
        right = {name for name, student in students.items() if student.is_listed and rule(student)}
        assert right, show
        places = {
            "portal": on_portal(client, show=show),
            "portal's CSV": of_csv(text_of(client.get(f"/view/course/{COURSE}/ps1/hand-ins.csv", {"show": show}))),
            "admin": in_admin(client, assignment.course, show=show),
            "admin's CSV": of_csv(text_of(client.get(csv_address, {"show": show})), "ps1: "),
            "API": {name for page in from_api(show=show) for name in of_answer(page)},
        }
        if show != "missing":
            places["admin's list"] = in_list_of_submissions(client, assignment, state=show)
        assert [place for place, shown in places.items() if set(shown) != right] == [], show
