"""What takes the most room."""

from courses.permissions import SERVER
from exchange import usage
from exchange.models import Blob
from exchange.storage import blobs, verification


def test_largest_come_first(two_courses, django_assert_num_queries):
    with django_assert_num_queries(2):
        courses, people = list(usage.largest_courses(5)), list(usage.largest_people(5))
    assert [course.submissions_made for course in courses] == [1, 1]
    assert [course.stored_bytes for course in courses] == sorted((c.stored_bytes for c in courses), reverse=True)
    assert {person.username for person in people} == {"bob", "zoe"}
    assert people[0].brought >= people[1].brought > 0


def test_damage_that_verification_found_is_counted_before_it_is_marked(submission):
    blob = Blob.objects.first()
    blobs.delete(blob.sha256)
    verification.verify([blob], by=SERVER, mark=False)
    assert list(usage.missing_blobs()) == [blob]
    assert usage.measure().blobs_missing == 1
