"""Registers the console on the default admin site."""

from __future__ import annotations

from django.contrib import admin

from django_faceverify.console import (
    AttemptAdmin,
    RetentionAdmin,
    VerificationAdmin,
    WebhookDeliveryAdmin,
    WebhookEndpointAdmin,
)
from django_faceverify.models import (
    RetentionDay,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)

admin.site.register(Verification, VerificationAdmin)
admin.site.register(VerificationAttempt, AttemptAdmin)
admin.site.register(RetentionDay, RetentionAdmin)
admin.site.register(WebhookEndpoint, WebhookEndpointAdmin)
admin.site.register(WebhookDelivery, WebhookDeliveryAdmin)
