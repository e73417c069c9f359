"""What the example remembers of its own: the webhooks that it was sent."""

from __future__ import annotations

from django.db import models


class ReceivedWebhook(models.Model):
    """A message that was taken in. A second one with the same id is not acted upon."""

    webhook_id = models.CharField(max_length=100, primary_key=True)
    event = models.CharField(max_length=100)
    verification_id = models.UUIDField(null=True, db_index=True)
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.event} {self.webhook_id}"
