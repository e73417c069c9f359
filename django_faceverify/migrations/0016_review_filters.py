from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When

#: rows that one statement fills
BATCH = 1000
#: below which similarity a band ends
BANDS = ((60, "0-60"), (70, "60-70"), (80, "70-80"))


def fill(apps: Any, schema_editor: Any) -> None:
    """What waits already learns what its case is, and whose judgement waits for a second one."""
    verification, review, judgement = (
        apps.get_model("django_faceverify", name)
        for name in ("Verification", "Review", "Judgement")
    )
    case = verification.objects.filter(pk=OuterRef("pk"))
    first = judgement.objects.filter(verification=OuterRef("pk"), number=1)
    band = Case(
        When(similarity__isnull=True, then=Value("none")),
        *(When(similarity__lt=end, then=Value(name)) for end, name in BANDS),
        default=Value("80-100"),
    )
    for rows in batches(review):
        rows.update(
            user=Subquery(case.values("user")[:1]),
            level=Subquery(case.values("level")[:1]),
            reason_code=Subquery(case.values("reason_code")[:1]),
            provider=Subquery(case.values("provider")[:1]),
            band=Subquery(case.values_list(band)[:1]),
        )
        rows.filter(stage="second").update(judged_by=Subquery(first.values("reviewer")[:1]))


def batches(review: Any) -> Iterator[QuerySet[Any]]:
    keys = list(review.objects.values_list("pk", flat=True))
    for begin in range(0, len(keys), BATCH):
        yield review.objects.filter(pk__in=keys[begin : begin + BATCH])


def person(label: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("django_faceverify", "0015_attempt_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("review", "judged_by", person("judged by")),
        migrations.AddField("review", "user", person("user")),
        migrations.AddField(
            "review",
            "level",
            models.CharField(default="", max_length=50, verbose_name="level"),
            preserve_default=False,
        ),
        migrations.AddField(
            "review",
            "reason_code",
            models.CharField(blank=True, default="", max_length=40, verbose_name="reason"),
            preserve_default=False,
        ),
        migrations.AddField(
            "review",
            "provider",
            models.CharField(blank=True, default="", max_length=50, verbose_name="provider"),
            preserve_default=False,
        ),
        migrations.AddField(
            "review",
            "band",
            models.CharField(default="none", max_length=10, verbose_name="similarity"),
            preserve_default=False,
        ),
        migrations.RemoveIndex("review", "faceverify_review_since"),
        migrations.AddIndex(
            "review",
            models.Index(fields=["stage", "level", "since"], name="faceverify_review_level"),
        ),
        migrations.AddIndex(
            "review",
            models.Index(fields=["stage", "reason_code", "since"], name="faceverify_review_reason"),
        ),
        migrations.AddIndex(
            "review",
            models.Index(fields=["stage", "provider", "since"], name="faceverify_review_provider"),
        ),
        migrations.AddIndex(
            "review",
            models.Index(fields=["stage", "band", "since"], name="faceverify_review_band"),
        ),
        migrations.AddIndex(
            "judgement",
            models.Index(fields=["reviewer", "-made_at"], name="faceverify_judgement_reviewer"),
        ),
        migrations.AlterField("judgement", "reviewer", person("reviewer")),
        # The last: PostgreSQL makes no index on rows whose foreign keys it has yet to check.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
