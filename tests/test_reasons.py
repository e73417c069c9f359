"""The table of reasons is whole: every code has a sentence, and codes never vanish."""

from __future__ import annotations

import pytest

from django_faceverify.reasons import (
    OUTCOMES,
    REASONS,
    REFUSALS,
    REVIEW_REASONS,
    Category,
    ReasonCode,
)

#: promised to sites and frontends; a code may be added but never renamed
PROMISED = [
    "face_mismatch",
    "id_name_mismatch",
    "id_number_invalid",
    "id_name_invalid",
    "id_not_found",
    "id_photo_missing",
    "id_photo_poor",
    "no_face",
    "multiple_faces",
    "face_incomplete",
    "face_covered",
    "image_blurry",
    "image_too_small",
    "image_too_large",
    "image_undecodable",
    "image_url_unreachable",
    "spoof_suspected",
    "identity_rate_limited",
    "provider_throttled",
    "provider_unavailable",
    "provider_config",
    "provider_arrears",
    "provider_protocol",
    "outcome_unknown",
    "photos_exhausted",
    "deadline_passed",
    "under_age",
]


def test_no_promised_code_is_missing() -> None:
    assert set(PROMISED) <= set(ReasonCode.values)


@pytest.mark.parametrize("code", sorted({*REASONS, *ReasonCode.values}))
def test_every_code_has_a_sentence_that_ends(code: str) -> None:
    assert str(REASONS[code].message).endswith(".")


def test_reviewers_choose_among_known_reasons() -> None:
    for decision, reasons in REVIEW_REASONS.items():
        assert decision in ("verify", "reject", "retry")
        assert reasons
        assert all(reason in REASONS for reason in reasons)


def test_every_code_has_one_place() -> None:
    assert set(OUTCOMES) == set(ReasonCode.values)
    assert set(OUTCOMES).isdisjoint(REFUSALS)
    assert set(REASONS) == set(OUTCOMES) | set(REFUSALS)


def test_refusals_are_not_outcomes() -> None:
    for code, reason in REASONS.items():
        assert (reason.category is Category.INPUT) == (code in REFUSALS)
