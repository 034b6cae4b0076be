"""What a university consists of. One part, the *probed* one, is of the same size in each; the rest grows.

So a request for the probed course, student or assignment shows what depends on the size of the site.
"""

from dataclasses import dataclass

ADMINISTRATOR = "root"


def homework(count: int) -> tuple[str, ...]:
    return tuple(f"hw{number:02}" for number in range(1, count + 1))


@dataclass(frozen=True)
class CourseShape:
    name: str
    instructor: str
    students: int
    share: float  # of the students who submit to an assignment
    assignments: tuple[str, ...] = homework(10)


# A course of 300, whose instructor has another, small one; and one with an assignment to which 5,000 submitted.
COURSE = CourseShape("MAT 300", "teacher", 300, 1.0)
CROWD = CourseShape("MAT 5000", "professor", 5000, 1.0, ("exam",))
SMALL = tuple(CourseShape(f"MAT 3{number}", "teacher" if number == 1 else "docent", 30, 0.9) for number in (1, 2, 3))
PROBED = (COURSE, CROWD, *SMALL)
STUDENT = "student00000"  # in all five probed courses, with submissions and feedback in each
ASSIGNMENT = "hw05"  # of each of them but CROWD


@dataclass(frozen=True)
class Size:
    """How much there is beside the probed part, in per cent of a university of 500 courses and 20,000 people."""

    percent: int

    @property
    def people(self) -> int:
        return 150 * self.percent  # the probed part has 5,000

    def courses(self) -> list[CourseShape]:
        """Return a few large courses and many small ones."""
        count = max(5, 5 * self.percent - len(PROBED))
        return [self._course(number) for number in range(count)]

    def _course(self, number: int) -> CourseShape:
        students, share = (1000, 0.15) if number % 20 == 0 else (400, 0.15) if number % 3 == 0 else (30, 0.5)
        name = f"{'BIO' if number % 2 else 'PHY'} {number:03}"
        return CourseShape(name, f"lecturer{number // 2:03}", students, share, homework(5))
