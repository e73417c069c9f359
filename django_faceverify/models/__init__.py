"""What is remembered: verification, photo, attempt, event, and the limits."""

from __future__ import annotations

from django_faceverify.models.attempt import VerificationAttempt
from django_faceverify.models.event import Event
from django_faceverify.models.limits import Counter, ProviderHealth
from django_faceverify.models.photo import Photo
from django_faceverify.models.verification import Verification

__all__ = ["Counter", "Event", "Photo", "ProviderHealth", "Verification", "VerificationAttempt"]
