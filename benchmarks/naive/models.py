"""One table, plain text, as a tutorial would have it."""

from __future__ import annotations

from django.db import models


class NaiveVerification(models.Model):
    idcard_name = models.CharField(max_length=60)
    idcard_number = models.CharField(max_length=18)
    photo = models.FileField(upload_to="naive")
    status = models.CharField(max_length=20, default="new")
    session_id = models.CharField(max_length=64, blank=True)
    similarity = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: models.Manager[NaiveVerification] = models.Manager()

    def __str__(self) -> str:
        return str(self.pk)
