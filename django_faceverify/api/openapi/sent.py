"""What is sent to the API: bodies, parameters of an address, headers of a request."""

from __future__ import annotations

from typing import Any

from django_filters import (  # type: ignore[import-untyped]
    ChoiceFilter,
    FilterSet,
    IsoDateTimeFilter,
    NumberFilter,
    UUIDFilter,
)

from django_faceverify import idempotency
from django_faceverify.api.filters import (
    EXPAND,
    EXPANDABLE,
    STAFF_ONLY,
    AttemptFilter,
    DeliveryFilter,
    VerificationFilter,
)
from django_faceverify.api.openapi.told import STAFF_ONLY as FOR_STAFF
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
from django_faceverify.api.pages import EARLIEST, LATEST, MAX_PAGE_SIZE_DIGITS, Pages
from django_faceverify.inputs import (
    MAX_METADATA_KEYS,
    MAX_METADATA_VALUE,
    MAX_NOTE,
    MAX_REFERENCE,
    MAX_TOKEN,
    MAX_URL,
)
from django_faceverify.looks import LEAST_NOTE
from django_faceverify.models import Consent
from django_faceverify.reasons import REVIEW_REASONS, ReopenReason, RevealReason
from django_faceverify.tokens import SHORTEST_LIFE, Purpose

#: the formats that are ours: what a generator of test data has to know to be taken seriously
IDCARD_NUMBER, IDCARD_NAME, TEXT_VERSION, TEXT_SHA256, LEVEL_NAME, ORIGIN = (
    "idcard-number",
    "idcard-name",
    "consent-text-version",
    "consent-text-sha256",
    "level",
    "origin",
)
CURSOR, NUMBER_CURSOR = "cursor", "number-cursor"
#: texts without control, format, surrogate and private characters; words may have lines
LINE, WORDS = "line", "words"

IDENTITY: dict[str, Schema] = {
    "idcard_name": text("As printed on the card, up to 60 characters.", format=IDCARD_NAME),
    "idcard_number": text("18 characters.", format=IDCARD_NUMBER),
}

CLOSED: dict[str, Any] = {"additionalProperties": False}

#: a guardian's relation makes sense only with a guardian
RELATION_NEEDS_GUARDIAN: dict[str, Any] = {
    "if": {"required": ["relation"]},
    "then": {"required": ["guardian"], "properties": {"guardian": {"const": True}}},
}

PHOTO_URL = text(
    "The photo's address, where the site allows it.",
    format="uri",
    maxLength=MAX_URL,
    pattern="^https?://",
)
IMAGE = text("The photo, JPEG or PNG, as a file.", format="binary")
CONSENT = component("ConsentGiven")

#: what a form sends besides texts: the media type of each part
ENCODING = {
    "image": {"contentType": "image/jpeg, image/png"},
    "consent": {"contentType": "application/json"},
}


def _note(least: int = 0) -> Schema:
    about = f"In your own words, {least} to {MAX_NOTE} characters; sealed."
    return text(about, minLength=least, maxLength=MAX_NOTE, format=WORDS)


METADATA: Schema = {
    "type": "object",
    "description": "Your own facts, without personal data.",
    "maxProperties": MAX_METADATA_KEYS,
    "propertyNames": {"maxLength": MAX_METADATA_VALUE, "format": WORDS},
    "additionalProperties": {
        "anyOf": [
            text(maxLength=MAX_METADATA_VALUE, format=WORDS),
            whole(minimum=-(2**53) + 1, maximum=2**53 - 1),
            number(),
            {"type": ["boolean", "null"]},
        ]
    },
}

ABOUT_THE_CASE: dict[str, Schema] = {
    "level": text("A name from the site's levels; without it, default.", format=LEVEL_NAME),
    "reference": text(
        "Your own string, without personal data.", maxLength=MAX_REFERENCE, format=LINE
    ),
    "metadata": METADATA,
}


def _nullable(members: dict[str, Schema]) -> dict[str, Schema]:
    """``null`` counts as left out."""
    return {name: or_null(schema) for name, schema in members.items()}


COMPONENTS: dict[str, Schema] = {
    "ConsentGiven": record(
        {
            "text_version": text("The current version.", format=TEXT_VERSION, maxLength=MAX_TOKEN),
            "granted": {"type": "boolean", "const": True},
            "text_sha256": text(
                "The hash of the text that was shown.", format=TEXT_SHA256, maxLength=MAX_TOKEN
            ),
            "guardian": flag("A guardian agrees for a child."),
            "relation": choice(Consent.Relation, "With guardian."),
            "keep_photo": flag("A separate consent to keep the photo longer."),
        },
        required=("text_version", "granted"),
        description="What a person agrees to.",
        examples=[{"text_version": "demo-1", "granted": True}],
        **RELATION_NEEDS_GUARDIAN,
        **CLOSED,
    ),
    "VerificationNew": record(
        {**IDENTITY, **_nullable({**ABOUT_THE_CASE, "consent": CONSENT, "url": PHOTO_URL})},
        required=IDENTITY,
        description="A case to open; with a photo's address it is compared at once.",
        examples=[
            {
                "idcard_name": "李四",
                "idcard_number": "000000199003070010",
                "reference": "order-7",
            }
        ],
        **CLOSED,
    ),
    "VerificationNewForm": record(
        {**IDENTITY, **ABOUT_THE_CASE, "consent": CONSENT, "image": IMAGE},
        required=IDENTITY,
        description="A case to open; with a photo it is compared at once.",
        **CLOSED,
    ),
    "PhotoNew": record(
        {"url": PHOTO_URL, **_nullable({**IDENTITY, "consent": CONSENT})},
        required=("url",),
        description="A photo by its address, perhaps with a correction of name or number.",
        examples=[{"url": "https://photos.example.com/me.jpg"}],
        **CLOSED,
    ),
    "PhotoNewForm": record(
        {"image": IMAGE, **IDENTITY, "consent": CONSENT},
        required=("image",),
        description="A photo, perhaps with a correction of name or number.",
        **CLOSED,
    ),
    "TokenNew": record(
        _nullable(
            {
                "origins": list_of(
                    text(format=ORIGIN), "From whose pages; all of the site's unless told."
                ),
                "purposes": list_of(choice(Purpose), "For what; all unless told.", minItems=1),
                "expires_in": whole(
                    "Seconds; the site sets the longest.", minimum=SHORTEST_LIFE, maximum=24 * 3600
                ),
            }
        ),
        required=(),
        description="What a client token shall open.",
        examples=[{"purposes": ["consent", "submit", "read"], "expires_in": 900}],
        **CLOSED,
    ),
    "Review": {
        "description": "A decision with a reason that goes with it.",
        "oneOf": [
            record(
                {
                    "decision": {"type": "string", "const": decision},
                    "reason_code": choice(reasons),
                    "note": or_null(_note()),
                },
                required=("decision", "reason_code"),
                **CLOSED,
            )
            for decision, reasons in REVIEW_REASONS.items()
        ],
        "examples": [{"decision": "verify", "reason_code": "same_person"}],
    },
    "Reveal": record(
        {"reason_code": choice(RevealReason), "note": _note(LEAST_NOTE)},
        description="Why a name and a number have to be seen.",
        examples=[{"reason_code": "complaint", "note": "complaint 4711"}],
        **CLOSED,
    ),
    "Export": record(
        {"note": _note(LEAST_NOTE)},
        description="Who asked for it.",
        examples=[{"note": "letter of 3 May, number 4711"}],
        **CLOSED,
    ),
    "Reopening": record(
        {"reason_code": choice(ReopenReason)},
        description="Why a decision is taken back.",
        examples=[{"reason_code": "new_evidence"}],
        **CLOSED,
    ),
    "Search": record(
        {"idcard_number": IDENTITY["idcard_number"]},
        description="The number of which all cases are wanted.",
        examples=[{"idcard_number": "000000199003070020"}],
        **CLOSED,
    ),
    "Nothing": record({}, description="No fields.", **CLOSED),
}


def json_body(name: str, *, is_required: bool = True) -> dict[str, Any]:
    return {
        "content": {"application/json": {"schema": component(name)}},
        "required": is_required,
    }


def json_or_form(name: str) -> dict[str, Any]:
    """A body that is JSON, or a form with the photo as a file."""
    body = json_body(name)
    body["content"]["multipart/form-data"] = {
        "schema": component(f"{name}Form"),
        "encoding": ENCODING,
    }
    return body


NO_FIELDS = json_body("Nothing", is_required=False)


# Parameters


def _parameter(place: str, name: str, schema: Schema, **more: Any) -> dict[str, Any]:
    """A parameter; what is told about its values is told about it."""
    schema = dict(schema)
    about = schema.pop("description", "")
    described = {"description": about} if about else {}
    return {"name": name, "in": place, **described, "schema": schema, **more}


def in_path(name: str) -> dict[str, Any]:
    return _parameter("path", name, key(), required=True)


def in_query(name: str, schema: Schema, **more: Any) -> dict[str, Any]:
    return _parameter("query", name, schema, **more)


def in_header(name: str, schema: Schema) -> dict[str, Any]:
    return _parameter("header", name, schema)


def _values_of(found: Any) -> Schema:
    """What a filter takes, as the filter itself says it."""
    extra = found.extra
    if isinstance(found, ChoiceFilter):
        return choice(value for value, _label in extra["choices"])
    if isinstance(found, NumberFilter):
        return number(minimum=extra["min_value"], maximum=extra["max_value"])
    if isinstance(found, IsoDateTimeFilter):
        return moment(f"Included; from {EARLIEST.year} to {LATEST.year}.")
    if isinstance(found, UUIDFilter):
        return key()
    return text(minLength=1, maxLength=extra["max_length"], pattern=r"^[^\u0000]*$")


def _filters(filters: type[FilterSet]) -> list[dict[str, Any]]:
    return [
        in_query(name, _values_of(found), **({FOR_STAFF: True} if name in STAFF_ONLY else {}))
        for name, found in filters.base_filters.items()
    ]


PAGE_SIZE = in_query(
    "page_size",
    whole(
        f"At most {Pages.max_page_size} are given, whatever is asked for.",
        minimum=1,
        maximum=10**MAX_PAGE_SIZE_DIGITS - 1,
        default=Pages.page_size,
    ),
)
#: the parameters that every list takes, in order of time or of numbers
PAGE, PAGE_BY_NUMBER = (
    [in_query("cursor", text("From next or previous.", format=position)), PAGE_SIZE]
    for position in (CURSOR, NUMBER_CURSOR)
)

EXPANDED = in_query(
    EXPAND, choice(EXPANDABLE, "Shows the calls with each verification."), **{FOR_STAFF: True}
)

VERIFICATION_FILTERS = [*_filters(VerificationFilter), EXPANDED, *PAGE]
ATTEMPT_FILTERS = [*_filters(AttemptFilter), *PAGE]
DELIVERY_FILTERS = [*_filters(DeliveryFilter), *PAGE]
SEARCH_PARAMETERS = [EXPANDED, *PAGE]
LEVEL = in_query("level", text("Of which level the text is wanted.", format=LEVEL_NAME))

ACCEPT_LANGUAGE = in_header("Accept-Language", text("In which language people read."))
IDEMPOTENCY_KEY = in_header(
    "Idempotency-Key",
    text(
        "Of your own, such as a UUID: under the same key it is done once.",
        pattern=f"^[!-~]{{1,{idempotency.MAX_KEY_LENGTH}}}$",
    ),
)
IF_NONE_MATCH = in_header("If-None-Match", text("The ETag of what was seen: 304 if nothing has."))
IF_MATCH = in_header("If-Match", text("The ETag of what was seen: 412 if it has changed."))
PREFER = in_header("Prefer", text("wait=10: not before it was processed, or 10 seconds are over."))
LAST_EVENT_ID = in_header("Last-Event-ID", text("The id of the last event that was seen."))
