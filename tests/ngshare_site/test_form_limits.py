"""Forms of many files."""

from django.core.files.uploadedfile import SimpleUploadedFile

from courses.models import Membership
from tests.cast import COURSE


def test_form_of_many_files_is_refused_before_they_fill_the_process(assignment, browse):
    members = Membership.objects.count()
    course = assignment.course.pk
    address = f"/admin/courses/course/{course}/import/"
    browser = browse("root")
    few, many = ({"file": [SimpleUploadedFile(f"{n}", b"x") for n in range(count)]} for count in (100, 101))
    assert browser.post(address, many).status_code == 400
    assert browser.post(address, few).status_code == 200 and Membership.objects.count() == members, COURSE
