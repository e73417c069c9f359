"""What a photo is like before anybody is paid to compare it: its facts, and what is wrong.

The facts describe the picture and not the person: how many faces, how large, how sharp, how
bright. Nobody can be recognised by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.conf import Quality, app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.faces import engine
from django_faceverify.faces.sight import Facts
from django_faceverify.reasons import ReasonCode

#: what each of them is called, in the order in which they are shown
LABELS: dict[str, str | Promise] = {
    "face_count": _("faces"),
    "face_width": _("width of the face in pixels"),
    "sharpness": _("sharpness"),
    "brightness": _("brightness"),
}


@sensitive_variables()
def inspect(image: bytes) -> dict[str, Any] | None:
    """The facts of a photo, to be kept with it; ``None`` where ``QUALITY`` is switched off.

    Raises ``InputError`` on ``image`` for a photo that no provider could compare. When the
    engine cannot look, the photo is let pass: this check saves money and decides nothing.
    """
    rules = app_settings.quality
    if not rules.is_checked:
        return None
    try:
        facts = engine.look(image).facts
    except (engine.EngineUnavailable, engine.EngineBusy) as error:
        journal.tell("quality_unchecked", error=error)
        return None
    fault = find_fault(facts, rules)
    if fault:
        raise InputError(fault, "image")
    return asdict(facts)


def find_fault(facts: Facts, rules: Quality) -> str:
    """The ``ReasonCode`` for which such a photo cannot be compared; empty when it can."""
    if facts.face_count == 0:
        return ReasonCode.NO_FACE.value
    if facts.face_count > 1:
        return ReasonCode.MULTIPLE_FACES.value
    if facts.face_width < rules.min_face_width:
        return ReasonCode.FACE_TOO_SMALL.value
    if facts.sharpness < rules.min_sharpness:
        return ReasonCode.IMAGE_BLURRY.value
    return ""


def describe(kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The facts that are kept with a photo by their names for people; empty without any."""
    facts = kept or {}
    return {str(label): facts[name] for name, label in LABELS.items() if name in facts}
