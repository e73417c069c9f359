"""Registers the console on the default admin site."""

from __future__ import annotations

from django.contrib import admin

from django_faceverify.console import AttemptAdmin, VerificationAdmin
from django_faceverify.models import Verification, VerificationAttempt

admin.site.register(Verification, VerificationAdmin)
admin.site.register(VerificationAttempt, AttemptAdmin)
