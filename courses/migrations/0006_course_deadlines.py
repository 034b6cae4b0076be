from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0005_audit_request'),
    ]

    operations = [
        migrations.AddField(
            model_name='course',
            name='late_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text='that each student may use in the course; empty for none', null=True, verbose_name='late days'),
        ),
        migrations.AddField(
            model_name='course',
            name='min_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Every assignment stays open to a member for so many days after they joined; empty for no rule.', null=True, verbose_name='days for late registrants'),
        ),
        migrations.AddField(
            model_name='course',
            name='timezone',
            field=models.CharField(blank=True, db_default='', default='', help_text="Empty: the site's.", max_length=64, verbose_name='time zone'),
        ),
    ]
