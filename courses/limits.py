"""How much the members of a course may store and submit: the site's settings, or what was set for the course."""

from dataclasses import dataclass

from django.conf import settings

from courses.models import Course


@dataclass(frozen=True)
class Limits:
    submissions_per_hour: int  # of one member; 0 for no limit
    course_bytes: int
    person_bytes: int  # of one member

    @classmethod
    def of(cls, course: Course) -> "Limits":
        rate, total, person = course.max_submissions_per_hour, course.max_bytes, course.max_person_bytes
        return cls(
            submissions_per_hour=settings.NGSHARE_MAX_SUBMISSIONS_PER_HOUR if rate is None else rate,
            course_bytes=settings.NGSHARE_MAX_COURSE_BYTES if total is None else total,
            person_bytes=settings.NGSHARE_MAX_PERSON_BYTES if person is None else person,
        )
