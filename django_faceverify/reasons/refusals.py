"""The refusals: what was sent to us cannot be used, or not now, or not by this person.

Nothing was stored and nothing was called.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_faceverify.reasons.reason import Category, FixableBy, Reason


def _refused(fixable_by: FixableBy, message: str | Promise) -> Reason:
    return Reason(Category.INPUT, fixable_by, message)


REFUSALS: dict[str, Reason] = {
    # what was sent to us
    "required": _refused(FixableBy.SUBJECT, _("This field is required.")),
    "idcard_name_length": _refused(
        FixableBy.SUBJECT, _("Please enter a name of 1 to 60 characters.")
    ),
    "idcard_name_characters": _refused(
        FixableBy.SUBJECT,
        _(
            "Please enter the name as printed on the ID card: Chinese characters, Latin letters "
            "and the middle dot only."
        ),
    ),
    "idcard_number_length": _refused(FixableBy.SUBJECT, _("An ID number has 18 characters.")),
    "idcard_number_characters": _refused(
        FixableBy.SUBJECT, _("An ID number has 17 digits and then a digit or X.")
    ),
    "idcard_number_birth_date": _refused(
        FixableBy.SUBJECT,
        _("The birth date in the ID number does not exist. Please check the number."),
    ),
    "idcard_number_region": _refused(
        FixableBy.SUBJECT, _("The region in the ID number does not exist. Please check the number.")
    ),
    "idcard_number_check_digit": _refused(
        FixableBy.SUBJECT,
        _("The ID number is mistyped: its last character does not fit. Please check it."),
    ),
    "idcard_number_real": _refused(
        FixableBy.SITE,
        _("This level is for tests and refuses ID numbers that a real person could hold."),
    ),
    "image_empty": _refused(
        FixableBy.SUBJECT, _("The photo is empty. Please choose another file.")
    ),
    "image_format": _refused(FixableBy.SUBJECT, _("Please send the photo as JPEG or PNG.")),
    "image_animated": _refused(
        FixableBy.SUBJECT, _("Please send a still photo, not an animation.")
    ),
    "image_too_many_pixels": _refused(
        FixableBy.SUBJECT, _("The photo has too many pixels. Please send a smaller one.")
    ),
    "url_invalid": _refused(
        FixableBy.SITE, _("Please give a complete address of the photo that begins with https://.")
    ),
    "image_not_allowed": _refused(FixableBy.SITE, _("Photos must be given by their address here.")),
    "url_not_allowed": _refused(
        FixableBy.SITE,
        _("This site does not take photos by address. Please send the photo itself."),
    ),
    "level_unknown": _refused(FixableBy.SITE, _("This site has no such level.")),
    "reference_invalid": _refused(
        FixableBy.SITE, _("A reference has at most 100 characters and no control characters.")
    ),
    "metadata_invalid": _refused(
        FixableBy.SITE, _("Metadata is an object of at most 20 short texts, numbers or booleans.")
    ),
    "consent_invalid": _refused(
        FixableBy.SUBJECT,
        _("Please say to which version of the consent text you agree, and that you do."),
    ),
    "consent_version_unknown": _refused(
        FixableBy.SITE, _("There is no such version of the consent text.")
    ),
    "consent_version_outdated": _refused(
        FixableBy.SUBJECT, _("The consent text has changed. Please read the current one.")
    ),
    "consent_not_given": _refused(
        FixableBy.NOBODY, _("There is no consent that could be withdrawn.")
    ),
    "reason_invalid": _refused(FixableBy.REVIEWER, _("Please choose a reason for this decision.")),
    "decision_invalid": _refused(FixableBy.SITE, _("A decision is verify, reject or retry.")),
    "note_invalid": _refused(
        FixableBy.REVIEWER, _("A note has at most 2,000 characters, all of them visible.")
    ),
    "too_many_photos": _refused(
        FixableBy.SUBJECT,
        _("You have reached the limit of photos for now. Please try again later."),
    ),
    # requests that come at the wrong time or from the wrong person
    "not_waiting_for_photo": _refused(
        FixableBy.NOBODY, _("This verification does not wait for a photo.")
    ),
    "correction_not_asked": _refused(
        FixableBy.SUBJECT,
        _("Name and ID number can be corrected only when they were found not to match."),
    ),
    "already_final": _refused(
        FixableBy.NOBODY, _("This verification is already decided or closed.")
    ),
    "not_in_review": _refused(FixableBy.NOBODY, _("This verification is not in review.")),
    "changed_meanwhile": _refused(
        FixableBy.REVIEWER,
        _("This verification has changed since you opened it. Please look again."),
    ),
    "claimed_by_another": _refused(
        FixableBy.REVIEWER, _("Somebody else is working on this verification at the moment.")
    ),
    "already_judged": _refused(
        FixableBy.NOBODY,
        _("This verification is decided already; the decision takes effect in a moment."),
    ),
    "nothing_to_undo": _refused(
        FixableBy.NOBODY, _("There is no decision of yours that can be undone.")
    ),
    "undo_too_late": _refused(
        FixableBy.REVIEWER,
        _("The time to undo it is over. To take the decision back needs two people."),
    ),
    "own_case": _refused(FixableBy.REVIEWER, _("This is your own case: somebody else must do it.")),
    "reveal_reason_invalid": _refused(
        FixableBy.REVIEWER, _("Please choose why you need to see it.")
    ),
    "reveal_note_too_short": _refused(
        FixableBy.REVIEWER, _("Please say in at least 5 characters why you need to see it.")
    ),
    "too_many_reveals": _refused(
        FixableBy.SITE,
        _("You have revealed as many identities as you may in an hour. Please come back later."),
    ),
    "too_many_searches": _refused(
        FixableBy.SITE,
        _("You have searched as often as you may in an hour. Please come back later."),
    ),
    "identity_destroyed": _refused(
        FixableBy.NOBODY, _("The personal data of this verification have been destroyed.")
    ),
    "reopen_reason_invalid": _refused(
        FixableBy.REVIEWER, _("Please choose why the decision is taken back.")
    ),
    "not_decided": _refused(
        FixableBy.NOBODY, _("Only a verified or a rejected verification can be opened again.")
    ),
    "already_requested": _refused(
        FixableBy.REVIEWER,
        _("To open it again is already proposed; somebody else must confirm it."),
    ),
    "not_requested": _refused(
        FixableBy.REVIEWER, _("Nobody has proposed lately to open it again.")
    ),
    "same_person_twice": _refused(
        FixableBy.REVIEWER, _("You have done your part already: somebody else must do this.")
    ),
    # webhook endpoints, which staff describe
    "webhook_url_invalid": _refused(
        FixableBy.SITE, _("Please give a complete URL, without a user name and without a fragment.")
    ),
    "webhook_url_insecure": _refused(FixableBy.SITE, _("The URL must begin with https://.")),
    "webhook_url_port": _refused(FixableBy.SITE, _("Webhooks are not sent to this port.")),
    "webhook_url_not_public": _refused(
        FixableBy.SITE, _("The URL leads to this machine or to a private network.")
    ),
    "webhook_events_invalid": _refused(FixableBy.SITE, _("There is no such event.")),
    "webhook_description_invalid": _refused(
        FixableBy.SITE, _("A description is one line of at most 200 characters.")
    ),
    "webhook_secret_invalid": _refused(
        FixableBy.SITE, _("A secret is whsec_ and then 24 to 64 bytes in base64.")
    ),
    "webhook_being_sent": _refused(
        FixableBy.NOBODY, _("This message is being sent at this moment. Please look again.")
    ),
}
