"""How far away an instant is, in words."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.templatetags.times import relative


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(seconds=-20), "now"),
        (timedelta(minutes=5, seconds=30), "in 5 minutes"),
        (timedelta(hours=3, minutes=59), "in 3 hours"),
        (timedelta(days=2, hours=5), "in 2 days"),
        (timedelta(hours=-1, seconds=-30), "1 hour ago"),
        (timedelta(days=-10), "1 week ago"),
    ],
)
def test_distance_is_in_the_largest_unit(distance, text):
    assert relative(timezone.now() + distance) == text


def test_no_instant_is_no_text():
    assert relative(None) == ""
