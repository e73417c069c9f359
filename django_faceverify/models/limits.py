"""Limits and money: counters by window, and the health of each provider."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Counter(models.Model):
    """How much of one limit is used in its current window.

    ``scope`` names the limit and its holder without personal data (a user id, a blind
    index). One row serves all windows: a take in a new window starts again at one.
    """

    scope = models.CharField(_("scope"), max_length=190, primary_key=True)
    window = models.CharField(_("window"), max_length=20)
    used = models.BigIntegerField(_("used"), default=0)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        indexes = [models.Index(fields=["updated_at"], name="faceverify_counter_updated")]

    def __str__(self) -> str:
        return f"{self.scope} {self.window}: {self.used}"


class ProviderHealth(models.Model):
    """Whether a provider may be called now: its circuit breaker and its pace.

    Open while ``open_until`` is set; when that has passed, one probe is let through. A call
    may start when ``next_call_at`` is not further ahead than the allowed burst.
    """

    provider = models.CharField(_("provider"), max_length=50, primary_key=True)
    open_until = models.DateTimeField(_("open until"), null=True, blank=True)
    open_count = models.PositiveIntegerField(_("times opened in a row"), default=0)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    next_call_at = models.DateTimeField(_("next call at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("provider health")
        verbose_name_plural = _("provider health")

    def __str__(self) -> str:
        return self.provider
