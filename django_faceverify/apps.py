"""The app: registers its system checks and guards its loggers, nothing else."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceVerifyConfig(AppConfig):
    name = "django_faceverify"
    verbose_name = _("Face verification")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_faceverify import (  # noqa: F401 (importing registers them)
            checks,
            logs,
        )

        logs.guard()
