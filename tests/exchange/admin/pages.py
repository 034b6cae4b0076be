"""Every address of the admin, read from its own map: a page that is added is in the tests at once."""

import re

from django.contrib import admin
from django.urls import URLResolver, reverse

from courses.models import AuditEntry, Course, Membership, User
from exchange.models import Assignment, Blob, Feedback, FileSet, MaintenanceRun, Release, Submission
from exchange.notices.models import Delivery, Webhook

RIGHTS_BY_COURSE = [Course, Membership, Assignment, Release, Submission, Feedback]
FOR_ADMINISTRATORS = [User, AuditEntry, FileSet, Blob, MaintenanceRun, Webhook, Delivery]
CHANGED_ON_PAGES = [Course, Membership, Assignment, Webhook]
DELETED_ON_PAGES = [Membership, Webhook]
# The parameters that a list takes besides those of all lists.
PARAMETERS = {
    Course: {"trash"},
    Membership: {"course", "section", "role__exact"},
    Assignment: {"course", "state"},
    Release: {"course", "created"},
    Submission: {"course", "assignment", "state", "created"},
    Feedback: {"course", "created"},
}
# Pages of the site itself, without rows; what they say is tested by name.
SITE = {
    "",
    "overview/",
    "login/",
    "logout/",
    "password_change/",
    "password_change/done/",
    "autocomplete/",
    "jsi18n/",
    "r/<path:content_type_id>/<path:object_id>/",
    r"^(?P<app_label>courses|exchange|notices)/$",
    "(?P<url>.*)$",
}
NOT_OF_THEIR_MODEL = {
    "exchange/assignment/status/<int:pk>/": Course,
    "exchange/assignment/status/<int:pk>/status.csv": Course,
}
ACTS = ("rename", "merge", "deactivate", "activate", "anonymise")


def patterns(found=None, before=""):
    for one in admin.site.urls[0] if found is None else found:
        whole = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, whole)
        else:
            yield whole


def model_of(pattern):
    """Whose page it is; None for the site's own."""
    if pattern in SITE:
        return None
    if pattern in NOT_OF_THEIR_MODEL:
        return NOT_OF_THEIR_MODEL[pattern]
    label, name = pattern.split("/")[:2]
    return next(
        model for model in admin.site._registry if (model._meta.app_label, model._meta.model_name) == (label, name)
    )


def is_of_a_row(pattern):
    return "<" in pattern and pattern not in SITE


def addresses(rows):
    """{pattern: its addresses} for the pages of these rows, {model: row}."""
    return {
        pattern: list(_filled(pattern, rows[model_of(pattern)]))
        for pattern in patterns()
        if is_of_a_row(pattern) and model_of(pattern) in rows
    }


def _filled(pattern, row):
    known = {"<int:pk>": [row.pk], "<path:object_id>": [row.pk], "<slug:act>": ACTS}
    if "<path:path>" in pattern:
        file_set = getattr(row, "file_set", row)
        known["<path:path>"] = [file_set.entries.first().path]
    made = [pattern]
    for gap in re.findall("<[^>]*>", pattern):
        made = [one.replace(gap, str(value), 1) for one in made for value in known[gap]]
    return (f"/admin/{one}" for one in made)


def status_without_staff(who, method):
    """The status for somebody who is no staff: to the log-in; but a form of nobody is not sent on to the Hub."""
    return 403 if method == "post" and not who else 302


def status_without_row(pattern, method, *, changes=CHANGED_ON_PAGES, deletes=DELETED_ON_PAGES):
    """The status for staff of a page whose row they do not see.

    Our own pages have no such page. Django's lead to the front page, after they refused what the person could do to no
    row at all.
    """
    model = model_of(pattern)
    if "<path:object_id>" not in pattern or pattern.endswith("history/"):
        return 404
    if pattern.endswith("delete/"):
        return 302 if model in deletes else 403
    if pattern.endswith("change/") and method == "post":
        return 302 if model in changes else 403
    return 302


def listing(model, act="changelist"):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{act}")


def actions(model):
    return [one if isinstance(one, str) else one.__name__ for one in admin.site._registry[model].actions or ()]
