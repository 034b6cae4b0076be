import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    """Earlier submissions were judged by the due date of their assignment as it is now."""
    due = apps.get_model("exchange", "Assignment").objects.filter(pk=OuterRef("assignment")).values("due")
    apps.get_model("exchange", "Submission").objects.filter(assignment__due__isnull=False).update(due=Subquery(due))


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0006_course_deadlines'),
        ('exchange', '0008_admin_filters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Extension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('section', models.CharField(blank=True, max_length=255, null=True, verbose_name='section')),
                ('due', models.DateTimeField(blank=True, help_text="Empty: the assignment's.", null=True, verbose_name='due date')),
                ('cut_off', models.DateTimeField(blank=True, help_text="Empty: the assignment's, and not before the due date.", null=True, verbose_name='cut-off')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='further attempts')),
                ('reason', models.CharField(blank=True, default='', max_length=500, verbose_name='reason')),
                ('created', models.DateTimeField(editable=False, verbose_name='granted')),
            ],
            options={
                'verbose_name': 'extension',
                'verbose_name_plural': 'extensions',
                'ordering': ['assignment', 'section', 'user'],
            },
        ),
        migrations.CreateModel(
            name='Solution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(verbose_name='added')),
                ('withdrawn_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='withdrawn since')),
                ('new_bytes', models.BigIntegerField(default=0, editable=False, help_text='bytes that it brought to the server')),
            ],
            options={
                'verbose_name': 'solution',
                'verbose_name_plural': 'solutions',
                'ordering': ['assignment', 'id'],
            },
        ),
        migrations.AddField(
            model_name='assignment',
            name='cut_off',
            field=models.DateTimeField(blank=True, help_text='Nothing is accepted after it.', null=True, verbose_name='cut-off'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='max_attempts',
            field=models.PositiveIntegerField(blank=True, help_text='How often a student may submit; empty for no limit.', null=True, verbose_name='attempt limit'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='release_at',
            field=models.DateTimeField(blank=True, help_text='Students see the assignment from then on.', null=True, verbose_name='release time'),
        ),
        migrations.AddField(
            model_name='submission',
            name='due',
            field=models.DateTimeField(editable=False, help_text='the one in force for the student when it arrived', null=True, verbose_name='due date then'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='due',
            field=models.DateTimeField(blank=True, null=True, verbose_name='due date'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('due', None), ('cut_off', None), ('cut_off__gte', models.F('due')), _connector='OR'), name='cut_off_is_not_before_the_due_date', violation_error_message='The cut-off may not be before the due date.'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('release_at', None), models.Q(models.Q(('due', None), ('release_at__lt', models.F('due')), _connector='OR'), models.Q(('cut_off', None), ('release_at__lt', models.F('cut_off')), _connector='OR')), _connector='OR'), name='release_is_before_the_deadlines', violation_error_message='The release time must be before the due date and the cut-off.'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('max_attempts', None), ('max_attempts__gt', 0), _connector='OR'), name='one_attempt_at_least', violation_error_message='The attempt limit is 1 or more.'),
        ),
        migrations.AddField(
            model_name='extension',
            name='assignment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='extensions', to='exchange.assignment'),
        ),
        migrations.AddField(
            model_name='extension',
            name='granted_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='extension',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='extensions', to=settings.AUTH_USER_MODEL, verbose_name='person'),
        ),
        migrations.AddField(
            model_name='solution',
            name='added_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='solution',
            name='assignment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='solutions', to='exchange.assignment'),
        ),
        migrations.AddField(
            model_name='solution',
            name='file_set',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='solutions', to='exchange.fileset'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.UniqueConstraint(fields=('assignment', 'user'), name='one_extension_of_a_person', violation_error_message='This person has an extension of the assignment already.'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.UniqueConstraint(fields=('assignment', 'section'), name='one_extension_of_a_section', violation_error_message='This section has an extension of the assignment already.'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('section', None), ('user__isnull', False)), models.Q(('section__isnull', False), ('user', None), models.Q(('section', ''), _negated=True)), _connector='OR'), name='extension_is_for_a_person_or_a_section', violation_error_message='An extension is for a person or for a section.'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.CheckConstraint(condition=models.Q(('due__isnull', False), ('cut_off__isnull', False), ('attempts__gt', 0), _connector='OR'), name='extension_extends_something', violation_error_message='An extension needs a due date, a cut-off or further attempts.'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.CheckConstraint(condition=models.Q(('due', None), ('cut_off', None), ('cut_off__gte', models.F('due')), _connector='OR'), name='extended_cut_off_is_not_before_the_due_date', violation_error_message='The cut-off may not be before the due date.'),
        ),
        migrations.AddConstraint(
            model_name='solution',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('assignment',), name='one_present_solution'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
