"""The outcomes of a verification: codes that stand on its row, from providers and reviewers.

Providers map their own codes onto these.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from django_faceverify.reasons.reason import Category, FixableBy, Reason


class ReasonCode(TextChoices):
    FACE_MISMATCH = "face_mismatch", _("face does not match")
    LOW_SIMILARITY = "low_similarity", _("similarity between the two thresholds")
    ID_NAME_MISMATCH = "id_name_mismatch", _("name and number do not match")
    ID_NUMBER_INVALID = "id_number_invalid", _("number not accepted by the register")
    ID_NAME_INVALID = "id_name_invalid", _("name not accepted by the register")
    ID_NOT_FOUND = "id_not_found", _("number not in the register")
    ID_PHOTO_MISSING = "id_photo_missing", _("no registered portrait")
    ID_PHOTO_POOR = "id_photo_poor", _("registered portrait is poor")
    NO_FACE = "no_face", _("no face found")
    MULTIPLE_FACES = "multiple_faces", _("several faces")
    FACE_INCOMPLETE = "face_incomplete", _("face not complete")
    FACE_COVERED = "face_covered", _("face covered")
    FACE_TOO_SMALL = "face_too_small", _("face too small")
    IMAGE_BLURRY = "image_blurry", _("photo blurred")
    IMAGE_TOO_SMALL = "image_too_small", _("photo too small")
    IMAGE_TOO_LARGE = "image_too_large", _("photo too large")
    IMAGE_UNDECODABLE = "image_undecodable", _("photo cannot be read")
    IMAGE_URL_UNREACHABLE = "image_url_unreachable", _("photo address cannot be fetched")
    SPOOF_SUSPECTED = "spoof_suspected", _("photo of a photo suspected")
    IDENTITY_RATE_LIMITED = "identity_rate_limited", _("too many checks of this person today")
    PROVIDER_THROTTLED = "provider_throttled", _("provider throttles us")
    PROVIDER_UNAVAILABLE = "provider_unavailable", _("provider unavailable")
    PROVIDER_CONFIG = "provider_config", _("provider refuses our configuration")
    PROVIDER_ARREARS = "provider_arrears", _("provider account in arrears")
    PROVIDER_PROTOCOL = "provider_protocol", _("provider's answer not understood")
    OUTCOME_UNKNOWN = "outcome_unknown", _("outcome of the call unknown")
    PHOTOS_EXHAUSTED = "photos_exhausted", _("no photos left")
    BUDGET_SPENT = "budget_spent", _("budget of the day spent")
    DEADLINE_PASSED = "deadline_passed", _("no answer in time")
    WORKER_LOST = "worker_lost", _("processing failed repeatedly")
    PHOTO_LOST = "photo_lost", _("stored photo cannot be opened")
    SEAL_BROKEN = "seal_broken", _("sealed data does not open")
    UNDER_AGE = "under_age", _("under age")
    CONSENT_REQUIRED = "consent_required", _("no consent")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("consent withdrawn")
    NOT_MATCHED = "not_matched", _("details and photo do not match")
    CONFIRMED_BY_DOCUMENT = "confirmed_by_document", _("confirmed by document")
    CONFIRMED_BY_CALL = "confirmed_by_call", _("confirmed in person or by call")
    SAME_PERSON = "same_person", _("same person by eye")
    DIFFERENT_PERSON = "different_person", _("different person by eye")
    FRAUD_SUSPECTED = "fraud_suspected", _("fraud suspected")
    BETTER_PHOTO_NEEDED = "better_photo_needed", _("better photo needed")
    CANCELED_BY_SUBJECT = "canceled_by_subject", _("canceled by the person")
    CANCELED_BY_STAFF = "canceled_by_staff", _("canceled by staff")
    NOT_STARTED_IN_TIME = "not_started_in_time", _("no photo in time")
    REOPENED = "reopened", _("decision taken back by two people")


_NEW_PHOTO = _("Please take a new photo: face the camera, in even light, with nothing in the way.")
_BEING_REVIEWED = _("Your case is being looked at by a person. You need not do anything.")
_IN_PROGRESS = _("This takes longer than usual. You need not do anything.")

OUTCOMES: dict[str, Reason] = {
    ReasonCode.FACE_MISMATCH: Reason(
        Category.MISMATCH,
        FixableBy.SUBJECT,
        _("The photo does not match the registered portrait. Please take a new photo of yourself."),
    ),
    ReasonCode.LOW_SIMILARITY: Reason(Category.REVIEWER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NAME_MISMATCH: Reason(
        Category.IDENTITY,
        FixableBy.SUBJECT,
        _("The name and the ID number do not belong together. Please correct them."),
    ),
    ReasonCode.ID_NUMBER_INVALID: Reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NAME_INVALID: Reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NOT_FOUND: Reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_PHOTO_MISSING: Reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_PHOTO_POOR: Reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.NO_FACE: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("No face was found in the photo. Please take a new one with your face in the middle."),
    ),
    ReasonCode.MULTIPLE_FACES: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("More than one face was found. Please take a photo of yourself alone."),
    ),
    ReasonCode.FACE_INCOMPLETE: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Your face is not fully in the photo. Please take a new one that shows all of it."),
    ),
    ReasonCode.FACE_COVERED: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Something covers your face. Please take a new photo without mask, hat or sunglasses."),
    ),
    ReasonCode.FACE_TOO_SMALL: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Your face is too small in the photo. Please come closer and take a new one."),
    ),
    ReasonCode.IMAGE_BLURRY: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is blurred. Please hold the camera still and take a new one."),
    ),
    ReasonCode.IMAGE_TOO_SMALL: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is too small. Please send one of at least 64 pixels on each side."),
    ),
    ReasonCode.IMAGE_TOO_LARGE: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is too large. Please send a smaller one."),
    ),
    ReasonCode.IMAGE_UNDECODABLE: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo cannot be read; the file may be damaged. Please take a new one."),
    ),
    ReasonCode.IMAGE_URL_UNREACHABLE: Reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo could not be fetched from its address. Please send the photo itself."),
    ),
    ReasonCode.SPOOF_SUSPECTED: Reason(Category.PHOTO, FixableBy.SUBJECT, _NEW_PHOTO),
    ReasonCode.IDENTITY_RATE_LIMITED: Reason(Category.LIMIT, FixableBy.NOBODY, _IN_PROGRESS),
    ReasonCode.PROVIDER_THROTTLED: Reason(Category.PROVIDER, FixableBy.PROVIDER, _IN_PROGRESS),
    ReasonCode.PROVIDER_UNAVAILABLE: Reason(Category.PROVIDER, FixableBy.PROVIDER, _IN_PROGRESS),
    ReasonCode.PROVIDER_CONFIG: Reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.PROVIDER_ARREARS: Reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.PROVIDER_PROTOCOL: Reason(Category.PROVIDER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.OUTCOME_UNKNOWN: Reason(Category.PROVIDER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.PHOTOS_EXHAUSTED: Reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.BUDGET_SPENT: Reason(Category.LIMIT, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.DEADLINE_PASSED: Reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.WORKER_LOST: Reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.PHOTO_LOST: Reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.SEAL_BROKEN: Reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.UNDER_AGE: Reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _(
            "People under 14 need the consent of a guardian. Without it, please use another way "
            "to verify."
        ),
    ),
    ReasonCode.CONSENT_REQUIRED: Reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("Please read the current consent text and say that you agree, or use another way."),
    ),
    ReasonCode.CONSENT_WITHDRAWN: Reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("You have withdrawn your consent. The verification has ended."),
    ),
    ReasonCode.NOT_MATCHED: Reason(
        Category.MISMATCH,
        FixableBy.SUBJECT,
        _(
            "We could not match your details and your photo. Please check the name and the ID "
            "number, and take a new photo of yourself."
        ),
    ),
    # a reviewer's reasons
    ReasonCode.SAME_PERSON: Reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.CONFIRMED_BY_DOCUMENT: Reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.CONFIRMED_BY_CALL: Reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.DIFFERENT_PERSON: Reason(
        Category.REVIEWER,
        FixableBy.SUBJECT,
        _("We could not confirm your identity. Please use another way to verify."),
    ),
    ReasonCode.FRAUD_SUSPECTED: Reason(
        Category.REVIEWER,
        FixableBy.NOBODY,
        _("We could not confirm your identity. Please use another way to verify."),
    ),
    ReasonCode.BETTER_PHOTO_NEEDED: Reason(Category.REVIEWER, FixableBy.SUBJECT, _NEW_PHOTO),
    # endings
    ReasonCode.CANCELED_BY_SUBJECT: Reason(
        Category.LIMIT, FixableBy.SUBJECT, _("The verification was canceled.")
    ),
    ReasonCode.CANCELED_BY_STAFF: Reason(
        Category.LIMIT, FixableBy.SITE, _("The verification was canceled.")
    ),
    ReasonCode.NOT_STARTED_IN_TIME: Reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("No photo was sent in time. Please start again."),
    ),
    ReasonCode.REOPENED: Reason(Category.REVIEWER, FixableBy.REVIEWER, _BEING_REVIEWED),
}

#: the reasons that a reviewer may choose, by decision
REVIEW_REASONS: dict[str, tuple[ReasonCode, ...]] = {
    "verify": (
        ReasonCode.SAME_PERSON,
        ReasonCode.CONFIRMED_BY_DOCUMENT,
        ReasonCode.CONFIRMED_BY_CALL,
    ),
    "reject": (ReasonCode.DIFFERENT_PERSON, ReasonCode.FRAUD_SUSPECTED),
    "retry": (
        ReasonCode.BETTER_PHOTO_NEEDED,
        ReasonCode.FACE_COVERED,
        ReasonCode.IMAGE_BLURRY,
        ReasonCode.ID_NAME_MISMATCH,
    ),
}
