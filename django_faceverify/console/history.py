"""Events as a reader's history: who did what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from django_faceverify import looks
from django_faceverify.console import similarity
from django_faceverify.models import Consent, Event, Judgement, Photo
from django_faceverify.reasons import ReasonCode, RedactionReason, ReopenReason, RevealReason

#: looks, and what may become one
LOOKS = (looks.VIEWED, looks.SENT_AHEAD)

ACTIONS: dict[str, str | Promise] = {
    "created": pgettext_lazy("event", "created"),
    "submitted": gettext_lazy("photo submitted"),
    "consent_given": gettext_lazy("consent given"),
    "consent_withdrawn": gettext_lazy("consent withdrawn"),
    "called": gettext_lazy("provider called"),
    "answered_late": gettext_lazy("provider answered late"),
    "shadow_called": gettext_lazy("second provider called, which decides nothing"),
    "asked": gettext_lazy("provider asked, and it knew"),
    "verified": gettext_lazy("verified"),
    "rejected": gettext_lazy("rejected"),
    "review_opened": gettext_lazy("sent to review"),
    "input_required": gettext_lazy("asked for another photo"),
    "canceled": gettext_lazy("canceled"),
    "expired": gettext_lazy("expired"),
    "review_proposed": gettext_lazy("judged; a second person has to agree"),
    "review_held": gettext_lazy("decided, not yet in force"),
    "review_undone": gettext_lazy("judgement taken back"),
    "review_disagreed": gettext_lazy("second judgement differs from the first"),
    "revealed": gettext_lazy("sealed data revealed"),
    "reveal_refused": gettext_lazy("reveal refused"),
    "permission_refused": gettext_lazy("permission refused"),
    "reopen_requested": gettext_lazy("proposed to take the decision back"),
    "reopened": gettext_lazy("decision taken back"),
    "redacted": gettext_lazy("personal data destroyed"),
    "token_issued": gettext_lazy("client token issued"),
    "token_revoked": gettext_lazy("client token taken back"),
    "photos_destroyed": gettext_lazy("photos destroyed"),
    looks.VIEWED: gettext_lazy("photo looked at"),
    looks.SENT_AHEAD: gettext_lazy("photo fetched ahead, not yet looked at"),
}

FACTS: dict[str, str | Promise] = {
    "attempt": gettext_lazy("attempt"),
    "column": gettext_lazy("column"),
    "confirmed_by": gettext_lazy("confirmed by"),
    "consent_given_by": gettext_lazy("consent by"),
    "consent_text_sha256": gettext_lazy("SHA-256 of the text"),
    "consent_text_version": gettext_lazy("consent text"),
    "corrected": gettext_lazy("details corrected"),
    "count": gettext_lazy("photos"),
    "decisions": gettext_lazy("decisions"),
    "far_table": gettext_lazy("table of rates"),
    "origins": gettext_lazy("origins"),
    "permission": gettext_lazy("permission"),
    "photo": gettext_lazy("photo"),
    "provider": gettext_lazy("provider"),
    "purposes": gettext_lazy("purposes"),
    "reason": gettext_lazy("reason"),
    "review_far": gettext_lazy("false accept rate for review"),
    "rule": gettext_lazy("clock"),
    "session_id": gettext_lazy("session id"),
    "similarity": gettext_lazy("similarity"),
    "source": gettext_lazy("source"),
    "state": gettext_lazy("state"),
    "target_far": gettext_lazy("false accept rate aimed at"),
    "thresholds": gettext_lazy("thresholds"),
    "token": gettext_lazy("client token"),
}

COLUMNS: dict[str, str | Promise] = {
    "idcard_name": gettext_lazy("Name"),
    "idcard_number": gettext_lazy("ID number"),
}
SOURCES = dict(Photo.Source.choices)
GIVERS = dict(Consent.Giver.choices)
DECISIONS = dict(Judgement.Decision.choices)
REASON_LABELS = dict([*ReasonCode.choices, *RedactionReason.choices])

#: what stands in ``data["reason"]``, by action
REASONS_OF: dict[str, type[RevealReason | ReopenReason]] = {
    "revealed": RevealReason,
    "reopen_requested": ReopenReason,
    "reopened": ReopenReason,
}

#: what reviewers do: ``data["reason"]`` is the other person's ``ReasonCode``
REVIEWED = frozenset({"verified", "rejected", "input_required", "review_disagreed"})


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
            facts=_facts(event, photo_numbers, names),
        )
        for event in events
    ]


def names_of_users(events: Iterable[Event]) -> dict[str, str]:
    """The user names of all who acted in these events, by one query."""
    actors = (actor for event in events for actor in (event.actor, _second_of(event)))
    keys = {key for actor in actors if (key := _user_key(actor))}
    users = get_user_model()._default_manager.filter(pk__in=keys)
    return {str(user.pk): user.get_username() for user in users}


def _second_of(event: Event) -> str:
    """Who has agreed with the actor."""
    return str(event.data.get("confirmed_by", ""))


def _user_key(actor: str) -> str:
    kind, _colon, key = actor.partition(":")
    return key if kind == "user" else ""


def _actor(actor: str, names: Mapping[str, str]) -> str:
    kind, _colon, key = actor.partition(":")
    if kind == "user":
        return names.get(key) or _("user %(key)s") % {"key": key}
    if kind == "token":
        return _("the person, by client token")
    return {"system": _("system"), "anonymous": _("the person")}.get(actor, actor)


def _reason(reason_code: str) -> str:
    return str(REASON_LABELS.get(reason_code, reason_code))


def reason_label(event: Event) -> str:
    """Why somebody says they did it; a code that is not of a list stays as it is."""
    code = str(event.data.get("reason", ""))
    reasons = REASONS_OF.get(event.action)
    if reasons is None and event.action in REVIEWED:
        return _reason(code)
    return str(reasons(code).label) if reasons and code in reasons.values else code


def _facts(
    event: Event, photo_numbers: Mapping[str, int], names: Mapping[str, str]
) -> list[tuple[str, str]]:
    known = {key: value for key, value in event.data.items() if value not in (None, "", False)}
    if "photo" in known:
        known["photo"] = photo_numbers.get(str(known["photo"]), known["photo"])
    if "column" in known:
        columns = str(known["column"]).split(", ")
        known["column"] = [str(COLUMNS.get(one, one)) for one in columns]
    if "source" in known:
        known["source"] = SOURCES.get(known["source"], known["source"])
    if "consent_given_by" in known:
        giver = known["consent_given_by"]
        known["consent_given_by"] = GIVERS.get(giver, giver)
    if "confirmed_by" in known:
        known["confirmed_by"] = _actor(_second_of(event), names)
    if "decisions" in known:
        known["decisions"] = [str(DECISIONS.get(one, one)) for one in known["decisions"]]
    if "reason" in known:
        known["reason"] = reason_label(event)
    return [(str(FACTS.get(key, key)), _text(value)) for key, value in known.items()]


def _text(value: Any) -> str:
    if value is True:
        return _("yes")
    if isinstance(value, list):
        return " / ".join(map(_text, value))
    return similarity.shown(similarity.floor(value)) if isinstance(value, float) else str(value)
