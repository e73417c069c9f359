"""The same story over both wire formats: nothing but the settings says which one it is."""

from __future__ import annotations

import pytest

from tests.integration.conftest import BuildWorld
from tests.integration.test_story import outcome, submit
from tests.integration.world import World

pytestmark = pytest.mark.services

FACEID = "django_faceverify.providers.faceid.FaceIDProvider"

#: scenario of the sandbox, final status, reason, states of the attempts
FATES = {
    "001": ("verified", "", ["answered"]),
    "002": ("in_review", "low_similarity", ["answered"]),
    "003": ("requires_input", "face_mismatch", ["answered"]),
    "004": ("requires_input", "id_name_mismatch", ["answered"]),
    "006": ("in_review", "id_photo_poor", ["answered"]),
    "010": ("requires_input", "no_face", ["answered"]),
    "011": ("requires_input", "multiple_faces", ["answered"]),
    "012": ("requires_input", "face_incomplete", ["answered"]),
    "031": ("verified", "", ["throttled", "answered"]),
    "041": ("verified", "", ["refused", "answered"]),
    "043": ("in_review", "provider_protocol", ["unknown"]),
    "044": ("in_review", "provider_protocol", ["unknown"]),
    "045": ("verified", "", ["answered"]),
    "047": ("in_review", "outcome_unknown", ["unknown"]),
}
#: who is charged for: compared, or found to be two people; 043 and 044 compared as well
CHARGED = {"001", "002", "003", "004", "031", "041", "043", "044", "045"}


@pytest.mark.parametrize(
    ("wire", "id_on_the_bill"),
    [("idcardcompare", "session_id"), ("faceid", "provider_session_id")],
)
def test_everybody_has_the_same_fate(
    build_world: BuildWorld, wire: str, id_on_the_bill: str
) -> None:
    world = build_world()
    if wire == "faceid":
        speak_faceid(world)
    world.start_worker()
    submit(world, list(FATES))
    world.sweep_until(world.is_at_rest, "outcomes")
    cases = world.cases()
    assert {scenario: outcome(case) for scenario, case in cases.items()} == FATES
    billed = world.provider.billed
    assert len(billed) == len(set(billed)) == len(CHARGED)
    for scenario, case in cases.items():
        answered = [a for a in case["attempts"] if a["is_billed"] == "yes"]
        ids = {a[id_on_the_bill] for a in answered}
        assert ids <= set(billed), scenario
        assert bool(ids) == (scenario in CHARGED - {"043", "044"}), scenario


def speak_faceid(world: World) -> None:
    """Change the settings, as a site does that moves to the successor."""
    world.backend = FACEID
    world.endpoint = world.provider.faceid_url
    world.site.kill()
    world.site = world.start_site()
