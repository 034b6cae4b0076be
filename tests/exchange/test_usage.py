"""What takes the most room."""

from exchange import usage


def test_largest_come_first(two_courses, django_assert_num_queries):
    with django_assert_num_queries(2):
        courses, people = list(usage.largest_courses(5)), list(usage.largest_people(5))
    assert [course.submissions_made for course in courses] == [1, 1]
    assert [course.stored_bytes for course in courses] == sorted((c.stored_bytes for c in courses), reverse=True)
    assert {person.username for person in people} == {"bob", "zoe"}
    assert people[0].brought >= people[1].brought > 0
