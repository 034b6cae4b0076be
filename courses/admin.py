"""Which page of the admin shows what. The pages are in courses/pages/."""

from django.contrib import admin
from django.contrib.auth.models import Group

from courses.models import AuditEntry, Course, Membership, User
from courses.pages.courses import CourseAdmin
from courses.pages.members import MembershipAdmin
from courses.pages.people import AuditAdmin, PersonAdmin

admin.site.unregister(Group)  # rights come from the roster alone
admin.site.disable_action("delete_selected")

admin.site.register(Course, CourseAdmin)
admin.site.register(Membership, MembershipAdmin)
admin.site.register(User, PersonAdmin)
admin.site.register(AuditEntry, AuditAdmin)
