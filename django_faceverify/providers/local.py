"""A provider that compares on this machine: the photo with a portrait that the site has.

For tests, demos, second opinions, and portraits of documents that the site has seen itself.
It proves that two pictures show alike faces. Who is on the portrait, and whether name and
number belong to it, is the word of whoever gave the portrait; whether a living person was
before the camera, it does not look at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from time import monotonic

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 (Django's name)
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from django_faceverify import journal
from django_faceverify.conf import app_settings
from django_faceverify.exceptions import InputError, NotSent
from django_faceverify.faces import engine, quality
from django_faceverify.faces.register import Register, RegisterUnusable
from django_faceverify.faces.sight import Sight
from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider
from django_faceverify.reasons import ReasonCode

#: from name and number to the bytes of a JPEG or PNG, or ``None`` where there is none
Portraits = Callable[[str, str], bytes | None]

#: seconds; longer waits than this mean that the machine has too little of itself
MAX_TIMEOUT = 120


class LocalProvider(Provider):
    """Asks ``portraits`` for the portrait of a name and a number, and compares the faces.

    ``portraits`` is a callable or its dotted path; ``register`` instead of it is a folder
    (``faces.register``). ``timeout`` is in seconds; it bounds the wait for the engine, and
    a ``portraits`` of the site's own has to bound itself.

    Nothing is sent or paid, so ``about_to_send`` is called when the answer is already
    there: a worker that dies before has left nothing unknown behind.
    """

    max_image_bytes = 4 * 1024 * 1024
    costs_money = False

    def __init__(
        self,
        alias: str,
        *,
        portraits: Portraits | str | None = None,
        register: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
    ) -> None:
        super().__init__(alias)
        self._given = portraits
        self._folder = register
        self._timeout = timeout
        self._portraits: Portraits | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.alias!r}>"

    @property
    def timeout(self) -> float:
        return self._timeout

    @sensitive_variables()
    def compare(
        self, request: ComparisonRequest, *, about_to_send: Callable[[], None]
    ) -> Comparison:
        """Compare, then say so and answer. Raises ``NotSent`` when it cannot compare now."""
        if any(message.is_serious() for message in self.check()):
            raise NotSent(ReasonCode.PROVIDER_CONFIG.value)
        end = monotonic() + self.timeout
        portrait = self._portrait_of(request)
        comparison = self._compare(request.image or b"", portrait, end)
        about_to_send()
        return comparison

    @sensitive_variables()
    def _portrait_of(self, request: ComparisonRequest) -> bytes | None:
        """What the site has on record; its errors could quote the person, so none passes."""
        try:
            return self._find_portraits()(request.idcard_name, request.idcard_number)
        except Exception as raised:  # noqa: BLE001 (a site's own code raises what it likes)
            error = raised
        # Outside, so that what is raised here does not carry it along.
        journal.tell("portrait_failed", provider=self.alias, error=error)
        raise NotSent(ReasonCode.PROVIDER_UNAVAILABLE.value)

    @sensitive_variables()
    def _compare(self, image: bytes, portrait: bytes | None, end: float) -> Comparison:
        """The similarity, or the finding about the photo first and the portrait second."""
        seen = self._look(image, end)
        if isinstance(seen, str):
            return _found(seen)
        if portrait is None:
            return _found(ReasonCode.ID_PHOTO_MISSING.value)
        known = self._look(portrait, end)
        if isinstance(known, str):
            return _found(ReasonCode.ID_PHOTO_POOR.value, known)
        return Comparison(similarity=engine.similarity(seen, known), is_billed="no")

    @sensitive_variables()
    def _look(self, image: bytes, end: float) -> Sight | str:
        """What is seen, when it can be compared; else the code of what is wrong with it."""
        code = ReasonCode.PROVIDER_UNAVAILABLE
        try:
            sight = engine.look(image, patience=end - monotonic())
        except InputError:
            return ReasonCode.IMAGE_UNDECODABLE.value
        except engine.EngineBusy:
            pass
        except engine.EngineUnavailable as error:
            journal.tell("engine_unavailable", provider=self.alias, error=error)
            code = ReasonCode.PROVIDER_CONFIG
        else:
            return quality.find_fault(sight.facts, app_settings.quality) or sight
        raise NotSent(code.value)

    def _find_portraits(self) -> Portraits:
        """The callable, imported or read at its first use."""
        if self._portraits is None:
            if self._folder is not None:
                self._portraits = Register(self._folder)
            elif isinstance(self._given, str):
                self._portraits = import_string(self._given)
            else:
                self._portraits = self._given
        if not callable(self._portraits):
            raise TypeError("portraits must be callable")
        return self._portraits

    def check(self) -> Iterable[CheckMessage]:
        missing = engine.missing_packages()
        if missing:
            yield self._problem(
                "E194",
                f"compares faces on this machine, and not installed is: {', '.join(missing)}.",
                "pip install 'django-faceverify[local]'",
            )
        if (self._given is None) == (self._folder is None):
            yield self._problem(
                "E195",
                "needs OPTIONS 'portraits' or 'register', and not both.",
                "portraits: a callable of name and number, or its path; register: a folder.",
            )
        else:
            yield from self._check_source()
        if not _is_time(self._timeout):
            yield self._problem(
                "E197",
                f"'timeout' must be a number of seconds above 0 and at most {MAX_TIMEOUT}.",
                "10 is usual.",
            )
        if not app_settings.is_debug:
            yield self._problem(
                "W198",
                "compares with portraits of the site's own: it asks no register, and it knows "
                "nothing of liveness.",
                "Silence this when that is what you want: docs/explanation/local-engine.md.",
            )

    def _check_source(self) -> Iterable[CheckMessage]:
        why = "it is neither a callable nor the path of one."
        try:
            self._find_portraits()
        except RegisterUnusable as error:
            why = f"{error}."
        except (ImportError, TypeError):
            pass
        else:
            return
        option = "register" if self._folder is not None else "portraits"
        yield self._problem(
            "E196",
            f"cannot use OPTIONS {option!r}: {why}",
            "See docs/how-to/compare-faces-locally.md.",
        )

    def _problem(self, number: str, text: str, hint: str) -> CheckMessage:
        kind = Error if number.startswith("E") else Warning
        return kind(f"Provider {self.alias!r} {text}", hint=hint, id=f"faceverify.{number}")


def _found(reason_code: str, detail: str = "") -> Comparison:
    return Comparison(reason_code=reason_code, is_billed="no", provider_code=detail or reason_code)


def _is_time(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= MAX_TIMEOUT  # type: ignore[operator]
