"""Fields that the serializers share."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError


class BoundedListField(serializers.ListField):
    """A list that is checked for its length first, and then up to its first bad item.

    ListField itself validates every item before the length, and answers with the errors of all.
    """

    def to_internal_value(self, data: Any) -> list[Any]:
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)

    def run_child_validation(self, data: Sequence[Any]) -> list[Any]:
        items = []
        for position, item in enumerate(data):
            try:
                items.append(self.child.run_validation(item))
            except ValidationError as error:
                raise ValidationError({str(position): error.detail}) from error
        return items
