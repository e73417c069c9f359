from django.db import migrations, models


class Migration(migrations.Migration):
    """What the local engine saw in a photo; photos that are there were not looked at."""

    dependencies = [
        ("django_faceverify", "0012_figures"),
    ]

    operations = [
        migrations.AddField(
            model_name="photo",
            name="facts",
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name="facts"),
        ),
    ]
