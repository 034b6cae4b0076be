"""Every entry of the audit log names its course, object and actor by id, too: existing ones where that can be known."""

from datetime import timedelta

from django.db import migrations, models

CLOCKS = timedelta(milliseconds=1)  # SQLite's own clock, which dated the entries, has no more digits
OF_COURSES = {"create course", "trash course", "restore course", "change roster", "change roles", "remove members"}
OF_MEMBERS = {"add member", "change member", "remove member"}
OF_PEOPLE = {"rename user", "merge users", "activate user", "deactivate user", "anonymise user"}
OF_ASSIGNMENTS = {
    "release",
    "unrelease",
    "restore assignment",
    "set due date",
    "collect",
    "withdraw submission",
    "restore submission",
    "return feedback",
    "import assignment",
    "import release",
}
OF_SUBMISSIONS = {"submit", "import submission", "import feedback"}
DELETED = {
    "delete course permanently": "course",
    "delete assignment permanently": "assignment",
    "delete submission permanently": "submission",
}


def fill(apps, schema_editor):
    """A name says which object an entry is about only if one object alone had it at that time."""
    users = _by_name(apps.get_model("courses", "User"), "username")
    courses = _by_name(apps.get_model("courses", "Course"), "name")
    assignments = _by_name(apps.get_model("exchange", "Assignment"), "course_id", "name")
    entries = apps.get_model("courses", "AuditEntry").objects
    changed = []
    for entry in entries.order_by("pk").iterator(1000):
        entry.actor_id = _find(users, entry, entry.actor)
        entry.course_id = _find(courses, entry, entry.course)
        entry.object_type, entry.object_id = _object_of(entry, users, assignments)
        if entry.action == "delete course permanently":
            entry.course_id = entry.object_id
        changed.append(entry)
        if len(changed) == 500:
            entries.bulk_update(changed, ["actor_id", "course_id", "object_type", "object_id"])
            changed.clear()
    entries.bulk_update(changed, ["actor_id", "course_id", "object_type", "object_id"])


def _by_name(model, *columns):
    """{name: [(created, id)]}"""
    found = {}
    for pk, created, *name in model.objects.values_list("pk", "created", *columns):
        found.setdefault(tuple(name), []).append((created, pk))
    return found


def _find(objects, entry, *name):
    candidates = [pk for created, pk in objects.get(name, ()) if created <= entry.at + CLOCKS]
    return candidates[0] if len(candidates) == 1 else None


def _object_of(entry, users, assignments):
    if entry.action in DELETED:
        return DELETED[entry.action], entry.details.get("pk")
    if entry.action in OF_COURSES:
        return "course", entry.course_id
    if entry.action in OF_MEMBERS | OF_PEOPLE:
        return "user", _find(users, entry, entry.target)
    if entry.action in OF_ASSIGNMENTS:
        return "assignment", _find(assignments, entry, entry.course_id, entry.target)
    if entry.action in OF_SUBMISSIONS:
        return "submission", entry.details.get("submission")
    return "", None


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial"), ("exchange", "0001_initial")]  # which has the assignments

    operations = [
        migrations.AddField("AuditEntry", "actor_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("AuditEntry", "course_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField(
            "AuditEntry",
            "object_type",
            models.CharField(blank=True, default="", max_length=50, help_text="the name of the object's model"),
            preserve_default=False,
        ),
        migrations.AddField(
            "AuditEntry",
            "object_id",
            models.BigIntegerField(blank=True, null=True, help_text="empty where it is about many objects"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("AuditEntry", "actor_id", models.BigIntegerField(blank=True, db_index=True, null=True)),
        migrations.AlterField("AuditEntry", "course_id", models.BigIntegerField(blank=True, db_index=True, null=True)),
        migrations.AddIndex(
            "AuditEntry",
            models.Index(fields=["object_type", "object_id"], name="courses_aud_object__33089e_idx"),
        ),
    ]
