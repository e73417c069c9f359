"""Everything that a person, a site or a reviewer can ask for. The doors call this.

Each function validates first, then stores in one transaction, then wakes a worker after the
commit. A refused request has stored nothing and called nobody.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_faceverify import consent as consents
from django_faceverify import identity, inputs, lifecycle, quotas, redaction, sealing, tasks
from django_faceverify.conf import Level, app_settings
from django_faceverify.exceptions import Conflict, InputError
from django_faceverify.models import Consent, Event, Photo, Verification
from django_faceverify.models.clock import db_now
from django_faceverify.models.transactions import committed
from django_faceverify.reasons import (
    REASONS,
    Category,
    ReasonCode,
    RedactionReason,
)
from django_faceverify.reviewing import review as review  # what reviewers ask for
from django_faceverify.submission import Submission as Submission  # callers find it here
from django_faceverify.submission import check, stored

Status = Verification.Status


@sensitive_variables()
def create(
    *,
    user: Any,
    idcard_name: object,
    idcard_number: object,
    level: object = "default",
    reference: object = "",
    metadata: object = None,
    consent: object = None,
    submission: Submission | None = None,
    is_level_free: bool = True,
    consent_method: str = Consent.Method.SITE,
) -> Verification:
    """Open a case for one person's claim of identity, with or without a photo.

    A photo needs ``consent``, and a child's case that of a guardian; without a photo it may
    come later. ``consent_method`` says by which way it was given.

    ``is_level_free`` is for callers whom the site trusts to choose; others may name only
    the levels that are open to them.
    With a photo it is ``processing`` at once, otherwise ``requires_input``. Raises
    ``InputError`` for anything that cannot be used; then nothing was stored.
    """
    level_ = _level(level)
    if not (is_level_free or level_.is_open):
        raise InputError("level_unknown", "level")
    name = identity.normalize_name(idcard_name)
    number = identity.normalize_number(idcard_number, is_live=level_.is_live)
    grant = consents.read(consent, level_)
    consents.demand(number, grant, for_photo=submission is not None)
    verification = Verification(
        user=user if user is not None and user.pk else None,
        reference=inputs.reference(reference),
        level=level_.name,
        is_live=level_.is_live,
        metadata=inputs.metadata(metadata),
    )
    _set_identity(verification, name, number)
    picture = check(submission, level_) if submission else None
    actor = lifecycle.user_actor(user)
    facts = grant.facts if grant else {}

    def open_case(stored: Photo | None) -> None:
        verification.save(force_insert=True)
        Verification.objects.filter(pk=verification.pk).update(
            expires_at=db_now(app_settings.EXPIRES_AFTER)
        )
        Event.objects.append_locked(verification, "created", actor=actor, data=facts)
        if grant:
            consents.write(verification, grant, method=consent_method)
        if stored:
            _enqueue(verification, stored, actor=actor)

    verification.created_at = verification.updated_at = verification.expires_at = timezone.now()
    with stored(picture) as photo:
        committed(lambda: open_case(photo))
    verification.refresh_from_db()
    return verification


@sensitive_variables()
def submit(
    verification: Verification,
    submission: Submission,
    *,
    user: Any,
    idcard_name: object = None,
    idcard_number: object = None,
    consent: object = None,
    consent_method: str = Consent.Method.SITE,
) -> Verification:
    """Take a photo for a case that waits for one: validate, store, wake a worker.

    A person whose details and photo were said not to match may correct the details with the
    next photo (whatever was wrong: the answer must not tell which). ``consent`` is needed
    where none was given before. Raises ``InputError``, ``SealBroken``, or ``Conflict`` when no photo is asked for.
    """
    if verification.status != Status.REQUIRES_INPUT:
        raise Conflict("not_waiting_for_photo")
    level = _level(verification.level)
    correction = _correction(verification, idcard_name, idcard_number)
    number = correction["number"] if correction else verification.idcard_number.unseal()
    grant = consents.read(consent, level)
    consents.demand(number, grant, verification=verification, for_photo=True)
    picture = check(submission, level)
    actor = lifecycle.user_actor(user)

    def take(stored: Photo) -> None:
        if grant:
            _put_on_record(verification, grant, actor=actor, method=consent_method)
        _enqueue(verification, stored, actor=actor, correction=correction)

    with stored(picture) as photo:
        assert photo is not None  # noqa: S101 (a picture was given, so it was stored)
        committed(lambda: take(photo))
    verification.refresh_from_db()
    return verification


@sensitive_variables()
def give_consent(
    verification: Verification,
    consent: object,
    *,
    user: Any,
    consent_method: str = Consent.Method.SITE,
) -> Verification:
    """Put a consent on record for a case that is not decided, and go on if it waits for that.

    Raises ``InputError`` for a consent that is none, ``Conflict`` when it comes too late.
    """
    grant = consents.read(consent, _level(verification.level))
    if grant is None:
        raise InputError("consent_required", "consent")
    actor = lifecycle.user_actor(user)

    @sensitive_variables()
    def give() -> None:
        current = Verification.objects.select_for_update().get(pk=verification.pk)
        if current.is_final:
            raise Conflict("already_final")
        consents.demand(
            current.idcard_number.unseal(), grant, verification=current, for_photo=False
        )
        _put_on_record(current, grant, actor=actor, method=consent_method)
        if current.status == Status.PROCESSING:
            tasks.wake(current.pk)

    committed(give)
    verification.refresh_from_db()
    return verification


def withdraw_consent(verification: Verification, *, user: Any) -> Verification:
    """End what is not decided and destroy the personal data, as the person wishes.

    A call that is under way cannot be called back; its answer decides nothing. May be asked
    for again. Raises ``Conflict`` when there never was a consent.
    """
    actor, reason = lifecycle.user_actor(user), ReasonCode.CONSENT_WITHDRAWN

    def withdraw() -> None:
        current = Verification.objects.select_for_update().get(pk=verification.pk)
        if not current.consents.exists():
            raise Conflict("consent_not_given")
        if consents.withdraw(current):
            Event.objects.append_locked(current, "consent_withdrawn", actor=actor)
        lifecycle.move(current, "cancel", actor=actor, reason_code=reason)
        redaction.redact(current, actor=actor, reason_code=reason)

    committed(withdraw)
    verification.refresh_from_db()
    return verification


def cancel(verification: Verification, *, user: Any, is_staff: bool = False) -> Verification:
    """End a case that is not decided. Raises ``Conflict`` when it is."""
    reason = ReasonCode.CANCELED_BY_STAFF if is_staff else ReasonCode.CANCELED_BY_SUBJECT
    if not lifecycle.move(
        verification, "cancel", actor=lifecycle.user_actor(user), reason_code=reason
    ):
        raise Conflict("already_final")
    verification.refresh_from_db()
    return verification


def redact(verification: Verification, *, user: Any, is_staff: bool = False) -> Verification:
    """Destroy the personal data of a case, for ever; a case under way is canceled first.

    The decision and the history stay. Doing it again changes nothing.
    """
    reason = RedactionReason.STAFF_REQUEST if is_staff else RedactionReason.SUBJECT_REQUEST
    redaction.redact(verification, actor=lifecycle.user_actor(user), reason_code=reason)
    verification.refresh_from_db()
    return verification


@sensitive_variables()
def find_by_idcard_number(idcard_number: object) -> Any:
    """All verifications about one ID number, through the blind index."""
    number = identity.parse_number(idcard_number)
    return Verification.objects.filter(idcard_number_index__in=sealing.blind_indexes(number))


def _put_on_record(
    verification: Verification, grant: consents.Grant, *, actor: str, method: str
) -> None:
    """A consent that comes after its case was opened is an event of its own, once."""
    if not consents.is_on_record(verification, grant):
        Event.objects.append(verification, "consent_given", actor=actor, data=grant.facts)
        consents.write(verification, grant, method=method)


@sensitive_variables()
def _enqueue(
    verification: Verification,
    stored: Photo,
    *,
    actor: str,
    correction: dict[str, str] | None = None,
) -> None:
    """Move the case to the queue with its new photo; the row is the message."""
    if correction:
        _set_identity(verification, **correction)
        verification.save(
            update_fields=[
                "idcard_name",
                "idcard_number",
                "idcard_number_index",
                "idcard_number_mask",
            ]
        )
    quotas.admit_submission(verification)
    if not lifecycle.move(
        verification,
        "submit",
        actor=actor,
        data={"photo": str(stored.pk), "source": stored.source, "corrected": bool(correction)},
        stage=Verification.Stage.WAITING,
        next_run_at=db_now(),
        deadline_at=db_now(app_settings.DEADLINE),
        similarity=None,
        unrecorded_count=0,
        retry_count=0,
        photo_count=F("photo_count") + 1,
        holds=Verification.Holding.PHOTOS,
    ):
        raise Conflict("not_waiting_for_photo")
    verification.refresh_from_db(fields=["photo_count"])
    stored.verification = verification
    stored.number = verification.photo_count
    stored.save(force_insert=True)
    tasks.wake(verification.pk)


@sensitive_variables()
def _set_identity(verification: Verification, name: str, number: str) -> None:
    verification.idcard_name = name
    verification.idcard_number = number
    verification.idcard_number_index = sealing.blind_index(number)
    verification.idcard_number_mask = identity.mask_number(number)


@sensitive_variables()
def _correction(
    verification: Verification, idcard_name: object, idcard_number: object
) -> dict[str, str] | None:
    if idcard_name is None and idcard_number is None:
        return None
    if verification.redacted_at is not None:
        raise Conflict("not_waiting_for_photo")
    reason = REASONS.get(verification.reason_code)
    if reason is None or reason.category not in (Category.MISMATCH, Category.IDENTITY):
        raise Conflict("correction_not_asked")
    name = idcard_name if idcard_name is not None else verification.idcard_name.unseal()
    number = idcard_number if idcard_number is not None else verification.idcard_number.unseal()
    return {
        "name": identity.normalize_name(name),
        "number": identity.normalize_number(number, is_live=verification.is_live),
    }


def _level(name: object) -> Level:
    if not isinstance(name, str) or name not in app_settings.LEVELS:
        raise InputError("level_unknown", "level")
    return app_settings.level(name)


def by_id(queryset: Any, verification_id: object) -> Verification | None:
    """The verification of that id in a queryset, or ``None``; any text may be asked for."""
    try:
        key = UUID(str(verification_id))
    except ValueError:
        return None
    found: Verification | None = queryset.filter(pk=key).first()
    return found
