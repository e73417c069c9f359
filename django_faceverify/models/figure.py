"""What was counted: small daily sums that outlive the cases they were counted from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DailyFigure(models.Model):
    """How many of one kind on one day or in one week, told apart by what tells the kind apart.

    Days are those of the provider's books (Asia/Shanghai); a week is dated by its Monday. Of
    a kind that is measured on a scale, ``buckets`` is a list: the first place on it, and how
    many fell there and in the next ones. Of decisions, it says which member of the staff took
    how many, named as events do. So there are as many rows for many cases as for few. There is
    nothing about the persons in it. The key is made from the other columns, so that one
    statement finds the rows of a batch.
    """

    class Span(models.TextChoices):
        DAY = "day", _("day")
        WEEK = "week", _("week")

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        ENDED = "ended", _("ended")
        REASON = "reason", _("reason")
        SIMILARITY = "similarity", _("similarity")
        COMPARISON = "comparison", _("comparison")
        REVIEW = "review", _("review")
        TAKEN_BACK = "taken_back", _("taken back")
        WAITED = "waited", _("waited")
        CALL = "call", _("call")
        LATENCY = "latency", _("latency")
        RUN = "run", _("run of a shadow")
        PAIR = "pair", _("verdicts of two providers")
        PAIR_BANDS = "pair_bands", _("similarities of two providers")
        PAIR_CALL = "pair_call", _("call for a pair")

    id = models.UUIDField(_("id"), primary_key=True, editable=False)
    day = models.DateField(_("day"))
    span = models.CharField(_("span"), max_length=4, choices=Span, default=Span.DAY)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    level = models.CharField(_("level"), max_length=50, blank=True)
    provider = models.CharField(_("provider"), max_length=50, blank=True)
    source = models.CharField(_("decided by rule of"), max_length=12, blank=True)
    result = models.CharField(_("result"), max_length=20, blank=True)
    detail = models.CharField(_("detail"), max_length=80, blank=True)
    count = models.BigIntegerField(_("count"))
    buckets = models.JSONField(
        _("count by place on the scale, or by person"), default=dict, blank=True
    )

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        default_permissions = ()
        indexes = [models.Index(fields=["kind", "day"], name="faceverify_figure_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"


class FigureCount(models.Model):
    """How far the counting has come: one row, which counters lock by changing it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    last_event = models.BigIntegerField(_("last event"), default=0)
    calls_day = models.DateField(
        _("calls counted to"), null=True, help_text=_("The newest day whose calls were counted.")
    )
    counted_at = models.DateTimeField(_("counted at"), null=True)

    class Meta:
        verbose_name = _("count of figures")
        verbose_name_plural = _("counts of figures")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.last_event)
