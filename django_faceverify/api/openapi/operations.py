"""The table: every operation of the API, by its address and method.

An address that the URLconf has and this table has not fails the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django_faceverify.api.openapi import sent
from django_faceverify.api.openapi.values import Schema, component, text
from django_faceverify.headers import PHOTO_TYPE

JSON = "application/json"
ONE = "verifications/{verification_id}/"

CASES, CONSENT, TOKENS, REVIEWING, EVIDENCE, HOOKS, ITSELF = (
    "verifications",
    "consent",
    "client tokens",
    "reviewing",
    "evidence",
    "webhooks",
    "description",
)
TAGS = {
    CASES: "Open a case, send a photo, learn the outcome.",
    CONSENT: "Nobody is asked about a person without a consent on record.",
    TOKENS: "With which a browser or an app works on one case.",
    REVIEWING: "What takes a permission of its own.",
    EVIDENCE: "The calls, the history and the pictures behind a case.",
    HOOKS: "Who is told what becomes of cases.",
    ITSELF: "This description.",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A success: what it means, its content by media type, the headers that go with it."""

    meaning: str
    content: dict[str, Schema] = field(default_factory=dict)
    header_names: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be asked for."""

    name: str
    tag: str
    summary: str
    answers: dict[int, Answer]
    parameters: Sequence[dict[str, Any]] = ()
    request: dict[str, Any] | None = None
    refusals: dict[int, tuple[str, ...]] = field(default_factory=dict)
    is_open: bool = False
    is_read_only: bool = False


def _told(name: str, meaning: str, *headers: str, links: tuple[str, ...] = ()) -> Answer:
    return Answer(
        meaning=meaning, content={JSON: component(name)}, header_names=headers, links=links
    )


def _case(meaning: str, *headers: str, links: tuple[str, ...] = ()) -> Answer:
    return _told("Verification", meaning, "Retry-After", *headers, links=links)


def _command(name: str, tag: str, summary: str, **more: Any) -> Operation:
    """A POST to a case that answers with the case."""
    told: dict[str, Any] = {"answers": {200: _case("As it is now.")}, "request": sent.NO_FIELDS}
    return Operation(name=name, tag=tag, summary=summary, **{**told, **more})


#: what may be done next with a case that was just opened
NEXT = ("retrieve_verification", "give_consent", "submit_photo", "cancel_verification")

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "verifications/"): Operation(
        name="list_verifications",
        tag=CASES,
        summary="The caller's verifications, or all for staff; newest first",
        parameters=sent.VERIFICATION_FILTERS,
        answers={200: _told("VerificationPage", "One page.")},
    ),
    ("POST", "verifications/"): Operation(
        name="create_verification",
        tag=CASES,
        summary="Open a verification, with or without a photo",
        request=sent.json_or_form("VerificationNew"),
        answers={
            201: _case("Opened; it waits for a photo.", "Location", links=NEXT),
            202: _case("Opened, and being compared.", "Location", links=NEXT[:1]),
        },
        refusals={404: ("not_found",), 429: ("too_many_photos",)},
    ),
    ("POST", "verifications/search/"): Operation(
        name="search_verifications",
        tag=EVIDENCE,
        summary="All verifications about one ID number, which never stands in an address",
        parameters=sent.SEARCH_PARAMETERS,
        request=sent.json_body("Search"),
        answers={200: _told("VerificationPage", "One page.")},
        refusals={429: ("too_many_searches",)},
        is_read_only=True,
    ),
    ("GET", ONE): Operation(
        name="retrieve_verification",
        tag=CASES,
        summary="One verification",
        parameters=[sent.EXPANDED, sent.IF_NONE_MATCH, sent.PREFER],
        answers={
            200: _case("As it is now.", "ETag", "Preference-Applied"),
            304: Answer(
                meaning="As it was seen.",
                header_names=("ETag", "Preference-Applied", "Retry-After"),
            ),
        },
    ),
    ("GET", f"{ONE}stream/"): Operation(
        name="stream_verification",
        tag=CASES,
        summary="Changes of one verification as they happen, as server-sent events",
        parameters=[sent.LAST_EVENT_ID],
        answers={
            200: Answer(
                meaning="Events; the data of each is a verification, its id the ETag.",
                content={"text/event-stream": text()},
            ),
            204: Answer(meaning="There will be nothing more."),
        },
        refusals={406: ("stream_unavailable",)},
    ),
    ("POST", f"{ONE}photos/"): _command(
        "submit_photo",
        CASES,
        "Send the photo that a verification waits for",
        request=sent.json_or_form("PhotoNew"),
        answers={202: _case("Taken, and being compared.", "Location")},
        refusals={
            409: ("not_waiting_for_photo", "correction_not_asked", "seal_broken"),
            429: ("too_many_photos",),
        },
    ),
    ("GET", f"{ONE}photos/{{photo_id}}/"): Operation(
        name="retrieve_photo",
        tag=EVIDENCE,
        summary="The picture itself; each look is recorded",
        answers={200: Answer(meaning="A picture.", content={PHOTO_TYPE: text(format="binary")})},
        refusals={409: ("seal_broken",)},
    ),
    ("POST", f"{ONE}consent/"): _command(
        "give_consent",
        CONSENT,
        "Agree to the current text; only the person may, or the guardian",
        request=sent.json_body("ConsentGiven"),
        refusals={409: ("already_final", "seal_broken")},
    ),
    ("POST", f"{ONE}consent/withdraw/"): _command(
        "withdraw_consent",
        CONSENT,
        "Take the consent back: ends what is not decided, destroys the personal data",
        refusals={409: ("consent_not_given",)},
    ),
    ("POST", f"{ONE}cancel/"): _command(
        "cancel_verification",
        CASES,
        "End a verification that is not decided",
        refusals={409: ("already_final",)},
    ),
    ("POST", f"{ONE}redact/"): _command(
        "redact_verification",
        CASES,
        "Destroy the personal data of a verification, for ever",
    ),
    ("POST", f"{ONE}review/"): _command(
        "review_verification",
        REVIEWING,
        "Decide a verification that is in review",
        parameters=[sent.IF_MATCH],
        request=sent.json_body("Review"),
        refusals={
            403: ("own_case", "same_person_twice"),
            409: ("not_in_review", "already_judged", "claimed_by_another"),
            412: ("changed_meanwhile",),
        },
    ),
    ("POST", f"{ONE}review/undo/"): _command(
        "undo_review",
        REVIEWING,
        "Take one's own judgement back, before it takes effect or meets a second one",
        refusals={
            403: ("own_case",),
            409: ("not_in_review", "nothing_to_undo", "undo_too_late"),
        },
    ),
    ("POST", f"{ONE}reveal/"): _command(
        "reveal_identity",
        REVIEWING,
        "The name and the ID number in clear, for somebody who says why; recorded",
        request=sent.json_body("Reveal"),
        answers={200: _told("Identity", "In clear.")},
        refusals={
            403: ("own_case",),
            409: ("identity_destroyed", "seal_broken"),
            429: ("too_many_reveals",),
        },
    ),
    ("POST", f"{ONE}export/"): _command(
        "export_verification",
        REVIEWING,
        "Everything held about one case, in clear; recorded",
        request=sent.json_body("Export"),
        answers={200: _told("Dossier", "In clear.")},
        refusals={403: ("own_case",), 429: ("too_many_reveals",)},
    ),
    ("POST", f"{ONE}reopen/"): _command(
        "propose_reopening",
        REVIEWING,
        "Propose to take a decision back",
        request=sent.json_body("Reopening"),
        answers={202: _case("Waits for a second person.", "Location")},
        refusals={
            403: ("own_case",),
            409: ("not_decided", "identity_destroyed", "already_requested"),
        },
    ),
    ("POST", f"{ONE}reopen/confirm/"): _command(
        "confirm_reopening",
        REVIEWING,
        "Take a decision back as somebody else has proposed",
        refusals={
            403: ("own_case", "same_person_twice"),
            409: ("not_decided", "identity_destroyed", "not_requested"),
        },
    ),
    ("POST", f"{ONE}token/"): _command(
        "create_token",
        TOKENS,
        "Make a client token; the one before stops working",
        request=sent.json_body("TokenNew", is_required=False),
        answers={201: _told("Token", "Shown once.")},
        refusals={409: ("already_final",)},
    ),
    ("POST", f"{ONE}token/revoke/"): _command(
        "revoke_token",
        TOKENS,
        "Let the client token work no more, if there is one",
    ),
    ("GET", f"{ONE}attempts/"): Operation(
        name="list_attempts_of_verification",
        tag=EVIDENCE,
        summary="The calls made for one verification, in order",
        parameters=sent.PAGE_BY_NUMBER,
        answers={200: _told("AttemptPage", "One page.")},
    ),
    ("GET", f"{ONE}events/"): Operation(
        name="list_events_of_verification",
        tag=EVIDENCE,
        summary="The history of one verification, in order",
        parameters=sent.PAGE_BY_NUMBER,
        answers={200: _told("EventPage", "One page.")},
    ),
    ("GET", "consent/"): Operation(
        name="retrieve_consent_text",
        tag=CONSENT,
        summary="The text to agree to, in the language of the request",
        parameters=[sent.LEVEL, sent.IF_NONE_MATCH],
        answers={
            200: _told("ConsentText", "The current text.", "ETag"),
            304: Answer(meaning="As it was seen.", header_names=("ETag",)),
        },
    ),
    ("GET", "attempts/"): Operation(
        name="list_attempts",
        tag=EVIDENCE,
        summary="All calls, newest first",
        parameters=sent.ATTEMPT_FILTERS,
        answers={200: _told("AttemptPage", "One page.")},
    ),
    ("GET", "webhook-endpoints/"): Operation(
        name="list_webhook_endpoints",
        tag=HOOKS,
        summary="All endpoints, newest first, without their secrets",
        parameters=sent.PAGE,
        answers={200: _told("WebhookEndpointPage", "One page.")},
    ),
    ("GET", "webhook-deliveries/"): Operation(
        name="list_webhook_deliveries",
        tag=HOOKS,
        summary="All deliveries, newest first",
        parameters=sent.DELIVERY_FILTERS,
        answers={200: _told("WebhookDeliveryPage", "One page.")},
    ),
    ("POST", "webhook-deliveries/{delivery_id}/resend/"): Operation(
        name="resend_webhook_delivery",
        tag=HOOKS,
        summary="Send one delivery again, with the same webhook-id",
        request=sent.NO_FIELDS,
        answers={202: _told("WebhookDelivery", "Will be sent.")},
        refusals={409: ("webhook_being_sent",)},
    ),
    ("GET", "schema/"): Operation(
        name="retrieve_description",
        tag=ITSELF,
        summary="This description",
        answers={
            200: Answer(meaning="OpenAPI 3.1.", content={JSON: {"type": "object"}}),
        },
        is_open=True,
    ),
}
