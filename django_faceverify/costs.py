"""What calls cost: one rule for reports, the console and the provider's statement."""

from __future__ import annotations

from decimal import Decimal

from django_faceverify.conf import app_settings


def cost_of(provider: str, billed: int) -> Decimal:
    """So many billed calls at today's price, in the currency of the provider's contract."""
    return billed * Decimal(str(app_settings.limits(provider).price))
