import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0006_blob_upload"),
    ]

    operations = [
        migrations.AlterField(
            model_name="feedback",
            name="submission",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="feedbacks",
                to="exchange.submission",
                verbose_name="submission",
            ),
        ),
        migrations.AddIndex(
            model_name="feedback",
            index=models.Index(fields=["submission", "-id"], name="newest_feedback_of_submission"),
        ),
    ]
