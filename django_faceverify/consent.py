"""Consent before any call: the current text, and whether somebody has agreed to it.

The claim of a verification demands the consent once more, in the database; what stands here
tells people early and in words.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from django_faceverify import identity, inputs
from django_faceverify.conf import CONSENT_TEXT_DEFAULTS, Level, app_settings
from django_faceverify.exceptions import InputError, SealBroken
from django_faceverify.models import Consent, Verification
from django_faceverify.models.consent import ConsentQuerySet

#: below this age only a guardian can consent
GUARDIAN_AGE = 14


@dataclass(frozen=True, kw_only=True)
class ConsentText:
    """One version of the text in one language, as a person of one level reads it."""

    version: str
    purpose: str
    locale: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A consent as it was declared, to the text that it was declared to."""

    text: ConsentText
    is_by_guardian: bool
    guardian_relation: str
    may_keep_photo: bool

    @property
    def given_by(self) -> str:
        return Consent.Giver.GUARDIAN if self.is_by_guardian else Consent.Giver.SUBJECT

    @property
    def facts(self) -> dict[str, str]:
        """What the history tells of it."""
        return {
            "consent_text_version": self.text.version,
            "consent_text_sha256": self.text.sha256,
            "consent_given_by": str(self.given_by),
        }


def current_text(level: Level) -> ConsentText:
    """The text to accept now, in the active language or the nearest one there is."""
    version = app_settings.consent.current
    return _text(version, _nearest(_locales(version)), level)


def second_providers(version: str) -> list[dict[str, str]]:
    """Who stands behind the providers that this text names besides the level's own."""
    return [asdict(app_settings.legal(alias)) for alias in _entry(version)["PROVIDERS"]]


def names_second_provider(alias: str, level: Level) -> bool:
    """Whether the current text says the legal name of that provider, in each of its languages."""
    version = app_settings.consent.current
    for locale in _locales(version):
        with translation.override(locale):
            name = app_settings.legal(alias).name
        if not name or name not in _text(version, locale, level).text:
            return False
    return True


def read(value: object, level: Level) -> Grant | None:
    """The consent that was sent, or ``None``; raises ``InputError`` for one that is none."""
    declared = inputs.consent(value)
    if declared is None:
        return None
    if not declared.is_granted:
        raise InputError("consent_required", "consent")
    rules = app_settings.consent
    if declared.text_version not in rules.texts:
        raise InputError("consent_version_unknown", "consent")
    if declared.text_version != rules.current:
        raise InputError("consent_version_outdated", "consent")
    return Grant(
        text=_read_text(declared.text_sha256, level),
        is_by_guardian=declared.is_by_guardian,
        guardian_relation=_relation(declared.guardian_relation),
        may_keep_photo=declared.may_keep_photo,
    )


@sensitive_variables("number")
def demand(
    number: str, grant: Grant | None, *, verification: Verification | None = None, for_photo: bool
) -> None:
    """Refuse what may not be stored or sent without a consent that is neither here nor given.

    Raises ``InputError``: ``under_age`` for a child without a guardian's consent,
    ``consent_required`` for a photo without any.
    """
    given = _given(verification)
    if _is_child(number):
        is_by_guardian = grant is not None and grant.is_by_guardian
        if not is_by_guardian and not given.by_guardian().exists():
            raise InputError("under_age", "idcard_number")
    if for_photo and app_settings.consent.is_required and not grant and not given.exists():
        raise InputError("consent_required", "consent")


@sensitive_variables("sealed")
def lacks_guardian(verification: Verification, second_provider: str = "") -> bool:
    """Whether this is a child's case without a guardian's consent; to a second provider, if named.

    A number that does not open is nobody's age; it cannot be sent either.
    """
    sealed = verification.idcard_number
    try:
        is_child = bool(sealed) and _is_child(sealed.unseal())
    except SealBroken:
        return False
    given = _given(verification).by_guardian()
    if second_provider:
        given = given.covering(second_provider)
    return is_child and not given.exists()


def template(name: str) -> Any:
    """A template of the site's, or of an app where the site itself has no such templates.

    Raises ``TemplateDoesNotExist``.
    """
    try:
        return get_template(name)
    except TemplateDoesNotExist:
        return _templates_of_apps().get_template(name)


def is_on_record(verification: Verification, grant: Grant) -> bool:
    """Whether just this was said before, and still stands."""
    same = Consent.objects.valid().filter(
        text_sha256=grant.text.sha256,
        given_by=grant.given_by,
        guardian_relation=grant.guardian_relation,
        is_keeping_granted=grant.may_keep_photo,
    )
    return same.filter(verification=verification).exists()


def text_of(record: Consent, level: str) -> str:
    """The text that was agreed to, if the settings still hold it to the letter."""
    if record.text_version not in app_settings.consent.texts or level not in app_settings.LEVELS:
        return ""
    if record.locale not in _locales(record.text_version):
        return ""
    shown = _text(record.text_version, record.locale, app_settings.level(level))
    return shown.text if shown.sha256 == record.text_sha256 else ""


def write(verification: Verification, grant: Grant, *, method: str) -> None:
    """Put the consent on record. The history is told by whoever changes the case with it."""
    Consent.objects.create(
        verification=verification,
        purpose=grant.text.purpose,
        text_version=grant.text.version,
        locale=grant.text.locale,
        text_sha256=grant.text.sha256,
        method=method,
        given_by=grant.given_by,
        guardian_relation=grant.guardian_relation,
        is_keeping_granted=grant.may_keep_photo,
        given_at=timezone.now(),
    )


def withdraw(verification: Verification) -> bool:
    """Withdraw every consent of the case; says whether there was one that still stood."""
    standing = Consent.objects.filter(verification=verification, withdrawn_at=None)
    return bool(standing.update(withdrawn_at=timezone.now()))


def _given(verification: Verification | None) -> ConsentQuerySet:
    """The consents that stand; a case that is only being opened has none."""
    if verification is None:
        return Consent.objects.none()
    return Consent.objects.valid().filter(verification=verification)


@sensitive_variables("number")
def _is_child(number: str) -> bool:
    return identity.age(number) < GUARDIAN_AGE


def _relation(relation: str) -> str:
    if relation and relation not in Consent.Relation:
        raise InputError("consent_invalid", "consent")
    return relation


def _read_text(sha256: str, level: Level) -> ConsentText:
    """The text that the person has read: the one of that hash, or the one of their language."""
    if not sha256:
        return current_text(level)
    version = app_settings.consent.current
    for locale in _locales(version):
        text = _text(version, locale, level)
        if text.sha256 == sha256:
            return text
    raise InputError("consent_version_outdated", "consent")


def _text(version: str, locale: str, level: Level) -> ConsentText:
    entry = _entry(version)
    if locale in entry["TEXT"]:
        text = entry["TEXT"][locale]
    else:
        facts = {
            "provider": asdict(app_settings.legal(level.provider)),
            "second_providers": second_providers(version),
        }
        with translation.override(locale):
            text = template(entry["TEMPLATE"][locale]).render(facts)
    return ConsentText(
        version=version, purpose=entry["PURPOSE"], locale=locale, text=str(text).strip()
    )


@cache
def _templates_of_apps() -> DjangoTemplates:
    return DjangoTemplates({"NAME": "faceverify", "DIRS": [], "APP_DIRS": True, "OPTIONS": {}})


def _locales(version: str) -> list[str]:
    entry = _entry(version)
    return [*entry["TEXT"], *entry["TEMPLATE"]]


def _nearest(locales: list[str]) -> str:
    """The active language or a sister of it, the site's own language, or the first."""
    for wanted in (translation.get_language() or "", app_settings.language):
        for parts in (None, 1):  # all of the name, or its language alone
            same = wanted.lower().split("-")[:parts]
            for locale in locales:
                if locale.lower().split("-")[:parts] == same:
                    return locale
    return locales[0]


def _entry(version: str) -> dict[str, Any]:
    return {**CONSENT_TEXT_DEFAULTS, **app_settings.consent.texts[version]}
