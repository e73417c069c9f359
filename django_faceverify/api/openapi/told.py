"""What the API answers, by the names of the components of the description."""

from __future__ import annotations

from typing import Any

from django_faceverify.api.openapi.values import (
    Schema,
    choice,
    component,
    flag,
    key,
    list_of,
    moment,
    number,
    or_null,
    record,
    text,
    whole,
)
from django_faceverify.models import (
    Consent,
    Photo,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from django_faceverify.reasons import FixableBy, ReasonCode
from django_faceverify.tokens import Purpose
from django_faceverify.webhooks import EVENTS

#: marks a member that only staff are told
STAFF_ONLY = "x-staff-only"

#: names the values after which nothing changes any more
FINAL = "x-final"

NOTHING = ""

ID = "019a3c5e-7d41-7c3a-9f0e-2b6f0c1d8e55"
MOMENT = "2026-05-03T08:00:00Z"


def _for_staff(members: dict[str, Schema]) -> dict[str, Schema]:
    return {
        name: {**(schema if "$ref" not in schema else {"allOf": [schema]}), STAFF_ONLY: True}
        for name, schema in members.items()
    }


SCORE = number("How alike, by the provider.", minimum=0, maximum=100)

REASON_CODE = choice([NOTHING, *ReasonCode], "Why; empty when there is nothing to say.")

LAST_ERROR = record(
    {
        "code": choice(ReasonCode),
        "message": text("The sentence for people, in the language of the request."),
        "fixable_by": choice(who.value for who in FixableBy),
        "retry_after": whole("Seconds until it is tried again.", minimum=1),
    },
    required=("code", "message", "fixable_by"),
)

VERIFICATION = {
    "id": key(),
    "status": {**choice(Verification.Status), FINAL: sorted(map(str, Verification.FINAL))},
    "reason_code": REASON_CODE,
    "message": text("The sentence for people, in the language of the request."),
    "last_error": or_null(LAST_ERROR),
    "level": text("A name from the site's levels."),
    "reference": text("The site's own string.", maxLength=100),
    "metadata": {
        "type": "object",
        "description": "The site's own facts.",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    "photos_left": whole("How many photos may still be sent.", minimum=0),
    "created_at": moment(),
    "decided_at": or_null(moment()),
    "expires_at": or_null(moment("Until when it waits for a photo.")),
    "is_live": flag("About a real person; what is not live proves nothing."),
    "alternative_url": or_null(text("Where the person may verify in another way.")),
}

VERIFICATION_FOR_STAFF = _for_staff(
    {
        "user": {
            "type": ["integer", "string", "null"],
            "description": "Key of the account that opened it.",
        },
        "idcard_number_mask": text("The first three and the last four characters."),
        "similarity": or_null(SCORE),
        "thresholds": or_null(
            record(
                {
                    "verify_at": number(),
                    "review_at": or_null(number()),
                    "target_far": or_null(text("The rate of false accepts that it follows from.")),
                    "review_far": or_null(text("The same for review_at.")),
                    "far_table": or_null(text("The version of the table that says so.")),
                }
            )
        ),
        "provider": text("The alias that was asked."),
        "decision_source": choice([NOTHING, *Verification.Source]),
        "redacted_at": or_null(moment("When the personal data was destroyed.")),
        "attempts": list_of(component("Attempt"), "Not in lists, unless expanded."),
        "photos": list_of(component("Photo"), "Not in lists."),
        "consents": list_of(component("Consent"), "Not in lists."),
    }
)

EXAMPLE: dict[str, Any] = {
    "id": ID,
    "status": "processing",
    "reason_code": "",
    "message": "Your photo is being compared.",
    "last_error": None,
    "level": "default",
    "reference": "order-7",
    "metadata": {},
    "photos_left": 3,
    "created_at": MOMENT,
    "decided_at": None,
    "expires_at": None,
    "is_live": False,
    "alternative_url": None,
}

COMPANY = record({"name": text(), "contact": text(), "privacy_url": text(), "region": text()})

COMPONENTS: dict[str, Schema] = {
    "Verification": record(
        {**VERIFICATION, **VERIFICATION_FOR_STAFF},
        required=VERIFICATION,
        description="One case. Who is not staff is not told the members marked x-staff-only.",
        examples=[EXAMPLE],
    ),
    "Attempt": record(
        {
            "number": whole(minimum=1),
            "session_id": text("Ours, as it was sent to the provider."),
            "verification": key(),
            "photo": or_null(key()),
            "role": choice(VerificationAttempt.Role, "Whether it decided, or looked on."),
            "provider": text("The alias that was asked."),
            "state": choice(VerificationAttempt.State),
            "is_billed": choice(VerificationAttempt.Billed),
            "provider_code": text(),
            "provider_message": text(),
            "provider_session_id": text(),
            "similarity": or_null(SCORE),
            "reason_code": REASON_CODE,
            "http_status": or_null(whole()),
            "started_at": moment(),
            "finished_at": or_null(moment()),
            "duration_ms": or_null(whole(minimum=0)),
        },
        description="One call to a provider for one photo.",
    ),
    "Photo": record(
        {
            "id": key(),
            "source": choice(Photo.Source),
            "width": or_null(whole(minimum=1)),
            "height": or_null(whole(minimum=1)),
            "byte_size": or_null(whole(minimum=1)),
            "submitted_at": moment(),
            "purged_at": or_null(moment("When the picture was destroyed.")),
        },
        description="One submitted picture; only facts about it.",
    ),
    "Consent": record(
        {
            "purpose": text(),
            "text_version": text(),
            "locale": text(),
            "text_sha256": text(),
            "method": choice(Consent.Method),
            "given_by": choice(Consent.Giver),
            "guardian_relation": choice([NOTHING, *Consent.Relation]),
            "is_keeping_granted": flag("A separate consent to keep the photo longer."),
            "given_at": moment(),
            "withdrawn_at": or_null(moment()),
        },
        description="A consent on record.",
    ),
    "Event": record(
        {
            "number": whole(minimum=1),
            "at": moment(),
            "actor": text("Who did it."),
            "action": text("What was done."),
            "reason_code": text(),
            "data": {"type": "object"},
        },
        description="One entry of the history of a verification.",
    ),
    "ConsentText": record(
        {
            "text_version": text(),
            "purpose": text(),
            "locale": text(),
            "text": text("What the person has to read."),
            "text_sha256": text("Of the text in UTF-8.", pattern="^[0-9a-f]{64}$"),
            "is_required": flag(),
            "guardian_age": whole("Below it only a guardian can agree."),
            "provider": {**COMPANY, "description": "Who compares the photo."},
            "second_providers": list_of(COMPANY, "Others who may be shown the photo as well."),
            "alternative_url": or_null(text()),
        },
        description="The text to agree to.",
    ),
    "Token": record(
        {
            "token": text("Stands in this answer and never again.", pattern="^fvt_[A-Za-z0-9_-]+$"),
            "verification": key("The one case that it opens."),
            "purposes": list_of(choice(Purpose)),
            "origins": list_of(text()),
            "expires_at": moment(),
        },
        description="A client token, for Authorization: Bearer.",
    ),
    "Identity": record(
        {"id": key(), "idcard_name": text(), "idcard_number": text()},
        description="The name and the ID number in clear.",
        examples=[{"id": ID, "idcard_name": "李四", "idcard_number": "000000199003070010"}],
    ),
    "Dossier": {
        "type": "object",
        "description": "Everything held about one case, in clear; its columns may grow.",
        "properties": {"id": key(), "idcard_name": text(), "idcard_number": text()},
        "required": ["id"],
    },
    "WebhookEndpoint": record(
        {
            "id": key(),
            "url": text(),
            "description": text(),
            "events": list_of(choice(EVENTS), "None means all."),
            "is_enabled": flag(),
            "disabled_at": or_null(moment()),
            "disabled_reason": choice([NOTHING, *WebhookEndpoint.DisabledReason]),
            "failing_since": or_null(moment()),
            "created_at": moment(),
        },
        description="Who is told, without the secret.",
    ),
    "WebhookDelivery": record(
        {
            "id": key("The webhook-id of every try."),
            "endpoint": key(),
            "verification": or_null(key()),
            "event": text(),
            "occurred_at": moment(),
            "state": choice(WebhookDelivery.State),
            "attempt_count": whole(minimum=0),
            "failure": choice([NOTHING, *WebhookDelivery.Failure]),
            "http_status": or_null(whole()),
            "duration_ms": or_null(whole(minimum=0)),
            "due_at": or_null(moment()),
            "delivered_at": or_null(moment()),
        },
        description="One message for one endpoint.",
    ),
    "Problem": record(
        {
            "type": text(format="uri"),
            "title": text("For people, in the language of the request."),
            "status": whole(),
            "detail": text("For people, in the language of the request."),
            "code": text("For programs, and stable."),
            "errors": list_of(
                record(
                    {
                        "pointer": text("The field of the body, as a JSON pointer."),
                        "parameter": text("The parameter of the address."),
                        "header": text("The header of the request."),
                        "code": text("For programs, and stable."),
                        "detail": text("For people."),
                    },
                    required=("code", "detail"),
                ),
                "What is wrong, when the code is invalid_input.",
            ),
            "alternative_url": text("Where the person may verify in another way."),
        },
        required=("type", "title", "status", "detail", "code"),
        description="Why it was refused (RFC 9457).",
    ),
}


def page_of(name: str) -> Schema:
    """A page of a list."""
    return record(
        {
            "next": or_null(text(format="uri")),
            "previous": or_null(text(format="uri")),
            "results": list_of(component(name)),
        }
    )


for _name in ("Verification", "Attempt", "Event", "WebhookEndpoint", "WebhookDelivery"):
    COMPONENTS[f"{_name}Page"] = page_of(_name)
