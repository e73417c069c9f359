"""System checks of what people are told: consent texts, who gets their data, another way.

What only real people need is a warning, and only where the site is not in debug mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.utils.functional import Promise

from django_faceverify import consent
from django_faceverify.checks.findings import Messages, error, unknown_keys, warning
from django_faceverify.conf import (
    CONSENT_DEFAULTS,
    CONSENT_TEXT_DEFAULTS,
    DEMO_TEXT,
    LEGAL_DEFAULTS,
    LEVEL_DEFAULTS,
    app_settings,
)

#: as long as the columns of a consent
MAX_VERSION, MAX_PURPOSE, MAX_LOCALE = 50, 50, 20

WHERE = "FACEVERIFY['CONSENT']"


@register(Tags.compatibility)
def check_consent(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Shapes first; what real people need only when all of them are right."""
    try:
        raw, providers, levels = app_settings.raw, app_settings.PROVIDERS, app_settings.LEVELS
    except ImproperlyConfigured:
        return []  # the checks of the settings say so
    if not all(isinstance(entry, dict) for entry in [*providers.values(), *levels.values()]):
        return []  # this too
    messages = list(_consent(raw.get("CONSENT", {})))
    messages += _alternative("FACEVERIFY", raw.get("ALTERNATIVE_URL", ""))
    for alias, entry in providers.items():
        messages += _legal(f"FACEVERIFY['PROVIDERS'][{alias!r}]", entry)
    for name, entry in levels.items():
        if entry.get("ALTERNATIVE_URL") is not None:
            where = f"FACEVERIFY['LEVELS'][{name!r}]"
            messages += _alternative(where, entry["ALTERNATIVE_URL"])
    if not messages and not app_settings.is_debug:
        messages += _for_real_people()
    return messages


def _consent(given: Any) -> Messages:
    if not isinstance(given, dict):
        yield error("E140", f"{WHERE} must be a dict.", f"Keys: {', '.join(CONSENT_DEFAULTS)}.")
        return
    yield from unknown_keys(given, CONSENT_DEFAULTS, WHERE, "E141")
    entry = {**CONSENT_DEFAULTS, **given}
    if not isinstance(entry["REQUIRED"], bool):
        yield error("E142", f"{WHERE}['REQUIRED'] must be True or False.", "Default: True.")
    texts = entry["TEXTS"]
    if not isinstance(texts, dict) or not texts:
        yield error(
            "E143",
            f"{WHERE}['TEXTS'] must be a dict of versions with at least one.",
            'Such as {"2026-1": {"TEXT": {"en": "I agree that ..."}}}.',
        )
        return
    for version, text in texts.items():
        yield from _version(version, text)
    if not isinstance(entry["CURRENT"], str) or entry["CURRENT"] not in texts:
        yield error(
            "E146",
            f"{WHERE}['CURRENT'] is not a version in TEXTS.",
            "Set it to the version that people are to accept now.",
        )


def _version(version: Any, text: Any) -> Messages:
    where = f"{WHERE}['TEXTS'][{version!r}]"
    if not _is_word(version, MAX_VERSION) or not isinstance(text, dict):
        yield error(
            "E143",
            f"{where}: a version is 1 to {MAX_VERSION} visible characters, and what it says a dict.",
            f"Keys: {', '.join(CONSENT_TEXT_DEFAULTS)}.",
        )
        return
    yield from unknown_keys(text, CONSENT_TEXT_DEFAULTS, where, "E141")
    entry = {**CONSENT_TEXT_DEFAULTS, **text}
    ways = [entry["TEXT"], entry["TEMPLATE"]]
    if not all(isinstance(way, dict) for way in ways) or not _is_word(
        entry["PURPOSE"], MAX_PURPOSE
    ):
        yield error(
            "E144",
            f"{where}: TEXT and TEMPLATE are dicts by language, and PURPOSE is a short word.",
            'Such as {"PURPOSE": "face_verification", "TEXT": {"en": "I agree that ..."}}.',
        )
        return
    if not _are_aliases(entry["PROVIDERS"]):
        yield error(
            "E144",
            f"{where}['PROVIDERS'] must be a list of aliases of FACEVERIFY['PROVIDERS'].",
            "Those that the text names besides the level's own.",
        )
    locales = [locale for way in ways for locale in way]
    texts = [said for way in ways for said in way.values()]
    is_clear = len(locales) == len(set(locales)) > 0
    if not is_clear or not all(_is_word(locale, MAX_LOCALE) for locale in locales):
        yield error(
            "E144",
            f"{where} needs each language once, in TEXT or in TEMPLATE.",
            "Name languages as Django does, such as 'en' and 'zh-hans'.",
        )
    if not all(_is_text(said) for said in texts):
        yield error(
            "E144",
            f"{where} has a language without a text.",
            "Write it, or leave the language out.",
        )
        return
    yield from _templates(where, entry["TEMPLATE"])


def _templates(where: str, names: dict[str, str]) -> Messages:
    for name in names.values():
        try:
            consent.template(name)
        except (TemplateDoesNotExist, TemplateSyntaxError):
            yield error(
                "E145",
                f"{where}: the template {name!r} is not there, or is none.",
                "It lies in a folder of TEMPLATES, or in the folder templates of an app.",
            )


def _legal(where: str, entry: dict[str, Any]) -> Messages:
    given = entry.get("LEGAL", {})
    if not isinstance(given, dict) or not all(
        isinstance(value, str | Promise) for value in given.values()
    ):
        yield error(
            "E147",
            f"{where}['LEGAL'] must be a dict of texts.",
            f"Keys: {', '.join(LEGAL_DEFAULTS)}.",
        )
        return
    yield from unknown_keys(given, LEGAL_DEFAULTS, f"{where}['LEGAL']", "E141")


def _alternative(where: str, given: Any) -> Messages:
    if not isinstance(given, str | Promise) or not _is_address(str(given)):
        yield error(
            "E148",
            f"{where}['ALTERNATIVE_URL'] is not an address.",
            "Begin with https://, or with / for a page of this site.",
        )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if not text or (text.startswith("/") and not parts.netloc):
        return not set(text) & set("\r\n\t ")
    return parts.scheme in ("https", "http") and bool(parts.netloc)


def _for_real_people() -> Messages:
    levels = {name: LEVEL_DEFAULTS | entry for name, entry in app_settings.LEVELS.items()}
    live = {name: str(entry["PROVIDER"]) for name, entry in levels.items() if entry["LIVE"]}
    if not live:
        return
    rules = app_settings.consent
    if not rules.is_required:
        yield warning(
            "W149",
            f"{WHERE}['REQUIRED'] is off: providers are asked about people without a record that "
            "they agreed.",
            "Keep it on, unless your site keeps such records itself and checks them before.",
        )
    elif rules.texts[rules.current] == DEMO_TEXT:
        yield warning(
            "W150",
            "The consent text is the shipped demonstration, which names nobody and asks for nothing "
            "in your name.",
            f"Write your own, with a version of its own, in {WHERE}['TEXTS'].",
        )
    yield from _of_levels(live)


def _of_levels(live: dict[str, str]) -> Messages:
    for name, alias in live.items():
        where = f"FACEVERIFY['LEVELS'][{name!r}]"
        if not app_settings.alternative_url(name):
            yield warning(
                "W151",
                f"{where} shows no other way to verify, for people who do not want or cannot use "
                "this one.",
                "Set ALTERNATIVE_URL there, or for all levels in FACEVERIFY.",
            )
        facts = app_settings.legal(alias)
        if alias in app_settings.PROVIDERS and not (facts.name and facts.contact):
            yield warning(
                "W152",
                f"{where}: people are not told who compares their faces.",
                f"Set NAME and CONTACT in FACEVERIFY['PROVIDERS'][{alias!r}]['LEGAL'].",
            )


def _are_aliases(value: Any) -> bool:
    known = app_settings.PROVIDERS
    return isinstance(value, list | tuple) and all(
        isinstance(alias, str) and alias in known for alias in value
    )


def _is_word(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _is_text(value: Any) -> bool:
    return isinstance(value, str | Promise) and bool(str(value).strip())
