from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_faceverify", "0017_histograms"),
    ]

    operations = [
        migrations.AddField(
            model_name="review",
            name="is_ahead",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="kept as the next one"
            ),
        ),
    ]
