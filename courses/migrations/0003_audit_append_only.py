"""The database itself refuses to change and to delete entries of the audit log.

The exception is courses/audit.py: allow_replacing_names. TRUNCATE is not refused on PostgreSQL: it needs the rights of
the table's owner, who could drop the triggers, too.

On SQLite a later migration that builds the table anew must make the triggers again.
"""

from django.db import migrations

MESSAGE = "The audit log is append-only."
KEPT = ("id", "at", "actor_id", "role", "action", "course", "course_id", "object_type", "object_id")
SAME = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in KEPT)

POSTGRESQL = [
    f"""
    CREATE FUNCTION courses_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND current_setting('ngshare.replace_names', true) = 'on' THEN
            IF {SAME} THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER courses_auditentry_append_only BEFORE UPDATE OR DELETE ON courses_auditentry
    FOR EACH ROW EXECUTE FUNCTION courses_auditentry_refuse()
    """,
]
POSTGRESQL_REVERSE = [
    "DROP TRIGGER courses_auditentry_append_only ON courses_auditentry",
    "DROP FUNCTION courses_auditentry_refuse()",
]
SQLITE = [
    # A row in it cannot be committed: it refers to an entry that does not exist.
    """
    CREATE TABLE courses_auditunlock (
        entry_id bigint NOT NULL REFERENCES courses_auditentry (id) DEFERRABLE INITIALLY DEFERRED CHECK (entry_id < 0)
    )
    """,
    f"""
    CREATE TRIGGER courses_auditentry_no_update BEFORE UPDATE ON courses_auditentry
    WHEN NOT EXISTS (SELECT 1 FROM courses_auditunlock) OR NOT ({SAME.replace("IS NOT DISTINCT FROM", "IS")})
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    # REPLACE deletes without the trigger for that.
    f"""
    CREATE TRIGGER courses_auditentry_no_replace BEFORE INSERT ON courses_auditentry
    WHEN EXISTS (SELECT 1 FROM courses_auditentry WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER courses_auditentry_no_delete BEFORE DELETE ON courses_auditentry
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
]
SQLITE_REVERSE = [
    "DROP TRIGGER courses_auditentry_no_delete",
    "DROP TRIGGER courses_auditentry_no_replace",
    "DROP TRIGGER courses_auditentry_no_update",
    "DROP TABLE courses_auditunlock",
]


def execute(schema_editor, postgresql, sqlite):
    for statement in postgresql if schema_editor.connection.vendor == "postgresql" else sqlite:
        schema_editor.execute(statement)


def protect(apps, schema_editor):
    execute(schema_editor, POSTGRESQL, SQLITE)


def unprotect(apps, schema_editor):
    execute(schema_editor, POSTGRESQL_REVERSE, SQLITE_REVERSE)


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_audit_objects")]

    operations = [migrations.RunPython(protect, unprotect)]
