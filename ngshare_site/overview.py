"""The administrators' overview in the admin: what is stored, whether regular tasks ran, and what is misconfigured."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.checks import WARNING, run_checks
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from courses.sizes import readable_size
from courses.templatetags.times import relative
from exchange import usage
from exchange.maintenance import last_runs
from exchange.models import MaintenanceRun
from exchange.storage import blobs
from ngshare_site import __version__, health

LARGEST = 10  # courses and people that are shown
COUNTS_SECONDS = 60  # for which counts are kept
LONGEST_OVERDUE = 900  # seconds, of a notice
LEAST_FREE = 0.1  # of a disk
# How often a task is to succeed, and what to say otherwise. (The sample alerts have the same ages.)
TASKS = {
    "backup": timedelta(days=2),
    "verify_blobs": timedelta(days=35),
    "sweep_blobs": timedelta(days=15),
}
SHOWN = (
    "NGSHARE_ADMINS",
    "NGSHARE_HUB_ADMINS",
    "NGSHARE_STRICT_SCOPES",
    "NGSHARE_SERVICE_TOKENS",
    "NGSHARE_S3_DIRECT",
    "NGSHARE_GROUPS",
    "NGSHARE_MAX_SUBMISSIONS_PER_HOUR",
    "NGSHARE_MAX_FILES",
    "NGSHARE_MAIL",
    "NGSHARE_WEBHOOK_HOSTS",
    "NGSHARE_SEND_NOTICES",
)
SIZES = (
    "NGSHARE_MAX_FILE_SIZE",
    "NGSHARE_MAX_SUBMISSION_SIZE",
    "NGSHARE_MAX_COURSE_BYTES",
    "NGSHARE_MAX_PERSON_BYTES",
)


@dataclass(frozen=True)
class Count:
    name: str
    value: int
    address: str  # of the list behind it


@dataclass(frozen=True)
class Problem:
    """What an administrator should look at: a sentence in their language, and what is there in English alone."""

    text: str
    english: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.english}".strip()


@dataclass(frozen=True)
class Task:
    name: str
    last: MaintenanceRun | None
    success: MaintenanceRun | None
    address: str


def overview(request: HttpRequest) -> dict[str, Any]:
    """Return what the template shows. The number of queries is constant."""
    tables: Any = cache.get_or_set("overview", _read_tables, COUNTS_SECONDS)
    measured = usage.Usage(**tables["usage"])._replace(blobs_missing=usage.missing_blobs().count())
    disks, tasks = usage.disks(), _tasks()
    return {
        "problems": [*_problems(measured, disks, tasks, timezone.now()), *_check_messages()],
        "counts": _counts(measured),
        "rooms": _rooms(measured, disks),
        "tasks": tasks,
        "courses": tables["courses"],
        "people": tables["people"],
        "counted_at": datetime.fromtimestamp(tables["at"], UTC),
        "settings": _settings(),
        "hub": _(health.hub_state()),
    }


def _read_tables() -> dict[str, Any]:
    """Return what takes reading whole tables, in values for JSON."""
    courses: Any = usage.largest_courses(LARGEST)  # annotated
    people: Any = usage.largest_people(LARGEST)
    return {
        "at": timezone.now().timestamp(),
        "usage": usage.measure()._asdict(),
        "courses": [
            {
                "pk": course.pk,
                "title": course.title,
                "size": course.stored_bytes,
                "submissions": course.submissions_made,
            }
            for course in courses
        ],
        "people": [
            {
                "pk": person.pk,
                "username": person.username,
                "size": person.brought,
                "submissions": person.submissions_made,
            }
            for person in people
        ],
    }


def _tasks() -> list[Task]:
    last, successes = last_runs(), last_runs(succeeded=True)
    runs = reverse("admin:exchange_maintenancerun_changelist")
    return [Task(name, last.get(name), successes.get(name), f"{runs}?task={name}") for name in {**TASKS, **last}]


def _counts(measured: usage.Usage) -> list[Count]:
    def address(model: str, query: str = "") -> str:
        return reverse(f"admin:{model}_changelist") + query

    return [
        Count(_("courses"), measured.courses, address("courses_course")),
        Count(_("people"), measured.people, address("courses_user")),
        Count(_("assignments"), measured.assignments, address("exchange_assignment")),
        Count(_("releases"), measured.releases, address("exchange_release")),
        Count(_("submissions"), measured.submissions, address("exchange_submission")),
        Count(_("feedback"), measured.feedback, address("exchange_feedback")),
        Count(_("blobs in the store"), measured.blobs, address("exchange_blob", "?stored__exact=1")),
        Count(_("missing or damaged blobs"), measured.blobs_missing, address("exchange_blob", "?fault=any")),
    ]


def _rooms(measured: usage.Usage, disks: dict[str, usage.Disk]) -> list[tuple[str, str]]:
    """Return what takes how much room."""
    count, size = usage.uploads_under_way()
    rooms = [
        (_("size of the blobs"), readable_size(measured.blob_bytes)),
        (
            _("uploads in parts under way"),
            _("%(count)d, of up to %(size)s") % {"count": count, "size": readable_size(size)},
        ),
        (_("size of the database"), readable_size(measured.database_bytes)),
    ]
    for disk in disks.values():
        sizes = {"free": readable_size(disk.free), "size": readable_size(disk.size)}
        rooms.append((_("free at %(path)s") % {"path": disk.path}, _("%(free)s of %(size)s") % sizes))
    return rooms


def _problems(measured: usage.Usage, disks: dict[str, usage.Disk], tasks: list[Task], now: datetime) -> list[Problem]:
    problems: list[Problem] = []
    if measured.blobs_missing:
        count = measured.blobs_missing
        lost = ngettext(
            "The store has lost or damaged %(count)d blob. Restore what is lost from a backup.",
            "The store has lost or damaged %(count)d blobs. Restore what is lost from a backup.",
            count,
        )
        problems.append(Problem(lost % {"count": count}))
    problems += [
        Problem(
            _("%(path)s is nearly full: %(free)s of %(size)s are free.")
            % {"path": disk.path, "free": readable_size(disk.free), "size": readable_size(disk.size)}
        )
        for disk in disks.values()
        if disk.free < LEAST_FREE * disk.size
    ]
    for task in tasks:
        longest = TASKS.get(task.name)
        if task.last is not None and not task.last.succeeded:
            problems.append(Problem(_("The last %(task)s failed:") % {"task": task.name}, task.last.result))
        elif longest is not None and task.success is None:
            text = _("%(task)s has never run. Run it regularly, as docs/operating.md describes.")
            problems.append(Problem(text % {"task": task.name}))
        elif longest is not None and task.success is not None and now - task.success.ended > longest:
            text = _("%(task)s has not succeeded for more than %(days)d days.")
            problems.append(Problem(text % {"task": task.name, "days": longest.days}))
    problems += _problems_of_notices(usage.notices())
    is_shared = "redis" in _cache_backend() or blobs.folder() is None
    if connection.vendor == "sqlite" and is_shared:
        text = _("The database is SQLite: only processes of one machine may use it. Several need PostgreSQL.")
        problems.append(Problem(text))
    return problems


def _problems_of_notices(notices: dict[str, float]) -> list[Problem]:
    problems = []
    if notices["given up"]:
        text = _("Notices were given up: %(count)d. The list of deliveries says why.")
        problems.append(Problem(text % {"count": notices["given up"]}))
    if notices["overdue"] > LONGEST_OVERDUE:
        text = _("A notice was due %(time)s: no sender runs. See docs/notices.md.")
        time = relative(timezone.now() - timedelta(seconds=notices["overdue"]))
        problems.append(Problem(text % {"time": time}))
    return problems


def _check_messages() -> list[Problem]:
    """Return what `ngshare check --deploy` warns of. Ours is translated; what Django says, is in English."""
    found = run_checks(include_deployment_checks=True)
    messages = [(str(each.msg), each.id) for each in found if each.level >= WARNING and not each.is_silenced()]
    return [
        Problem("", f"{message} ({code})") if (text := _(message)) == message else Problem(f"{text} ({code})")
        for message, code in messages
    ]


def _settings() -> list[tuple[str, str]]:
    """Return the settings that matter, without secrets."""
    database = settings.DATABASES["default"]
    name = database["NAME"]
    if connection.vendor != "sqlite":
        name = _("%(database)s on %(host)s") % {"database": name, "host": database["HOST"] or _("this machine")}
    store: Any = settings.STORAGES["default"]
    place = blobs.folder() or "bucket {bucket_name}/{location}".format(**store["OPTIONS"])
    found: list[tuple[str, object]] = [
        (_("version"), __version__),
        (_("database"), f"{connection.display_name}, {name}"),
        (_("store"), place),
        (_("cache"), _cache_backend().rpartition(".")[2]),
        ("Hub", _without_user(settings.JUPYTERHUB_API_URL) or _("none: stand-alone")),
        (_("metrics"), _("with a token") if settings.NGSHARE_METRICS_TOKEN else _("for programs on this machine")),
        ("NGSHARE_LOG_FORMAT", settings.NGSHARE_LOG_FORMAT),
    ]
    found += [(setting, getattr(settings, setting)) for setting in SHOWN]
    found += [(setting, readable_size(getattr(settings, setting))) for setting in SIZES]
    return [(setting, _readable(value)) for setting, value in found]


def _cache_backend() -> str:
    return str(settings.CACHES["default"]["BACKEND"])


def _readable(value: object) -> str:
    if isinstance(value, bool):
        return pgettext("a setting", "on") if value else pgettext("a setting", "off")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or pgettext("a setting", "none")
    return str(value)


def _without_user(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
