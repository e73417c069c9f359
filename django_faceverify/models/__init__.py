"""What is remembered: cases, photos, consents, calls, events, proofs, limits, requests, reviews."""

from __future__ import annotations

from django_faceverify.models.attempt import VerificationAttempt
from django_faceverify.models.audit import AuditRoot, PolicyVersion, PurgedCase
from django_faceverify.models.consent import Consent
from django_faceverify.models.event import Event
from django_faceverify.models.figure import DailyFigure, FigureCount
from django_faceverify.models.idempotency import IdempotencyRecord
from django_faceverify.models.limits import Counter, ProviderHealth
from django_faceverify.models.photo import Photo
from django_faceverify.models.retention import RetentionDay
from django_faceverify.models.reveal import IdentitySearch, Reveal
from django_faceverify.models.review import Judgement, Review
from django_faceverify.models.shadow import ShadowRun
from django_faceverify.models.token import ClientToken
from django_faceverify.models.verification import Verification
from django_faceverify.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "AuditRoot",
    "ClientToken",
    "Consent",
    "Counter",
    "DailyFigure",
    "Event",
    "FigureCount",
    "IdempotencyRecord",
    "IdentitySearch",
    "Judgement",
    "Photo",
    "PolicyVersion",
    "ProviderHealth",
    "PurgedCase",
    "RetentionDay",
    "Reveal",
    "Review",
    "ShadowRun",
    "Verification",
    "VerificationAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
