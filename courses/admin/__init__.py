"""The admin of courses, members, people and the audit log."""

from django.contrib import admin
from django.contrib.auth.models import Group

from courses.admin import courses, members, people  # noqa: F401  # they register their pages

admin.site.unregister(Group)  # permissions come from the roster alone
admin.site.disable_action("delete_selected")
