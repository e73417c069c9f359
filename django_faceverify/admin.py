"""Registers the console on the default admin site."""

from __future__ import annotations

from django.contrib import admin

from django_faceverify.console import (
    AttemptAdmin,
    IdentitySearchAdmin,
    RetentionAdmin,
    VerificationAdmin,
    WebhookDeliveryAdmin,
    WebhookEndpointAdmin,
)
from django_faceverify.models import (
    IdentitySearch,
    RetentionDay,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)

admin.site.register(Verification, VerificationAdmin)
admin.site.register(VerificationAttempt, AttemptAdmin)
admin.site.register(IdentitySearch, IdentitySearchAdmin)
admin.site.register(RetentionDay, RetentionAdmin)
admin.site.register(WebhookEndpoint, WebhookEndpointAdmin)
admin.site.register(WebhookDelivery, WebhookDeliveryAdmin)
