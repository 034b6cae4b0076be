"""The groups of the cast, and the roles that they lead to."""

from courses.models import Membership
from tests.cast import COURSE

TAKES, TEACHES = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"


def roles_of(username):
    memberships = Membership.objects.filter(user__username=username)
    return dict(memberships.values_list("course__name", "role"))
