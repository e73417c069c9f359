"""The admin: lists and case pages, where people look at verifications and decide them.

``verification_list`` is the list, ``verification_admin`` the pages of one case, ``case``
what stands on them, ``review`` the forms by which a reviewer decides. Nothing of it can be
added, edited or deleted: whatever changes goes through ``intake``. ``webhook_admin`` is for
those who are told; there, whatever changes goes through ``webhooks``.
"""

from __future__ import annotations

from django_faceverify.console.attempt_admin import AttemptAdmin
from django_faceverify.console.identity_search_admin import IdentitySearchAdmin
from django_faceverify.console.retention_admin import RetentionAdmin
from django_faceverify.console.verification_admin import VerificationAdmin
from django_faceverify.console.webhook_admin import WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = [
    "AttemptAdmin",
    "IdentitySearchAdmin",
    "RetentionAdmin",
    "VerificationAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
