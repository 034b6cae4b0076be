"""Tables of the progress of a course: which rows and in which order, as CSV, and as text.

The pages of the portal and the admin, the API and the commands read the same filter and render the same columns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, OrderBy, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from courses.models import Course
from exchange import progress, states
from exchange.models import Assignment
from exchange.progress import AssignmentCounts, AssignmentProgress, MemberProgress, Members
from exchange.states import State

SHOWN = {
    "all": _("everyone"),
    "missing": State.NOT_SUBMITTED.label,
    "late": _("late"),
    "uncollected": _("not collected"),
    "waiting": _("without feedback"),
    **{state.value: state.label for state in State if state is not State.NOT_SUBMITTED},
}
SORTS = {"name": _("user name"), "time": _("last submission"), "attempts": _("attempts"), "section": _("section")}
PEOPLE_AT_ONCE = 5000  # a query takes so many parameters and no more
COLUMNS = ("state", "late", "minutes_late", "attempts", "last", "due", "extension")
TRUE = ("true", "1", "on")


def condition_of(show: str) -> Q:
    """Return the condition for the latest submissions, which have their `state`, of those that `show` names."""
    has_feedback, is_collected = states.HAS_FEEDBACK, states.IS_COLLECTED
    conditions = {  # those that need not look at earlier attempts, but for late ones
        "late": states.IS_LATE,
        "uncollected": ~is_collected & ~has_feedback,
        "waiting": ~has_feedback,
        State.COLLECTED.value: is_collected & ~has_feedback,
        State.FEEDBACK_RETURNED.value: has_feedback,
    }
    return conditions.get(show, Q(state=show))


@dataclass(frozen=True)
class TableFilter:
    """Which members are shown, and in which order, as the query string of a page or of the API says.

    A member is shown if what `show` names is true of any of the assignments. `trials` lets those of staff count.
    """

    q: str = ""
    section: str = ""
    show: str = "all"
    sort: str = "name"
    trials: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "TableFilter":
        """Read a query string; what it does not say right is left out."""
        show, sort = query.get("show", ""), query.get("sort", "")
        return cls(
            query.get("q", "").strip(),
            query.get("section", ""),
            show if show in SHOWN else "all",
            sort if sort in SORTS else "name",
            query.get("trials", "").lower() in TRUE,
        )

    @property
    def shows(self) -> list[tuple[str, str]]:
        return [(show, str(label)) for show, label in SHOWN.items()]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return [(sort, str(label)) for sort, label in SORTS.items()]

    def find(self, course: Course, assignments: Sequence[Assignment]) -> Members:
        """Return the members of this name and section by user name, however far they are."""
        members = progress.course_members(course, assignments, trials=self.trials)
        if self.q:
            members = progress.find_by_name(members, self.q)
        return members.filter(member__section=self.section) if self.section else members

    def count(self, course: Course, assignments: Sequence[Assignment]) -> dict[int, AssignmentCounts]:
        """Return the counts of each assignment by its id, of the members of this name and section."""
        members = self.find(course, assignments) if self.q or self.section else None
        return progress.count_by_assignment(assignments, members=members, trials=self.trials)

    def apply(self, course: Course, assignments: Sequence[Assignment]) -> Members:
        """Return the members that are shown, in order. Where the keys of a sort are equal, they go by user name."""
        return self._sort(self._choose(self.find(course, assignments), assignments), assignments)

    def page(
        self, course: Course, assignments: Sequence[Assignment], number: int | str | None, size: int
    ) -> tuple[Page, list[MemberProgress]]:
        """Return a page of the members that are shown, by their primary keys, and the progress of these."""
        people = self.apply(course, assignments).values_list("pk", flat=True)
        page = Paginator(people, size).get_page(number)
        return page, progress.course_progress(course, assignments, people=list(page), trials=self.trials)

    def read(self, course: Course, assignments: Sequence[Assignment]) -> Iterator[MemberProgress]:
        """Yield the progress of all members that are shown, some thousands at a time."""
        people = self.apply(course, assignments).values_list("pk", flat=True)
        for page in Paginator(people, PEOPLE_AT_ONCE):
            yield from progress.course_progress(course, assignments, people=list(page), trials=self.trials)

    def _choose(self, members: Members, assignments: Sequence[Assignment]) -> Members:
        if self.show == "all":
            return members
        latest = states.latest_submissions(assignments, trials=self.trials).order_by()
        if self.show == "missing":
            complete = latest.values("student").annotate(count=Count("pk")).filter(count__gte=len(assignments))
            return members.exclude(pk__in=complete.values("student")) if assignments else members.none()
        chosen = states.with_state(latest).filter(condition_of(self.show))
        return members.filter(pk__in=chosen.values("student"))

    def _sort(self, members: Members, assignments: Sequence[Assignment]) -> Members:
        if self.sort == "section":
            return members.order_by(Coalesce("member__section", Value("")), "username")
        if self.sort == "name":
            return members
        by_time = self.sort == "time"
        rows = states.latest_submissions if by_time else states.counted_submissions
        own = rows(assignments, trials=self.trials).filter(student=OuterRef("pk")).order_by().values("student")
        key = Subquery(own.annotate(key=Max(states.COUNTED_AT) if by_time else Count("pk")).values("key"))
        return members.order_by(OrderBy(key, descending=True, nulls_last=True), "username")


def csv_rows(
    members: Iterable[MemberProgress], assignments: Sequence[Assignment], *, named: bool = True
) -> Iterator[list[object]]:
    """Yield rows for a spreadsheet: a header, then one for each member, with the same columns for each assignment.

    Programs read them: they are in English for everybody. The columns of a table of one assignment need not be
    `named` after it.
    """
    headings = [f"{each.name}: {column}" if named else column for each in assignments for column in COLUMNS]
    yield ["username", "first_name", "last_name", "section", "standing", "late_days_used", *headings]
    for member in members:
        with translation.override("en"):
            row = _csv_row(member, assignments)
        yield row


def _csv_row(member: MemberProgress, assignments: Sequence[Assignment]) -> list[object]:
    cells: list[object] = [member.username, member.first_name, member.last_name, member.section, member.standing]
    cells.append(member.late_days_used)
    for assignment in assignments:
        cells += _cells(member.work[assignment.pk])
    return cells


def _cells(work: AssignmentProgress) -> list[object]:
    late, minutes = (bool(work.late), work.minutes_late) if work.last else (None, None)
    return [str(work.state.label), late, minutes, work.attempts, work.last, work.deadline.due, work.extension]


def text_lines(
    members: Iterable[MemberProgress],
    assignments: Sequence[Assignment],
    sentences: Sequence[str],
    *,
    late_days: int | None = None,
) -> Iterator[str]:
    """Yield a table for a terminal: a line for each member, a column for each assignment, times in UTC.

    Below each column is the sentence of its assignment. A column has the late days used, where there is a budget.
    """
    budget = [] if late_days is None else ["late days"]
    rows = [["username", "name", "section", *budget, *(assignment.name for assignment in assignments)]]
    for member in members:
        name = f"{member.full_name} ({member.standing})".strip() if member.standing else member.full_name
        used = [f"{member.late_days_used} of {late_days}"] * len(budget)
        cells = [_line(member.work[each.pk]) for each in assignments]
        rows.append([member.username, name, member.section, *used, *cells])
    rows.append(["submitted", "", "", *[""] * len(budget), *sentences])
    # Control characters in a name must not reach a terminal, which would act on them.
    rows = [["".join(char if char.isprintable() else "?" for char in cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _line(work: AssignmentProgress) -> str:
    words = f"{work.last:%Y-%m-%d %H:%M}, {work.words}" if work.last else "-"
    return f"{words} (due {work.deadline.due:%Y-%m-%d %H:%M}, {work.extension})" if work.extension else words
