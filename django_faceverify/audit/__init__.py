"""Proving the history: triggers that refuse, chains that show, a root for every day."""

from __future__ import annotations

from django_faceverify.audit.purging import deleting_cases

__all__ = ["deleting_cases"]
