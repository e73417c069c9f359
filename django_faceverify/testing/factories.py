"""Verifications in any status, made as people and reviewers make them."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

from PIL import Image

from django_faceverify import intake, verification
from django_faceverify.conf import app_settings
from django_faceverify.models import Verification
from django_faceverify.providers.base import Comparison
from django_faceverify.testing.memory import MemoryProvider

#: nobody can hold it: its check digit is wrong on purpose
IDCARD_NUMBER = "000000199001010011"
IDCARD_NAME = "张三"

#: similarities that lead to a status with the default thresholds
SIMILARITIES = {"verified": 95.0, "in_review": 75.0, "requires_input": 12.0}


def photo(width: int = 320, height: int = 400, seed: int | None = None) -> bytes:
    """A JPEG that passes the checks of an upload; another ``seed`` is another picture."""
    colours = random.Random(seed)  # noqa: S311 (a colour, not a secret)
    picture = Image.new("RGB", (width, height), tuple(colours.randrange(256) for _ in range(3)))
    file = BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def make_verification(status: str = "verified", *, user: Any = None, **facts: Any) -> Verification:
    """A verification in this status: ``requires_input``, ``processing``, ``in_review``,
    ``verified``, ``rejected`` or ``canceled``.

    ``facts`` are arguments of ``intake.create``. Its level must use the ``MemoryProvider``
    and must not be live. Raises ``ValueError`` for another status.
    """
    given: dict[str, Any] = {
        "idcard_name": IDCARD_NAME,
        "idcard_number": IDCARD_NUMBER,
        "consent": {"text_version": app_settings.consent.current, "granted": True},
        **facts,
    }
    made = intake.create(user=user, submission=intake.Submission(image=photo()), **given)
    if status == "processing":
        return made
    if status == "canceled":
        return intake.cancel(made, user=user)
    if status == "rejected":
        return _rejected(made, user)
    if status not in SIMILARITIES:
        raise ValueError(f"no verification can be made {status!r}")
    return _compared(made, SIMILARITIES[status])


def _compared(made: Verification, similarity: float) -> Verification:
    MemoryProvider.answers_with(Comparison(similarity=similarity))
    verification.run(made.pk)
    made.refresh_from_db()
    return made


def _rejected(made: Verification, user: Any) -> Verification:
    """Send photos until none is left."""
    while _compared(made, SIMILARITIES["requires_input"]).status != "rejected":
        intake.submit(made, intake.Submission(image=photo()), user=user)
    return made
