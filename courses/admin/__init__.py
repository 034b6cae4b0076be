"""Which page of the admin shows what. The pages are in courses/pages/."""

from django.contrib import admin
from django.contrib.auth.models import Group

from courses.admin.courses import CourseAdmin
from courses.admin.members import MembershipAdmin
from courses.admin.people import AuditAdmin, PersonAdmin
from courses.models import AuditEntry, Course, Membership, User

admin.site.unregister(Group)  # rights come from the roster alone
admin.site.disable_action("delete_selected")

admin.site.register(Course, CourseAdmin)
admin.site.register(Membership, MembershipAdmin)
admin.site.register(User, PersonAdmin)
admin.site.register(AuditEntry, AuditAdmin)
