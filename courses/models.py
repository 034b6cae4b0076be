"""Who is in which course, and the audit log.

*User*: a person (or grading account), named as on JupyterHub. *Course*: has a name and members. *Membership*: one
person in one course, with their one role in it. *AuditEntry*: one change.
"""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

models.CharField.register_lookup(Length)


class UserManager(BaseUserManager["User"]):
    pass


class User(AbstractBaseUser):
    """A person, named as on JupyterHub. No permission is stored here: permissions.py reads the roster each time."""

    username = models.CharField(_("user name"), max_length=255, unique=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("A deactivated user is refused everywhere; their submissions are kept.")
    )
    is_hub_admin = models.BooleanField(_("administrator of the Hub"), default=False, editable=False)
    hub_groups = models.JSONField(default=list, editable=False, help_text="the Hub's groups that have been applied")
    created = models.DateTimeField(_("first seen"), db_default=Now(), editable=False)

    password = None  # type: ignore[assignment]  # JupyterHub authenticates users
    USERNAME_FIELD = "username"
    objects: ClassVar = UserManager()

    class Meta:
        ordering: ClassVar = ["username"]
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar = [
            models.CheckConstraint(name="user_has_a_name", condition=Q(username__length__gt=0)),
        ]

    def __str__(self) -> str:
        return self.username

    def has_usable_password(self) -> bool:
        return False

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return any(backend.has_perm(self, perm, obj) for backend in get_backends())

    def has_perms(self, perms: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return any(backend.has_module_perms(self, app_label) for backend in get_backends())  # type: ignore[attr-defined]


class CourseQuerySet(models.QuerySet["Course"]):
    def present(self) -> "CourseQuerySet":
        """Return the courses that are not in the trash."""
        return self.filter(removed_at=None)


class Course(models.Model):
    name = models.CharField(_("name"), max_length=255)
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    removed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True, editable=False)
    # Limits of this course; where one is null, the site's setting holds (limits.py).
    max_bytes = models.BigIntegerField(_("limit of the course"), null=True, blank=True)
    max_person_bytes = models.BigIntegerField(_("limit of one person"), null=True, blank=True)
    max_submissions_per_hour = models.PositiveIntegerField(
        _("submissions of one person per hour"), null=True, blank=True, help_text=_("0 for no limit.")
    )
    # Deadlines; exchange/deadlines.py has the rules.
    timezone = models.CharField(
        _("time zone"), max_length=64, blank=True, default="", db_default="", help_text=_("Empty: the site's.")
    )
    late_days = models.PositiveSmallIntegerField(
        _("late days"),
        null=True,
        blank=True,
        help_text=_("that each student may use in the course; empty for none"),
    )
    min_days = models.PositiveSmallIntegerField(
        _("days for late registrants"),
        null=True,
        blank=True,
        help_text=_("Every assignment stays open to a member for so many days after they joined; empty for no rule."),
    )
    stored_bytes = models.BigIntegerField(
        default=0, editable=False, help_text="bytes that the course brought to the server"
    )
    members: ClassVar[Any] = models.ManyToManyField(User, through="Membership", related_name="courses")

    objects: ClassVar[Any] = CourseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="course_name_taken_once",
                fields=["name"],
                condition=Q(removed_at=None),
                violation_error_message=_("There is a course of this name already."),
            ),
            models.CheckConstraint(
                name="course_name_fits_an_address",
                condition=Q(name__length__gt=0) & ~Q(name__contains="/") & ~Q(name__in=[".", ".."]),
                violation_error_message=_("A course's name is any text without '/'."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which people enter and read the course's times."""
        return ZoneInfo(self.timezone or settings.NGSHARE_TIME_ZONE)

    @property
    def title(self) -> str:
        """The name as lists of courses show it: there may be another course of this name in the trash."""
        return gettext("%(course)s (in the trash)") % {"course": self} if self.removed_at else str(self)


class Role(models.TextChoices):
    INSTRUCTOR = "instructor", pgettext_lazy("role", "Instructor")
    GRADER = "grader", pgettext_lazy("role", "Grader")
    STUDENT = "student", pgettext_lazy("role", "Student")


STAFF_ROLES = (Role.INSTRUCTOR, Role.GRADER)
# As sentences name them. The last two are no roles of a roster: the audit log alone has them (permissions.py).
ROLE_NAMES = [
    (Role.INSTRUCTOR.value, pgettext_lazy("role", "instructor")),
    (Role.GRADER.value, pgettext_lazy("role", "grader")),
    (Role.STUDENT.value, pgettext_lazy("role", "student")),
    ("administrator", pgettext_lazy("role", "administrator")),
    ("server", pgettext_lazy("role", "server")),
]


def role_name(role: str) -> str:
    """Return a role, as it is stored, in the words of a sentence."""
    return str(dict(ROLE_NAMES).get(role, role))


class Membership(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("course"))
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.STUDENT)
    # An empty text means "known to be empty", null "never stated"; API v1 tells the two apart.
    first_name = models.CharField(_("first name"), max_length=255, null=True, blank=True)  # noqa: DJ001
    last_name = models.CharField(_("last name"), max_length=255, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(_("email"), max_length=255, null=True, blank=True)  # noqa: DJ001
    section = models.CharField(_("section"), max_length=255, blank=True, default="")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["course__name", "user__username"]
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_role_in_a_course",
                fields=["course", "user"],
                violation_error_message=_("This person is a member of the course already."),
            ),
            models.CheckConstraint(name="role_is_known", condition=Q(role__in=Role.values)),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "role"])]

    def __str__(self) -> str:
        names = {"user": self.user, "role": self.get_role_display(), "course": self.course}
        return gettext("%(user)s (%(role)s) in %(course)s") % names

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class AuditEntry(models.Model):
    """One change: who, in which role, did what, to which object, when.

    Names are stored as text and ids as plain numbers, so that an entry outlives its objects and nothing that happens to
    them touches it. Triggers of the database refuse to change or delete entries (migration 0003); audit.py has the one
    exception.
    """

    at = models.DateTimeField(_("at"), db_default=Now(), db_index=True)
    actor = models.CharField(max_length=255, db_index=True, help_text=_("user name; empty for a command on the server"))
    actor_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    role = models.CharField(
        _("role"), max_length=20, choices=ROLE_NAMES, blank=True, help_text=_("in that course, at that time")
    )
    action = models.CharField(max_length=50, db_index=True)
    course = models.CharField(_("course"), max_length=255, blank=True, db_index=True)
    course_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    object_type = models.CharField(max_length=50, blank=True, help_text=_("the name of the object's model"))
    object_id = models.BigIntegerField(null=True, blank=True, help_text=_("empty where it is about many objects"))
    target = models.CharField(_("object"), max_length=600, blank=True)
    details = models.JSONField(default=dict, blank=True)
    # Null for commands; a column that may be null is added without building the table anew, which has triggers.
    request_id = models.CharField(  # noqa: DJ001
        _("request"), max_length=64, null=True, blank=True, help_text=_("the id in the service's log")
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        indexes: ClassVar = [models.Index(fields=["object_type", "object_id"])]

    def __str__(self) -> str:
        return f"{self.actor or role_name('server')}: {self.action} {self.target}"

    @property
    def summary(self) -> str:
        """The details as people read them: `created: frank, gina; source: CSV`. What is empty is left out."""
        return "; ".join(f"{name}: {text}" for name, value in self.details.items() if (text := _as_text(value)))


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, inner in value.items() if (text := _as_text(inner)))
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    return "" if value is None else str(value)
