"""The authentication backend: it answers Django's permission checks from the roster."""

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from courses import permissions
from courses.models import User


class RosterBackend(BaseBackend):
    """Administrators have every permission. Each ModelAdmin asks permissions.py about single rows."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:
        return None  # JupyterHub decides who someone is

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: object = None) -> bool:
        return permissions.is_administrator(user_obj)

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        return permissions.Actor.of(user_obj).is_staff
