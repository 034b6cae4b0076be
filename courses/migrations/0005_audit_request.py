"""The id of the request in the audit log, as append-only as the rest of it."""

from django.db import migrations, models

MESSAGE = "The audit log is append-only."
BEFORE = ("id", "at", "actor_id", "role", "action", "course", "course_id", "object_type", "object_id")
KEPT = (*BEFORE, "request_id")


def postgresql(columns):
    """Return the statements that let nobody change these columns when names are replaced."""
    same = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in columns)
    return [
        f"""
        CREATE OR REPLACE FUNCTION courses_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND current_setting('ngshare.replace_names', true) = 'on' THEN
                IF {same} THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';
        END $$
        """
    ]


def sqlite(columns):
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in columns)
    return [
        "DROP TRIGGER courses_auditentry_no_update",
        f"""
        CREATE TRIGGER courses_auditentry_no_update BEFORE UPDATE ON courses_auditentry
        WHEN NOT EXISTS (SELECT 1 FROM courses_auditunlock) OR NOT ({same})
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
        """,
    ]


def protect(schema_editor, columns):
    statements = postgresql if schema_editor.connection.vendor == "postgresql" else sqlite
    for statement in statements(columns):
        schema_editor.execute(statement)


def forwards(apps, schema_editor):
    protect(schema_editor, KEPT)


def backwards(apps, schema_editor):
    protect(schema_editor, BEFORE)


class Migration(migrations.Migration):
    dependencies = [("courses", "0004_quotas")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="request_id",
            field=models.CharField(
                blank=True, help_text="the id in the service's log", max_length=64, null=True, verbose_name="request"
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
