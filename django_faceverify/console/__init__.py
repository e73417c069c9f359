"""The admin: lists and case pages, where people look at verifications and decide them.

``verification_list`` is the list, ``verification_admin`` the pages of one case, ``case``
what stands on them, ``review`` the forms by which a reviewer decides. Nothing here can be
added, edited or deleted: whatever changes goes through ``intake``.
"""

from __future__ import annotations

from django_faceverify.console.attempt_admin import AttemptAdmin
from django_faceverify.console.verification_admin import VerificationAdmin

__all__ = ["AttemptAdmin", "VerificationAdmin"]
