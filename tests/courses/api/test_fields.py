"""Lists in bodies: the length first, then up to the first bad item."""

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from courses.api.fields import BoundedListField


class Counting(serializers.IntegerField):
    """Counts how many items are validated."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def run_validation(self, data):
        self.seen += 1
        return super().run_validation(data)


@pytest.fixture
def numbers():
    return BoundedListField(child=Counting(), max_length=3)


def test_list_that_is_too_long_is_refused_before_any_item_is_looked_at(numbers):
    with pytest.raises(ValidationError, match="no more than 3 elements"):
        numbers.run_validation(["x"] * 4)
    assert numbers.child.seen == 0


def test_first_bad_item_ends_it(numbers):
    with pytest.raises(ValidationError) as caught:
        numbers.run_validation([1, "x", "y"])
    assert list(caught.value.detail) == ["1"]
    assert numbers.child.seen == 2


def test_good_list_comes_through(numbers):
    assert numbers.run_validation([1, 2, 3]) == [1, 2, 3]
