"""Filters of lists."""

from courses.api.filters import MemberFilter
from courses.models import Membership


class SectionFilter(MemberFilter):
    search = None


def test_form_class_is_made_once_for_each_filter():
    rows = Membership.objects.none()
    first, second = (MemberFilter({"role": role}, rows) for role in ("student", "grader"))
    assert type(first.form) is type(second.form)
    assert first.form.data != second.form.data
    assert set(SectionFilter({}, rows).form.fields) == {"role", "section"}
