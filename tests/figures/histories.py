"""Histories written by hand: the events of one case, as the app writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.cases import Fact

#: noon of a day in Shanghai
NOON = datetime(2026, 3, 2, 4, tzinfo=timezone.utc)
THRESHOLDS = Thresholds(80, 70)

ACTIONS = {
    Zone.VERIFIED: ("verified", ""),
    Zone.IN_REVIEW: ("review_opened", "low_similarity"),
    Zone.MISMATCH: ("input_required", "face_mismatch"),
}


class History:
    """Grows by one fact a minute; ``days`` moves its clock on."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self.facts: list[Fact] = []
        self.attempts = 0
        self.tell("created", actor="user:1")

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)

    def tell(self, action: str, reason: str = "", *, actor: str = "system", **data: Any) -> History:
        self.facts.append(Fact(self.at, action, actor, reason, data))
        self.at += timedelta(minutes=1)
        return self

    def later(self, **span: float) -> History:
        self.at += timedelta(**span)
        return self

    def compared(
        self,
        similarity: float | None,
        thresholds: Thresholds = THRESHOLDS,
        *,
        action: str = "",
        reason: str = "",
    ) -> History:
        """A photo comes in and is judged; by the thresholds, unless the action is given."""
        self.attempts += 1
        self.tell("submitted", actor="user:1", photo="p")
        if not action:
            assert similarity is not None
            action, reason = ACTIONS[thresholds.zone(similarity)]
        return self.tell(
            action,
            reason,
            attempt=self.attempts,
            provider="default",
            similarity=similarity,
            thresholds=[thresholds.verify_at, thresholds.review_at],
        )

    def decided(self, decision: str, reviewer: int = 7, reason: str = "same_person") -> History:
        return self.tell(decision, reason, actor=f"user:{reviewer}")

    def reopened(self, was: str) -> History:
        return self.tell("reopened", "reopened", actor="user:9", state=was)
