from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_faceverify", "0014_review_queue"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="verificationattempt",
            index=models.Index(fields=["role", "-started_at"], name="faceverify_attempt_by_role"),
        ),
        migrations.AddIndex(
            model_name="verificationattempt",
            index=models.Index(fields=["provider_session_id"], name="faceverify_provider_session"),
        ),
    ]
