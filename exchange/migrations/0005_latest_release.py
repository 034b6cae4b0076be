import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    assignments = apps.get_model("exchange", "Assignment").objects
    newest = apps.get_model("exchange", "Release").objects.filter(assignment=OuterRef("pk")).order_by("-number")
    assignments.update(latest_release=Subquery(newest.values("pk")[:1]))
    # What was found missing before faults were noted; a blob without a fault that is not stored is in no file set.
    blobs = apps.get_model("exchange", "Blob").objects.filter(stored=False, fault="", entries__isnull=False)
    apps.get_model("exchange", "Blob").objects.filter(pk__in=blobs.values("pk")).update(fault="missing")


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0004_blob_verification"),
    ]

    operations = [
        migrations.AddField(
            model_name="assignment",
            name="latest_release",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="latest_of",
                to="exchange.release",
            ),
        ),
        migrations.AlterField(
            model_name="blob",
            name="md5",
            field=models.CharField(
                blank=True,
                default="",
                help_text="the checksum of API v1, computed when it is first asked for",
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="blob",
            name="stored",
            field=models.BooleanField(db_default=False, default=False, help_text="the bytes are in the store", verbose_name="stored"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
