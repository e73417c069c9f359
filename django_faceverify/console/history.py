"""Events as a reader's history: who did what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from django_faceverify.console import similarity
from django_faceverify.models import Event, Photo
from django_faceverify.reasons import ReasonCode

PHOTO_VIEWED = "photo_viewed"

ACTIONS: dict[str, str | Promise] = {
    "created": pgettext_lazy("event", "created"),
    "submitted": gettext_lazy("photo submitted"),
    "called": gettext_lazy("provider called"),
    "verified": gettext_lazy("verified"),
    "rejected": gettext_lazy("rejected"),
    "review_opened": gettext_lazy("sent to review"),
    "input_required": gettext_lazy("asked for another photo"),
    "canceled": gettext_lazy("canceled"),
    "expired": gettext_lazy("expired"),
    "revealed": gettext_lazy("sealed data revealed"),
    "redacted": gettext_lazy("personal data destroyed"),
    PHOTO_VIEWED: gettext_lazy("photo looked at"),
}

FACTS: dict[str, str | Promise] = {
    "attempt": gettext_lazy("attempt"),
    "column": gettext_lazy("column"),
    "consent_text_version": gettext_lazy("consent text"),
    "corrected": gettext_lazy("details corrected"),
    "photo": gettext_lazy("photo"),
    "provider": gettext_lazy("provider"),
    "reason": gettext_lazy("reason"),
    "session_id": gettext_lazy("session id"),
    "similarity": gettext_lazy("similarity"),
    "source": gettext_lazy("source"),
    "state": gettext_lazy("state"),
    "thresholds": gettext_lazy("thresholds"),
}

SOURCES = dict(Photo.Source.choices)


@dataclass(frozen=True)
class Entry:
    """One event in words."""

    event: Event
    action: str
    actor: str
    reason: str
    facts: list[tuple[str, str]]


def tell(
    events: Iterable[Event], *, names: Mapping[str, str], photo_numbers: Mapping[str, int]
) -> list[Entry]:
    """``names`` are users by key; photos are called by their number instead of their id."""
    return [
        Entry(
            event=event,
            action=str(ACTIONS.get(event.action, event.action)),
            actor=_actor(event.actor, names),
            reason=_reason(event.reason_code),
            facts=_facts(event.data, photo_numbers),
        )
        for event in events
    ]


def names_of_users(events: Iterable[Event]) -> dict[str, str]:
    """The user names of all who acted in these events, by one query."""
    keys = {key for event in events if (key := _user_key(event.actor))}
    users = get_user_model()._default_manager.filter(pk__in=keys)
    return {str(user.pk): user.get_username() for user in users}


def _user_key(actor: str) -> str:
    kind, _colon, key = actor.partition(":")
    return key if kind == "user" else ""


def _actor(actor: str, names: Mapping[str, str]) -> str:
    kind, _colon, key = actor.partition(":")
    if kind == "user":
        return names.get(key) or _("user %(key)s") % {"key": key}
    return {"system": _("system"), "anonymous": _("the person")}.get(actor, actor)


def _reason(reason_code: str) -> str:
    return str(dict(ReasonCode.choices).get(reason_code, reason_code))


def _facts(data: Mapping[str, Any], photo_numbers: Mapping[str, int]) -> list[tuple[str, str]]:
    known = {key: value for key, value in data.items() if value not in (None, "", False)}
    if "photo" in known:
        known["photo"] = photo_numbers.get(str(known["photo"]), known["photo"])
    if "source" in known:
        known["source"] = SOURCES.get(known["source"], known["source"])
    return [(str(FACTS.get(key, key)), _text(value)) for key, value in known.items()]


def _text(value: Any) -> str:
    if value is True:
        return _("yes")
    if isinstance(value, list):
        return " / ".join(map(_text, value))
    return similarity.shown(similarity.floor(value)) if isinstance(value, float) else str(value)
