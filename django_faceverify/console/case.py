"""What stands on the page of one case, collected by a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify import reopening
from django_faceverify.audit import chains
from django_faceverify.conf import app_settings
from django_faceverify.consent import text_of
from django_faceverify.console import cells, history
from django_faceverify.console.history import Entry
from django_faceverify.console.keeping import Keeping
from django_faceverify.console.kin import Kin
from django_faceverify.console.similarity import Scale
from django_faceverify.disclosure import told_to_subject
from django_faceverify.models import (
    Consent,
    Event,
    Judgement,
    Photo,
    Review,
    Verification,
    VerificationAttempt,
)
from django_faceverify.reasons import (
    REASONS,
    Category,
    FixableBy,
    Reason,
    ReasonCode,
    ReopenReason,
)
from django_faceverify.reopening import Proposal

#: the newest attempts and events are shown, as many as a person may want to read
SHOWN = 100

FIXABLE_BY: dict[FixableBy, str | Promise] = {
    FixableBy.SUBJECT: _("the person"),
    FixableBy.REVIEWER: _("a reviewer"),
    FixableBy.SITE: _("this site"),
    FixableBy.PROVIDER: _("the provider"),
    FixableBy.NOBODY: _("nobody"),
}

MEANINGS: dict[Category, str | Promise] = {
    Category.MISMATCH: _("The photo was compared, and is not of the same person."),
    Category.PHOTO: _("The photo cannot be compared; another one may."),
    Category.IDENTITY: _("Name and number do not belong together."),
    Category.REGISTRY: _("The register cannot answer for this person."),
    Category.PROVIDER: _("The call failed. It says nothing about the person."),
    Category.LIMIT: _("A limit or a clock, not a comparison, ended or delayed it."),
    Category.REVIEWER: _("A person judges it, or has judged it."),
}

#: where the category says too little to somebody who is to judge
MEANINGS_OF: dict[str, str | Promise] = {
    ReasonCode.LOW_SIMILARITY: _("Too alike to refuse, and not alike enough to verify."),
    ReasonCode.OUTCOME_UNKNOWN: _("The photo was sent, and no answer came back."),
    ReasonCode.PHOTO_LOST: _("The photo could not be read here; nothing was compared."),
    ReasonCode.CANCELED_BY_SUBJECT: _("The person ended it; nothing was decided."),
    ReasonCode.CANCELED_BY_STAFF: _("Somebody of the site ended it; nothing was decided."),
    ReasonCode.CONSENT_WITHDRAWN: _("The person ended it; nothing was decided."),
    ReasonCode.REOPENED: _("Two people have taken a decision back; it is judged anew."),
}


@dataclass(frozen=True)
class Viewer:
    """What the person at the screen may do with this case."""

    may_see_photos: bool
    may_review: bool
    may_reveal: bool
    may_override: bool
    may_redact: bool
    is_own_case: bool
    actor: str
    key: Any


@dataclass(frozen=True)
class PhotoCard:
    """One photo, or why it is not shown."""

    photo: Photo
    url: str
    why_not: str | Promise
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class AttemptLine:
    """One attempt, with what needs putting into words."""

    attempt: VerificationAttempt
    is_withheld: bool
    state: str
    similarity: str
    duration: str


@dataclass(frozen=True)
class ConsentLine:
    """One consent, and what was read, while the settings still know it."""

    record: Consent
    text: str


class Case:
    """A verification as one person may see it."""

    def __init__(
        self,
        verification: Verification,
        viewer: Viewer,
        *,
        visible: QuerySet[Verification],
        photo_url: Callable[[Photo], str],
        photo_facts: Callable[[Photo], list[tuple[str, str]]],
    ) -> None:
        self.verification = verification
        self.viewer = viewer
        self._visible = visible
        self._photo_url = photo_url
        self._photo_facts = photo_facts

    @property
    def status(self) -> str:
        return cells.badge(self.verification.status, self.verification.get_status_display())

    @property
    def scale(self) -> Scale | None:
        return Scale.of(self.verification)

    @property
    def reason(self) -> Reason | None:
        return REASONS.get(self.verification.reason_code)

    @property
    def meaning(self) -> str | Promise:
        if self.reason is None:
            return ""
        code = self.verification.reason_code
        return MEANINGS_OF.get(code) or MEANINGS.get(self.reason.category, "")

    @property
    def told_to_subject(self) -> str:
        return told_to_subject(self.verification.status, self.verification.reason_code)

    @property
    def fixable_by(self) -> str | Promise:
        return FIXABLE_BY[self.reason.fixable_by] if self.reason else ""

    @property
    def is_level_gone(self) -> bool:
        """Whether the site has removed the level: the rules of ``default`` hold then."""
        return self.verification.level not in app_settings.LEVELS

    @property
    def is_in_review(self) -> bool:
        return self.verification.status == Verification.Status.IN_REVIEW

    @cached_property
    def review(self) -> Review | None:
        """The work on the case while it is in review."""
        rows = Review.objects.select_related("claimed_by")
        return rows.filter(pk=self.verification.pk).first() if self.is_in_review else None

    @cached_property
    def own_judgement(self) -> Judgement | None:
        """What this person has judged; what others think is not shown before it holds."""
        if not self.is_in_review:
            return None
        return self.verification.judgements.filter(actor=self.viewer.actor).first()

    @property
    def is_held(self) -> bool:
        return self.review is not None and self.review.stage == Review.Stage.HELD

    @property
    def is_for_second(self) -> bool:
        return self.review is not None and self.review.stage == Review.Stage.SECOND

    @property
    def is_claimed(self) -> bool:
        """Whether somebody works on it at this moment."""
        until = self.review.claimed_until if self.review else None
        return until is not None and until > timezone.now()

    @property
    def is_mine(self) -> bool:
        row = self.review
        return row is not None and self.is_claimed and row.claimed_by_id == self.viewer.key

    @property
    def can_judge(self) -> bool:
        """Whether the judgement is this person's to make, whoever works on it at the moment."""
        may = self.is_in_review and self.viewer.may_review and not self.viewer.is_own_case
        return may and not self.is_held and self.own_judgement is None

    @property
    def can_decide(self) -> bool:
        return self.can_judge and (self.is_mine or not self.is_claimed)

    @property
    def can_cancel(self) -> bool:
        return self.viewer.may_review and not self.verification.is_final

    @property
    def can_redact(self) -> bool:
        may = self.viewer.may_redact and not self.viewer.is_own_case
        return may and self.verification.redacted_at is None

    @property
    def can_reveal(self) -> bool:
        may = self.viewer.may_reveal and not self.viewer.is_own_case
        return may and bool(self.verification.idcard_number)

    @property
    def can_override(self) -> bool:
        may = self.viewer.may_override and not self.viewer.is_own_case
        is_decided = self.verification.status in reopening.DECIDED
        return may and is_decided and self.verification.redacted_at is None

    @cached_property
    def proposal(self) -> Proposal | None:
        """Somebody's wish to take the decision back, for those who may confirm it."""
        return reopening.pending(self.verification) if self.can_override else None

    @property
    def is_own_proposal(self) -> bool:
        return self.proposal is not None and self.proposal.actor == self.viewer.actor

    @property
    def proposal_reason(self) -> str:
        return str(ReopenReason(self.proposal.reason).label) if self.proposal else ""

    @property
    @sensitive_variables()
    def review_note(self) -> str | Promise:
        """The reviewer's note, for those who review."""
        return cells.note(self.verification.review_note) if self.viewer.may_review else ""

    @cached_property
    def attempts(self) -> list[AttemptLine]:
        """The newest first."""
        return [
            AttemptLine(
                attempt=attempt,
                is_withheld=cells.is_withheld(attempt),
                state=cells.badge(attempt.state, attempt.get_state_display()),
                similarity=cells.number(attempt.similarity),
                duration=cells.duration(attempt.duration_ms),
            )
            for attempt in self.verification.attempts.order_by("-number", "role")[:SHOWN]
        ]

    @cached_property
    def consents(self) -> list[ConsentLine]:
        """The newest first."""
        return [
            ConsentLine(record, text_of(record, self.verification.level))
            for record in self.verification.consents.order_by("-given_at")[:SHOWN]
        ]

    @cached_property
    def photos(self) -> list[PhotoCard]:
        """The newest first."""
        return [self._card(photo) for photo in self._photos]

    @cached_property
    def earlier_photos(self) -> list[PhotoCard]:
        """Of other cases about the same number: the nearest to a portrait that there is."""
        if self.kin is None or not self.viewer.may_see_photos:
            return []
        return [self._card(photo) for photo in self.kin.photos]

    @cached_property
    def kin(self) -> Kin | None:
        """Other cases about the same number or with the same photo, for those who review."""
        if not self.viewer.may_review:
            return None
        return Kin.of(self.verification, self._photos, self._visible)

    @property
    def keeping(self) -> Keeping:
        return Keeping.of(self.verification)

    @property
    def last_event_number(self) -> int:
        """Which event was the newest when the page was made."""
        return self._events[0].number if self._events else 0

    def changes_since(self, number: int) -> list[Entry]:
        """What has happened after the event of that number."""
        return self._tell([event for event in self._events if event.number > number])

    @property
    def history(self) -> list[Entry]:
        return self._tell(self._events)

    @cached_property
    def is_history_intact(self) -> bool:
        """Whether nobody changed the events; a cut-off end only the root of the day shows."""
        return chains.is_intact(self.verification)

    @property
    def looks(self) -> list[Entry]:
        """Who looked at a photo, and when; kept apart, or they would bury the history."""
        return self._tell(self._looks)

    @cached_property
    def _photos(self) -> list[Photo]:
        return list(self.verification.photos.order_by("-number"))

    @cached_property
    def _events(self) -> list[Event]:
        events = self.verification.events.exclude(action__in=history.LOOKS)
        return list(events.order_by("-number")[:SHOWN])

    @cached_property
    def _looks(self) -> list[Event]:
        events = self.verification.events.filter(action__in=history.LOOKS)
        return list(events.order_by("-number")[:SHOWN])

    @cached_property
    def _names(self) -> dict[str, str]:
        return history.names_of_users([*self._events, *self._looks])

    def _tell(self, events: list[Event]) -> list[Entry]:
        numbers = {str(photo.pk): photo.number for photo in self._photos}
        return history.tell(events, names=self._names, photo_numbers=numbers)

    def _card(self, photo: Photo) -> PhotoCard:
        why_not = self._why_not(photo)
        return PhotoCard(
            photo,
            "" if why_not else self._photo_url(photo),
            why_not,
            self._photo_facts(photo) if self.viewer.may_see_photos else [],
        )

    def _why_not(self, photo: Photo) -> str | Promise:
        if photo.purged_at:
            return _("This photo has been destroyed.")
        if not photo.file_name:
            return _("Given by its address, which the provider fetched: there is no copy here.")
        if not self.viewer.may_see_photos:
            return _("You may not see photos. It takes the permission to view photos.")
        return ""
