from django.db import migrations, models

import exchange.short_codes

BATCH = 1000  # rows


def give_codes(apps, schema_editor):
    """Give each submission a short code."""
    connection, rows = schema_editor.connection, apps.get_model("exchange", "Submission").objects
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    codes = set()
    while len(codes) < len(pks):
        codes.add(exchange.short_codes.new_code())
    pairs = list(zip(pks, codes, strict=True))
    with connection.cursor() as cursor:
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            values = ", ".join(["(%s, %s)"] * len(batch))
            cursor.execute(
                f"UPDATE exchange_submission SET code = given.column2 FROM (VALUES {values}) AS given "
                "WHERE exchange_submission.id = given.column1",
                [value for pair in batch for value in pair],
            )


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0009_deadlines"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceiptKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key_id",
                    models.CharField(
                        help_text="first digits of the SHA-256 of the public key", max_length=16, unique=True
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="which one of the secret key; none if of another server", null=True
                    ),
                ),
                ("public_key", models.CharField(help_text="32 bytes of Ed25519 as base64url", max_length=43)),
                ("created", models.DateTimeField()),
            ],
            options={
                "verbose_name": "key of receipts",
                "verbose_name_plural": "keys of receipts",
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="submission",
            name="receipt",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="as it was signed, so that it stays the same; empty until somebody asks for it, if it was imported",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="code",
            field=models.CharField(editable=False, max_length=12, null=True, verbose_name="short code"),
        ),
        migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="submission",
            name="code",
            field=models.CharField(
                default=exchange.short_codes.new_code,
                editable=False,
                max_length=12,
                null=True,
                verbose_name="short code",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(fields=("code",), name="short_code_given_once"),
        ),
    ]
