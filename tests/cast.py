"""The cast and their props: alice teaches, bob and dave take NBG 101, gina grades it, carol teaches elsewhere, erin is
on no roster, root administers. Trees and bundles as clients make them."""

import hashlib
import io
import json
import tarfile
from urllib.parse import quote

from django.apps import apps
from rest_framework.test import APIClient

from courses.models import Course, Membership, Role, User
from courses.permissions import Actor
from exchange import services
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry

COURSE = "NBG 101"
ELSEWHERE = "Elsewhere"
PS1 = {"ps1.ipynb": b'{"cells": []}', "data/numbers.csv": b"1,2,3\n"}  # what alice releases
WORK = {"ps1.ipynb": b'{"cells": ["42"]}', "data/numbers.csv": b"1,2,3\n"}  # what bob submits
# Who calls an address, in the order of the tables of permissions.
CALLERS = {
    "nobody": None,
    "outsider": "erin",
    "student": "bob",
    "other_student": "dave",
    "grader": "gina",
    "instructor": "alice",
    "other_instructor": "carol",
    "administrator": "root",
}
ROLES = {"alice": Role.INSTRUCTOR, "gina": Role.GRADER, "bob": Role.STUDENT, "dave": Role.STUDENT}

PLANS = {"plans/my plan.txt": b"the plan that zoe has", "plans/日本.md": "naïve".encode()}  # what zoe submits elsewhere


def enrol(course, username, role, **names):
    user, _ = User.objects.get_or_create(username=username)
    return Membership.objects.create(course=course, user=user, role=role, **names)


def make_courses():
    course = Course.objects.create(name=COURSE)
    for username, role in ROLES.items():
        enrol(course, username, role)
    elsewhere = Course.objects.create(name=ELSEWHERE)
    enrol(elsewhere, "carol", Role.INSTRUCTOR)
    for username in ("erin", "root"):
        User.objects.create(username=username)
    return course


def person(username):
    return User.objects.get(username=username)


def actor(username):
    return Actor.of(person(username))


def client(username=None):
    """A client that sends this user's token (stand-alone mode); nobody's without a name."""
    made = APIClient()
    if username:
        made.credentials(HTTP_AUTHORIZATION=f"token {quote(username)}")
    return made


def json_of(value):
    return json.dumps(value).encode()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def manifest(files):
    """[{"path", "sha256", "size"}] of {path: bytes}, sorted by path."""
    return [{"path": path, "sha256": sha256(files[path]), "size": len(files[path])} for path in sorted(files)]


def tar(members):
    """A plain tar of [(name, bytes)]."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return out.getvalue()


def bundle(files, leave_out=(), **more):
    """A bundle of {path: bytes}; the blobs of the paths in `leave_out` are not sent."""
    sent = {sha256(content): content for path, content in files.items() if path not in leave_out}
    return tar([("manifest.json", json.dumps({"files": manifest(files), **more}).encode()), *sorted(sent.items())])


def upload(files):
    """These files as the upload that service functions take."""
    lines = [ManifestEntry(one["path"], one["sha256"], one["size"]) for one in manifest(files)]
    return Upload([lines], ((sha256(content), io.BytesIO(content)) for content in {*files.values()}))


def submit(assignment, username, key=None, **texts):
    """Someone's submission of ps1.ipynb and of {name: bytes} as text files."""
    files = {"ps1.ipynb": b'{"cells": ["42"]}', **{f"{name}.txt": text for name, text in texts.items()}}
    return services.submit(assignment, upload(files), by=actor(username), key=key)[0]


def return_feedback(submission, username, page=b"<b>well done</b>"):
    """Someone's feedback on a submission."""
    files = {"ps1.html": page}
    item = services.FeedbackItem(upload(files).manifests[0], submission=submission.pk)
    ((given,), _) = services.return_feedback(submission.assignment, [item], upload(files), by=actor(username))
    return given


def v2(*parts):
    return "/api/v2/" + "".join(f"{quote(str(part), safe='')}/" for part in parts)


def of_assignment(*parts, course=COURSE, assignment="ps1"):
    return v2("courses", course, "assignments", assignment, *parts)


def post_bundle(who, address, body, **headers):
    return who.post(address, body, content_type="application/x-tar", headers=headers)


def everything():
    """Every row there is, except of sessions, and of users' first contact and what they looked at: to show that nothing
    was written. Checksums are left out: API v1 has them computed when somebody looks.
    """
    models = [model for app in ("courses", "exchange", "notices") for model in apps.get_app_config(app).get_models()]
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models if model is not User}
    rows["Blob"] = [{**blob, "md5": None} for blob in rows["Blob"]]
    entries = rows["AuditEntry"]
    rows["AuditEntry"] = [entry for entry in entries if not entry["action"].startswith(("first contact", "download"))]
    return rows
