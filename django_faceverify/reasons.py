"""Why: every stable code that a person, a reviewer or a frontend may be shown.

``ReasonCode`` holds the outcomes of a verification, ``INPUT`` the refusals of what was
sent to us. ``REASONS`` says for each code whose fault it is, who can mend it, and the
sentence that tells people what to do. Providers map their own codes onto these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Category(Enum):
    """What kind of fact a reason is; ``decision.decide`` acts on it."""

    MISMATCH = "mismatch"  # compared, and not the same person: uses up a try
    PHOTO = "photo"  # the photo cannot be compared: another one may
    IDENTITY = "identity"  # name and number do not belong together: the person may correct them
    REGISTRY = "registry"  # the register cannot answer for this person: a human must
    PROVIDER = "provider"  # the call failed: says nothing about the person
    LIMIT = "limit"  # a limit or a clock ended or delays it
    REVIEWER = "reviewer"  # a human's reason
    INPUT = "input"  # refused before anything was stored


class FixableBy(Enum):
    SUBJECT = "subject"
    REVIEWER = "reviewer"
    SITE = "site"
    PROVIDER = "provider"
    NOBODY = "nobody"


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


class RevealReason(TextChoices):
    """Why somebody looks at a name and an ID number; the words of their own are a note."""

    REVIEW = "review", _("needed to decide the case")
    SUPPORT = "support", _("the person asked for help")
    COMPLAINT = "complaint", _("complaint")
    FRAUD = "fraud", _("suspicion of fraud")
    AUTHORITY = "authority", _("request of a court or an authority")
    SUBJECT_RIGHTS = "subject_rights", _("the person wants to see, correct or erase their data")
    OTHER = "other", _("other")


class ReopenReason(TextChoices):
    """Why a decision is taken back."""

    NEW_EVIDENCE = "new_evidence", _("new evidence")
    APPEAL = "appeal", _("the person objects")
    MISTAKE = "mistake", _("decided by mistake")
    FRAUD = "fraud", _("suspicion of fraud")
    AUTHORITY = "authority", _("request of a court or an authority")


class RedactionReason(TextChoices):
    """Why personal data was destroyed; stands in the history, never on the verification."""

    SUBJECT_REQUEST = "subject_request", _("asked for by the person")
    STAFF_REQUEST = "staff_request", _("done by staff")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("consent withdrawn")
    RETENTION_OVER = "retention_over", _("time to keep it over")


@dataclass(frozen=True)
class Reason:
    category: Category
    fixable_by: FixableBy
    message: str | Promise


def _reason(category: Category, fixable_by: FixableBy, message: str | Promise) -> Reason:
    return Reason(category=category, fixable_by=fixable_by, message=message)


_NEW_PHOTO = _("Please take a new photo: face the camera, in even light, with nothing in the way.")
_BEING_REVIEWED = _("Your case is being looked at by a person. You need not do anything.")
_IN_PROGRESS = _("This takes longer than usual. You need not do anything.")

REASONS: dict[str, Reason] = {
    # outcomes of a verification
    ReasonCode.FACE_MISMATCH: _reason(
        Category.MISMATCH,
        FixableBy.SUBJECT,
        _("The photo does not match the registered portrait. Please take a new photo of yourself."),
    ),
    ReasonCode.LOW_SIMILARITY: _reason(Category.REVIEWER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NAME_MISMATCH: _reason(
        Category.IDENTITY,
        FixableBy.SUBJECT,
        _("The name and the ID number do not belong together. Please correct them."),
    ),
    ReasonCode.ID_NUMBER_INVALID: _reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NAME_INVALID: _reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_NOT_FOUND: _reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_PHOTO_MISSING: _reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.ID_PHOTO_POOR: _reason(Category.REGISTRY, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.NO_FACE: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("No face was found in the photo. Please take a new one with your face in the middle."),
    ),
    ReasonCode.MULTIPLE_FACES: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("More than one face was found. Please take a photo of yourself alone."),
    ),
    ReasonCode.FACE_INCOMPLETE: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Your face is not fully in the photo. Please take a new one that shows all of it."),
    ),
    ReasonCode.FACE_COVERED: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Something covers your face. Please take a new photo without mask, hat or sunglasses."),
    ),
    ReasonCode.FACE_TOO_SMALL: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("Your face is too small in the photo. Please come closer and take a new one."),
    ),
    ReasonCode.IMAGE_BLURRY: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is blurred. Please hold the camera still and take a new one."),
    ),
    ReasonCode.IMAGE_TOO_SMALL: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is too small. Please send one of at least 64 pixels on each side."),
    ),
    ReasonCode.IMAGE_TOO_LARGE: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo is too large. Please send a smaller one."),
    ),
    ReasonCode.IMAGE_UNDECODABLE: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo cannot be read; the file may be damaged. Please take a new one."),
    ),
    ReasonCode.IMAGE_URL_UNREACHABLE: _reason(
        Category.PHOTO,
        FixableBy.SUBJECT,
        _("The photo could not be fetched from its address. Please send the photo itself."),
    ),
    ReasonCode.SPOOF_SUSPECTED: _reason(Category.PHOTO, FixableBy.SUBJECT, _NEW_PHOTO),
    ReasonCode.IDENTITY_RATE_LIMITED: _reason(Category.LIMIT, FixableBy.NOBODY, _IN_PROGRESS),
    ReasonCode.PROVIDER_THROTTLED: _reason(Category.PROVIDER, FixableBy.PROVIDER, _IN_PROGRESS),
    ReasonCode.PROVIDER_UNAVAILABLE: _reason(Category.PROVIDER, FixableBy.PROVIDER, _IN_PROGRESS),
    ReasonCode.PROVIDER_CONFIG: _reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.PROVIDER_ARREARS: _reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.PROVIDER_PROTOCOL: _reason(Category.PROVIDER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.OUTCOME_UNKNOWN: _reason(Category.PROVIDER, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.PHOTOS_EXHAUSTED: _reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.BUDGET_SPENT: _reason(Category.LIMIT, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.DEADLINE_PASSED: _reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.WORKER_LOST: _reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.PHOTO_LOST: _reason(Category.LIMIT, FixableBy.REVIEWER, _BEING_REVIEWED),
    ReasonCode.SEAL_BROKEN: _reason(Category.PROVIDER, FixableBy.SITE, _IN_PROGRESS),
    ReasonCode.UNDER_AGE: _reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _(
            "People under 14 need the consent of a guardian. Without it, please use another way "
            "to verify."
        ),
    ),
    ReasonCode.CONSENT_REQUIRED: _reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("Please read the current consent text and say that you agree, or use another way."),
    ),
    ReasonCode.CONSENT_WITHDRAWN: _reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("You have withdrawn your consent. The verification has ended."),
    ),
    ReasonCode.NOT_MATCHED: _reason(
        Category.MISMATCH,
        FixableBy.SUBJECT,
        _(
            "We could not match your details and your photo. Please check the name and the ID "
            "number, and take a new photo of yourself."
        ),
    ),
    # a reviewer's reasons
    ReasonCode.SAME_PERSON: _reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.CONFIRMED_BY_DOCUMENT: _reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.CONFIRMED_BY_CALL: _reason(
        Category.REVIEWER, FixableBy.NOBODY, _("A person has confirmed your identity.")
    ),
    ReasonCode.DIFFERENT_PERSON: _reason(
        Category.REVIEWER,
        FixableBy.SUBJECT,
        _("We could not confirm your identity. Please use another way to verify."),
    ),
    ReasonCode.FRAUD_SUSPECTED: _reason(
        Category.REVIEWER,
        FixableBy.NOBODY,
        _("We could not confirm your identity. Please use another way to verify."),
    ),
    ReasonCode.BETTER_PHOTO_NEEDED: _reason(Category.REVIEWER, FixableBy.SUBJECT, _NEW_PHOTO),
    # endings
    ReasonCode.CANCELED_BY_SUBJECT: _reason(
        Category.LIMIT, FixableBy.SUBJECT, _("The verification was canceled.")
    ),
    ReasonCode.CANCELED_BY_STAFF: _reason(
        Category.LIMIT, FixableBy.SITE, _("The verification was canceled.")
    ),
    ReasonCode.NOT_STARTED_IN_TIME: _reason(
        Category.LIMIT,
        FixableBy.SUBJECT,
        _("No photo was sent in time. Please start again."),
    ),
    ReasonCode.REOPENED: _reason(Category.REVIEWER, FixableBy.REVIEWER, _BEING_REVIEWED),
    # refusals of what was sent to us
    "required": _reason(Category.INPUT, FixableBy.SUBJECT, _("This field is required.")),
    "idcard_name_length": _reason(
        Category.INPUT, FixableBy.SUBJECT, _("Please enter a name of 1 to 60 characters.")
    ),
    "idcard_name_characters": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _(
            "Please enter the name as printed on the ID card: Chinese characters, Latin letters "
            "and the middle dot only."
        ),
    ),
    "idcard_number_length": _reason(
        Category.INPUT, FixableBy.SUBJECT, _("An ID number has 18 characters.")
    ),
    "idcard_number_characters": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("An ID number has 17 digits and then a digit or X."),
    ),
    "idcard_number_birth_date": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("The birth date in the ID number does not exist. Please check the number."),
    ),
    "idcard_number_region": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("The region in the ID number does not exist. Please check the number."),
    ),
    "idcard_number_check_digit": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("The ID number is mistyped: its last character does not fit. Please check it."),
    ),
    "idcard_number_real": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("This level is for tests and refuses ID numbers that a real person could hold."),
    ),
    "image_empty": _reason(
        Category.INPUT, FixableBy.SUBJECT, _("The photo is empty. Please choose another file.")
    ),
    "image_format": _reason(
        Category.INPUT, FixableBy.SUBJECT, _("Please send the photo as JPEG or PNG.")
    ),
    "image_animated": _reason(
        Category.INPUT, FixableBy.SUBJECT, _("Please send a still photo, not an animation.")
    ),
    "image_too_many_pixels": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("The photo has too many pixels. Please send a smaller one."),
    ),
    "url_invalid": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("Please give a complete address of the photo that begins with https://."),
    ),
    "image_not_allowed": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("Photos must be given by their address here."),
    ),
    "url_not_allowed": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("This site does not take photos by address. Please send the photo itself."),
    ),
    "level_unknown": _reason(Category.INPUT, FixableBy.SITE, _("This site has no such level.")),
    "reference_invalid": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("A reference has at most 100 characters and no control characters."),
    ),
    "metadata_invalid": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("Metadata is an object of at most 20 short texts, numbers or booleans."),
    ),
    "consent_invalid": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("Please say to which version of the consent text you agree, and that you do."),
    ),
    "consent_version_unknown": _reason(
        Category.INPUT, FixableBy.SITE, _("There is no such version of the consent text.")
    ),
    "consent_version_outdated": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("The consent text has changed. Please read the current one."),
    ),
    "consent_not_given": _reason(
        Category.INPUT, FixableBy.NOBODY, _("There is no consent that could be withdrawn.")
    ),
    "reason_invalid": _reason(
        Category.INPUT, FixableBy.REVIEWER, _("Please choose a reason for this decision.")
    ),
    "decision_invalid": _reason(
        Category.INPUT, FixableBy.SITE, _("A decision is verify, reject or retry.")
    ),
    "note_invalid": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("A note has at most 2,000 characters, all of them visible."),
    ),
    "too_many_photos": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("You have reached the limit of photos for now. Please try again later."),
    ),
    # requests that come at the wrong time or from the wrong person
    "not_waiting_for_photo": _reason(
        Category.INPUT, FixableBy.NOBODY, _("This verification does not wait for a photo.")
    ),
    "correction_not_asked": _reason(
        Category.INPUT,
        FixableBy.SUBJECT,
        _("Name and ID number can be corrected only when they were found not to match."),
    ),
    "already_final": _reason(
        Category.INPUT, FixableBy.NOBODY, _("This verification is already decided or closed.")
    ),
    "not_in_review": _reason(
        Category.INPUT, FixableBy.NOBODY, _("This verification is not in review.")
    ),
    "changed_meanwhile": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("This verification has changed since you opened it. Please look again."),
    ),
    "claimed_by_another": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("Somebody else is working on this verification at the moment."),
    ),
    "already_judged": _reason(
        Category.INPUT,
        FixableBy.NOBODY,
        _("This verification is decided already; the decision takes effect in a moment."),
    ),
    "nothing_to_undo": _reason(
        Category.INPUT, FixableBy.NOBODY, _("There is no decision of yours that can be undone.")
    ),
    "undo_too_late": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("The time to undo it is over. To take the decision back needs two people."),
    ),
    "own_case": _reason(
        Category.INPUT, FixableBy.REVIEWER, _("This is your own case: somebody else must do it.")
    ),
    "reveal_reason_invalid": _reason(
        Category.INPUT, FixableBy.REVIEWER, _("Please choose why you need to see it.")
    ),
    "reveal_note_too_short": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("Please say in at least 5 characters why you need to see it."),
    ),
    "too_many_reveals": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("You have revealed as many identities as you may in an hour. Please come back later."),
    ),
    "too_many_searches": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("You have searched as often as you may in an hour. Please come back later."),
    ),
    "identity_destroyed": _reason(
        Category.INPUT,
        FixableBy.NOBODY,
        _("The personal data of this verification have been destroyed."),
    ),
    "reopen_reason_invalid": _reason(
        Category.INPUT, FixableBy.REVIEWER, _("Please choose why the decision is taken back.")
    ),
    "not_decided": _reason(
        Category.INPUT,
        FixableBy.NOBODY,
        _("Only a verified or a rejected verification can be opened again."),
    ),
    "already_requested": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("To open it again is already proposed; somebody else must confirm it."),
    ),
    "not_requested": _reason(
        Category.INPUT, FixableBy.REVIEWER, _("Nobody has proposed lately to open it again.")
    ),
    "same_person_twice": _reason(
        Category.INPUT,
        FixableBy.REVIEWER,
        _("You have done your part already: somebody else must do this."),
    ),
    # webhook endpoints, which staff describe
    "webhook_url_invalid": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("Please give a complete URL, without a user name and without a fragment."),
    ),
    "webhook_url_insecure": _reason(
        Category.INPUT, FixableBy.SITE, _("The URL must begin with https://.")
    ),
    "webhook_url_port": _reason(
        Category.INPUT, FixableBy.SITE, _("Webhooks are not sent to this port.")
    ),
    "webhook_url_not_public": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("The URL leads to this machine or to a private network."),
    ),
    "webhook_events_invalid": _reason(Category.INPUT, FixableBy.SITE, _("There is no such event.")),
    "webhook_description_invalid": _reason(
        Category.INPUT, FixableBy.SITE, _("A description is one line of at most 200 characters.")
    ),
    "webhook_secret_invalid": _reason(
        Category.INPUT,
        FixableBy.SITE,
        _("A secret is whsec_ and then 24 to 64 bytes in base64."),
    ),
    "webhook_being_sent": _reason(
        Category.INPUT,
        FixableBy.NOBODY,
        _("This message is being sent at this moment. Please look again."),
    ),
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
