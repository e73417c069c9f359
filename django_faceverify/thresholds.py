"""Which two lines hold for a level at a provider: the numbers that it says, or what its rates mean.

A similarity means something only at one provider. A rate of false accepts means the same
everywhere, as far as each vendor's own table is right.
"""

from __future__ import annotations

from decimal import Decimal

from django_faceverify.conf import Level, Lines, app_settings
from django_faceverify.decision import Thresholds
from django_faceverify.exceptions import InvalidProvider, TargetOutOfReach
from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.providers.far import spelled


def of(level: Level, alias: str) -> Thresholds:
    """The lines by which an answer of that provider is judged for that level.

    Raises ``TargetOutOfReach``, and ``InvalidProvider`` for rates at a provider that is gone.
    """
    lines = level.lines if alias == level.provider else app_settings.lines(level.name, alias)
    if lines.target_far is None:
        return Thresholds(lines.verify_at, lines.review_at)
    return resolve(lines, providers[alias])


def known(level: Level) -> Thresholds | None:
    """The lines at the level's own provider; ``None`` where they do not follow from anything."""
    try:
        return of(level, level.provider)
    except (InvalidProvider, TargetOutOfReach):
        return None


def resolve(lines: Lines, provider: Provider) -> Thresholds:
    """Rates in numbers, by the provider's table; never below where it says no by itself."""
    if lines.target_far is None or provider.far_table is None:
        raise TargetOutOfReach(f"Provider {provider.alias!r} has no table of false accept rates.")
    verify_at = _score(provider, lines.target_far)
    review_far = lines.review_far
    review_at = verify_at if review_far is None else _score(provider, review_far)
    return Thresholds(
        verify_at, review_at, lines.target_far, review_far, provider.far_table.version
    )


def _score(provider: Provider, far: Decimal) -> float:
    assert provider.far_table is not None  # noqa: S101 (for the type checker)
    score = provider.far_table.score_at(far)
    if score is None:
        raise TargetOutOfReach(
            f"Provider {provider.alias!r}: nothing as strict as {spelled(far)} is published."
        )
    return max(score, provider.lowest_threshold)
