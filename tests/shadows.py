"""Sites whose level has a shadow, and a second provider that a test scripts."""

from __future__ import annotations

from typing import Any, ClassVar

from django_faceverify import verification as engine
from django_faceverify.models import ShadowRun, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.providers.base import Comparison, ComparisonRequest
from tests.scripted import ScriptedProvider, similarity

LEGAL = {"NAME": "Second Faces Ltd", "CONTACT": "privacy@second.example.com"}
TEXT = {"en": "I agree. Second Faces Ltd looks on.", "zh-hans": "我同意。Second Faces Ltd 旁观。"}


class SecondProvider(ScriptedProvider):
    """Another service, with answers and an outbox of its own."""

    outbox: ClassVar[list[ComparisonRequest]] = []
    requests = outbox
    _answers: ClassVar[list[Comparison | Exception]] = [similarity(95)]


def use_shadow(settings: Any, share: float = 1.0, **changes: Any) -> None:
    """Let the second provider see this share of the cases of the level ``default``."""
    SecondProvider.script(similarity(95))
    base = settings.FACEVERIFY
    second = {
        "BACKEND": "tests.shadows.SecondProvider",
        "THRESHOLDS": {"verify_at": 60, "review_at": 50},
        "LEGAL": LEGAL,
        **changes.pop("second", {}),
    }
    level = {**base["LEVELS"]["default"], "SHADOW": {"PROVIDER": "second", "SHARE": share}}
    settings.FACEVERIFY = {
        **base,
        "PROVIDERS": {**base["PROVIDERS"], "second": second},
        "LEVELS": {**base["LEVELS"], "default": level},
        "CONSENT": {"TEXTS": {"demo-1": {"TEXT": TEXT, "PROVIDERS": ["second"]}}},
        **changes,
    }


def decided(verification: Verification, value: float = 95) -> ShadowRun:
    """Let the first provider answer, and give the shadow that was planned."""
    ScriptedProvider.script(similarity(value))
    engine.run(verification.pk)
    return ShadowRun.objects.get(verification=verification)


def make_due() -> None:
    ShadowRun.objects.filter(state="waiting").update(due_at=db_now())


def end_lease() -> None:
    ShadowRun.objects.filter(state="calling").update(due_at=db_now(-1))
