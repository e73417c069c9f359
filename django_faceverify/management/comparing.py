"""What ``faceverify_sandbox --register`` lends to the sandbox: portraits, and eyes."""

from __future__ import annotations

from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError
from django_faceverify.faces import engine, quality
from django_faceverify.faces.register import Register
from django_faceverify.faces.sight import Sight
from django_faceverify.reasons import ReasonCode
from django_faceverify.sandbox.codes import Code
from django_faceverify.sandbox.register import compared, found
from django_faceverify.sandbox.scenarios import Scenario

#: what is wrong with the photo, in the service's words; what it has no word for has no features
FINDINGS = {ReasonCode.NO_FACE: Code.NO_FACE, ReasonCode.MULTIPLE_FACES: Code.TOO_MANY_FACES}


class ComparingRegister:
    """Compares with the portraits of a folder (``faces.register``) by the local engine."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def __len__(self) -> int:
        return len(self._register)

    def answer(self, name: str, number: str, image: bytes) -> Scenario | None:
        holder = self._register.find(number)
        if holder is None:
            return None
        if holder.idcard_name != name:
            return found(Code.NAME_MISMATCH)
        if not image:
            return found(Code.IMAGE_MISSING)
        try:
            return self._compare(image, holder.portrait)
        except (engine.EngineBusy, engine.EngineUnavailable):
            return found(Code.INTERNAL_ERROR)

    def _compare(self, image: bytes, portrait: bytes) -> Scenario:
        seen = _look(image, undecodable=Code.IMAGE_UNDECODABLE)
        if isinstance(seen, Code):
            return found(seen)
        known = _look(portrait, undecodable=Code.REGISTERED_PHOTO_POOR)
        if isinstance(known, Code):
            return found(Code.REGISTERED_PHOTO_POOR)
        return compared(engine.similarity(seen, known))


def _look(image: bytes, *, undecodable: Code) -> Sight | Code:
    """What is seen, or why it cannot be compared."""
    try:
        sight = engine.look(image)
    except InputError:
        return undecodable
    fault = quality.find_fault(sight.facts, app_settings.quality)
    return FINDINGS.get(ReasonCode(fault), Code.NO_FEATURES) if fault else sight
