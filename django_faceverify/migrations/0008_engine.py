from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_faceverify", "0007_webhooks"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="verification",
            name="faceverify_work",
        ),
        migrations.AlterField(
            model_name="verification",
            name="stage",
            field=models.CharField(
                blank=True,
                choices=[
                    ("waiting", "waiting for a worker"),
                    ("calling", "a worker is calling"),
                    ("unknown", "the provider will be asked"),
                ],
                max_length=10,
                null=True,
                verbose_name="stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("stage__isnull", True), models.Q(("status", "processing"), _negated=True)
                    ),
                    models.Q(
                        ("deadline_at__isnull", False),
                        ("next_run_at__isnull", False),
                        ("stage", "waiting"),
                        ("stage__isnull", False),
                        ("status", "processing"),
                    ),
                    models.Q(
                        ("deadline_at__isnull", False),
                        ("lease_until__isnull", False),
                        ("stage", "calling"),
                        ("stage__isnull", False),
                        ("status", "processing"),
                    ),
                    models.Q(
                        ("deadline_at__isnull", False),
                        ("next_run_at__isnull", False),
                        ("stage", "unknown"),
                        ("stage__isnull", False),
                        ("status", "processing"),
                    ),
                    _connector="OR",
                ),
                name="faceverify_work",
            ),
        ),
    ]
