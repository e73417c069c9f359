"""Client tokens: what opens with one, from where, for how long, and for whom it is made."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from django_faceverify import intake, tokens, verification
from django_faceverify.models import ClientToken, Event, Verification
from django_faceverify.models.clock import db_now
from tests.api.asking import (
    API,
    VERIFICATIONS,
    as_file,
    assert_problem,
    decided,
    in_review,
    one,
    plain_case,
    send,
)
from tests.conftest import CONSENT, draw_jpeg
from tests.scripted import ScriptedProvider, similarity

SHOP, OTHER, STRANGER = "https://shop.example", "http://localhost:5173", "https://evil.example"
UNKNOWN = "01890000-0000-7000-8000-000000000000"
#: address, method, and the purpose for which a token is needed
OPEN = [
    ("get", "", "read"),
    ("head", "", "read"),
    ("post", "photos/", "submit"),
    ("post", "cancel/", "submit"),
    ("post", "consent/", "consent"),
    ("post", "consent/withdraw/", "consent"),
]
CLOSED = [
    ("post", "redact/"),
    ("post", "review/"),
    ("post", "token/"),
    ("post", "token/revoke/"),
    ("get", "attempts/"),
    ("get", "events/"),
    ("get", f"photos/{UNKNOWN}/"),
]


@pytest.fixture(autouse=True)
def _origins(settings: Any) -> None:
    settings.FACEVERIFY = settings.FACEVERIFY | {"CLIENT_TOKENS": {"ORIGINS": [SHOP, OTHER]}}


@pytest.fixture
def case(idcard: dict[str, Any], db: None) -> Verification:
    """A case that belongs to no account."""
    return intake.create(user=None, **idcard)


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may give out tokens, and nothing else."""
    user = User.objects.create_user("clerk")
    names = ("view_verification", "add_clienttoken")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def as_clerk(clerk: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(clerk)
    return client


def bearing(case: Verification, **wishes: Any) -> APIClient:
    """A client with a new token of the case."""
    return with_token(tokens.issue(case, **wishes).secret)


def with_token(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def ask(client: APIClient, method: str, address: str) -> Any:
    body = "{}" if method == "post" else ""
    return client.generic(method.upper(), address, body, content_type="application/json")


def send_photo(client: APIClient, case: Verification, **fields: Any) -> Any:
    return client.post(one(case, "photos/"), {"image": as_file(draw_jpeg()), **fields})


# From a token to a decision


def test_a_case_without_account_photo_or_consent_is_verified_by_token(case: Verification) -> None:
    client = bearing(case)
    text = client.get(f"{API}consent/").json()
    agreed = {"text_version": text["text_version"], "granted": True}
    assert send(client, one(case, "consent/"), agreed).status_code == 200
    assert send_photo(client, case).status_code == 202

    verification.run(case.pk)
    answer = client.get(one(case))
    assert (answer.status_code, answer.json()["status"]) == (200, "verified")
    by = f"token:{ClientToken.objects.get().pk}"
    assert list(case.events.filter(actor=by).values_list("action", flat=True)) == [
        "consent_given",
        "submitted",
    ]


def test_a_token_sees_what_the_person_sees(alice: User) -> None:
    case = in_review(alice)
    shown = bearing(case).get(one(case)).json()
    own = APIClient()
    own.force_authenticate(alice)
    assert shown == own.get(one(case)).json()
    assert "similarity" not in shown


@pytest.mark.parametrize(("method", "rest", "purpose"), OPEN)
def test_each_purpose_opens_its_own(
    case: Verification, method: str, rest: str, purpose: str
) -> None:
    others = [one for one in ClientToken.Purpose.values if one != purpose]
    refused = ask(bearing(case, purposes=others), method, one(case, rest))
    assert refused.status_code == 403
    if method != "head":
        assert_problem(refused, 403, "token_purpose")
    allowed = ask(bearing(case, purposes=[purpose]), method, one(case, rest))
    assert allowed.status_code in (200, 400, 409)  # an empty body is looked at, at least


@pytest.mark.parametrize(("method", "rest"), CLOSED)
def test_everything_else_is_closed(case: Verification, method: str, rest: str) -> None:
    assert_problem(ask(bearing(case), method, one(case, rest)), 403, "token_purpose")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "verifications/"),
        ("post", "verifications/"),
        ("post", "verifications/search/"),
        ("get", "attempts/"),
    ],
)
def test_no_token_opens_a_list(case: Verification, method: str, path: str) -> None:
    assert_problem(ask(bearing(case), method, API + path), 403, "token_purpose")


@pytest.mark.parametrize(("method", "rest"), [(m, r) for m, r, *_ in OPEN + CLOSED if m != "head"])
def test_all_other_cases_are_the_same_404(
    case: Verification, alice: User, method: str, rest: str
) -> None:
    client, foreign = bearing(case), plain_case(alice)
    nobodys = plain_case(None)
    bodies = {
        ask(client, method, one(key, rest)).content
        for key in (foreign.pk, nobodys.pk, UNKNOWN, "nobody", "0", "%00")
    }
    assert len(bodies) == 1
    assert_problem(ask(client, method, one(foreign, rest)), 404, "not_found")


def test_another_spelling_of_the_id_is_the_same_case(case: Verification) -> None:
    assert bearing(case).get(one(case.pk.hex.upper())).status_code == 200


def test_no_token_says_whose_case_it_is(alice: User, idcard: dict[str, Any]) -> None:
    case = decided(alice, similarity(10))
    assert case.status == "requires_input"
    client = bearing(case)
    for name, value in idcard.items():
        assert_problem(send_photo(client, case, **{name: value}), 403, "token_purpose")
    assert send_photo(client, case).status_code == 202
    ScriptedProvider.script(similarity(95))
    verification.run(case.pk)
    assert client.get(one(case)).json()["status"] == "verified"


def test_a_consent_with_the_photo_needs_both_purposes(case: Verification) -> None:
    agreed = '{"text_version": "demo-1", "granted": true}'
    refused = send_photo(bearing(case, purposes=["submit"]), case, consent=agreed)
    assert_problem(refused, 403, "token_purpose")
    both = bearing(case, purposes=["submit", "consent"])
    assert send_photo(both, case, consent=agreed).status_code == 202


@pytest.mark.django_db
def test_a_token_reads_the_text_of_its_own_level(settings: Any, idcard: dict[str, Any]) -> None:
    levels = {**settings.FACEVERIFY["LEVELS"], "inner": {"LIVE": False, "ALTERNATIVE_URL": "/in/"}}
    settings.FACEVERIFY = settings.FACEVERIFY | {"LEVELS": levels}
    client = bearing(intake.create(user=None, level="inner", **idcard))
    for address in (f"{API}consent/", f"{API}consent/?level=inner"):
        assert client.get(address).json()["alternative_url"] == "/in/"
    other = bearing(intake.create(user=None, **idcard))
    assert_problem(other.get(f"{API}consent/?level=inner"), 400, "level_unknown")


# Its life


@pytest.mark.parametrize("secret", ["fvt_", "fvt_" + "x" * 43, "fvt_ü", "fvt_" + "x" * 5000])
def test_what_is_no_token(case: Verification, secret: str) -> None:
    refused = with_token(secret).get(one(case))
    assert_problem(refused, 401, "token_invalid")
    assert refused["WWW-Authenticate"].startswith("Bearer ")


def test_it_expires(case: Verification) -> None:
    client = bearing(case)
    ClientToken.objects.update(expires_at=db_now(-1))
    assert_problem(client.get(one(case)), 401, "token_invalid")


def test_a_new_one_ends_the_one_before(case: Verification) -> None:
    first, second = bearing(case), bearing(case)
    assert_problem(first.get(one(case)), 401, "token_invalid")
    assert second.get(one(case)).status_code == 200
    assert ClientToken.objects.active().count() == 1


def test_it_is_spent_when_the_case_has_ended(alice: User) -> None:
    case = decided(alice, similarity(75))
    client = bearing(case)
    intake.cancel(case, user=alice)
    assert client.get(one(case)).json()["status"] == "canceled"
    for rest in ("photos/", "consent/", "consent/withdraw/", "cancel/"):
        assert_problem(send(client, one(case, rest), {}), 403, "token_purpose")


def test_the_database_and_the_history_know_no_token(
    as_clerk: APIClient, case: Verification
) -> None:
    secret = send(as_clerk, one(case, "token/"), {}).json()["token"]
    digest = ClientToken.objects.get().digest
    kept = str(list(ClientToken.objects.values()) + list(Event.objects.values()))
    assert secret not in kept
    assert digest not in str(list(Event.objects.values()))
    assert secret not in repr(tokens.issue(case))


# Where it comes from


@pytest.mark.parametrize("origin", [SHOP, OTHER, "http://testserver"])
def test_a_page_of_its_origins_reads_the_answer(case: Verification, origin: str) -> None:
    answer = bearing(case).get(one(case), HTTP_ORIGIN=origin)
    assert answer.status_code == 200
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer
    if origin != "http://testserver":
        assert answer["Access-Control-Allow-Origin"] == origin
        for header in ("ETag", "Location", "Retry-After", "RateLimit", "Idempotent-Replayed"):
            assert header in answer["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", [STRANGER, "null", "*", "", SHOP + ".evil.example", SHOP + "/"])
def test_a_page_of_no_known_origin_gets_nothing(case: Verification, origin: str) -> None:
    answer = bearing(case).get(one(case), HTTP_ORIGIN=origin)
    assert_problem(answer, 403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer


def test_a_token_is_bound_to_its_own_origins(case: Verification, settings: Any) -> None:
    client = bearing(case, origins=[SHOP])
    refused = client.get(one(case), HTTP_ORIGIN=OTHER)
    assert_problem(refused, 403, "origin_not_allowed")
    assert refused["Access-Control-Allow-Origin"] == OTHER  # the page may read why
    assert client.get(one(case)).status_code == 200  # an app is no page
    settings.FACEVERIFY = settings.FACEVERIFY | {"CLIENT_TOKENS": {"ORIGINS": [OTHER]}}
    assert_problem(client.get(one(case), HTTP_ORIGIN=SHOP), 403, "origin_not_allowed")


def preflight(address: str, origin: str = SHOP) -> Any:
    return APIClient().options(
        address,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization",
    )


@pytest.mark.parametrize("rest", ["photos/", "consent/", "consent/withdraw/", "cancel/"])
def test_a_preflight_tells_nothing_about_cases(case: Verification, rest: str) -> None:
    answers = [preflight(one(key, rest)) for key in (case.pk, UNKNOWN, "nobody")]
    assert len({(a.status_code, a.content, str(sorted(a.items()))) for a in answers}) == 1
    answer = answers[0]
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert answer["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert int(answer["Access-Control-Max-Age"]) > 0


def test_a_preflight_costs_no_query(case: Verification, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert preflight(one(case)).status_code == 204


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        (VERIFICATIONS, SHOP),
        (one(UNKNOWN, "token/"), SHOP),
        (one(UNKNOWN, "events/"), SHOP),
        (one(UNKNOWN, "photos/"), STRANGER),
        (one(UNKNOWN, "photos/"), "null"),
    ],
)
def test_no_preflight_for_anything_else(db: None, address: str, origin: str) -> None:
    answer = preflight(address, origin)
    assert answer.status_code in (401, 403, 405)
    assert not [name for name, _ in answer.items() if name.startswith("Access-Control")]


# Never in an address, and nothing beside it


def test_a_token_in_an_address_is_refused(case: Verification, as_alice: APIClient) -> None:
    secret = tokens.issue(case).secret
    for client in (APIClient(), as_alice, with_token(secret)):
        for query in (f"access_token={secret}", f"{secret}=1", f"a=1&b={secret}"):
            refused = client.get(f"{one(case)}?{query}")
            assert_problem(refused, 400, "token_in_address")
            assert secret not in refused.content.decode()


def test_a_session_beside_a_token_counts_for_nothing(case: Verification, alice: User) -> None:
    client = bearing(case)
    client.force_login(alice)
    assert_problem(client.get(VERIFICATIONS), 403, "token_purpose")
    assert_problem(client.get(one(plain_case(alice))), 404, "not_found")
    client.credentials(HTTP_AUTHORIZATION="Bearer fvt_" + "x" * 43)
    assert_problem(client.get(VERIFICATIONS), 401, "token_invalid")


def test_no_csrf_token_is_needed(case: Verification, alice: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(case).secret}")
    assert send(client, one(case, "consent/"), CONSENT).status_code == 200


def test_other_bearers_are_the_sites_affair(case: Verification) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer eyJhbGciOi")
    assert_problem(client.get(one(case)), 403, "not_authenticated")
    assert "WWW-Authenticate" not in client.get(one(case))


def test_requests_are_counted_by_case_and_keys_belong_to_it(
    case: Verification, settings: Any
) -> None:
    settings.FACEVERIFY = settings.FACEVERIFY | {
        "THROTTLES": {"REQUESTS_PER_ADDRESS_MINUTE": None, "REQUESTS_PER_PRINCIPAL_MINUTE": 2}
    }
    first = bearing(case)
    key = {"HTTP_IDEMPOTENCY_KEY": "consent-1"}
    assert send(first, one(case, "consent/"), CONSENT, **key).status_code == 200
    second = bearing(case)
    again = send(second, one(case, "consent/"), CONSENT, **key)
    assert again["Idempotent-Replayed"] == "true"
    assert_problem(second.get(one(case)), 429, "throttled")


# Who makes one


def test_the_owner_makes_one(as_alice: APIClient, idcard: dict[str, Any]) -> None:
    case_id = send(as_alice, VERIFICATIONS, idcard).json()["id"]
    wishes = {"origins": [SHOP], "purposes": ["read"], "expires_in": 60}
    answer = send(as_alice, one(case_id, "token/"), wishes)
    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert tokens.PATTERN.fullmatch(body["token"])
    assert (body["verification"], body["origins"], body["purposes"]) == (
        case_id, [SHOP], ["read"],
    )  # fmt: skip
    token = ClientToken.objects.get()
    assert (token.expires_at - token.created_at).total_seconds() == pytest.approx(60, abs=1)


def test_staff_need_the_permission(
    as_clerk: APIClient, as_reviewer: APIClient, as_bob: APIClient, case: Verification
) -> None:
    assert_problem(send(as_reviewer, one(case, "token/"), {}), 403, "permission_denied")
    assert_problem(send(as_bob, one(case, "token/"), {}), 404, "not_found")
    body = send(as_clerk, one(case, "token/"), {}).json()
    assert body["origins"] == [SHOP, OTHER]
    assert body["purposes"] == ["consent", "submit", "read"]


@pytest.mark.parametrize(
    ("wishes", "code", "field"),
    [
        ({"origins": [STRANGER]}, "origins_invalid", "origins"),
        ({"origins": ["*"]}, "origins_invalid", "origins"),
        ({"origins": SHOP}, "origins_invalid", "origins"),
        ({"origins": {}}, "origins_invalid", "origins"),
        ({"origins": [[]]}, "origins_invalid", "origins"),
        ({"purposes": []}, "purposes_invalid", "purposes"),
        ({"purposes": ["review"]}, "purposes_invalid", "purposes"),
        ({"purposes": "read"}, "purposes_invalid", "purposes"),
        ({"expires_in": 59}, "expires_in_invalid", "expires_in"),
        ({"expires_in": 24 * 3600 + 1}, "expires_in_invalid", "expires_in"),
        ({"expires_in": "600"}, "expires_in_invalid", "expires_in"),
        ({"expires_in": True}, "expires_in_invalid", "expires_in"),
        ({"expires_in": 60.5}, "expires_in_invalid", "expires_in"),
        ({"more": 1}, "unknown_field", "more"),
    ],
)
def test_bad_wishes(
    as_clerk: APIClient, case: Verification, wishes: Any, code: str, field: str
) -> None:
    first = bearing(case)
    assert_problem(send(as_clerk, one(case, "token/"), wishes), 400, code, field)
    assert first.get(one(case)).status_code == 200  # what there was still works


def test_a_whole_number_is_one_however_it_is_written(
    as_clerk: APIClient, case: Verification
) -> None:
    response = send(as_clerk, one(case, "token/"), {"expires_in": 900.0})
    assert response.status_code == 201
    token = ClientToken.objects.get()
    assert (token.expires_at - token.created_at).total_seconds() == 900


def test_no_token_for_a_case_that_has_ended(as_clerk: APIClient, alice: User) -> None:
    case = decided(alice)
    assert_problem(send(as_clerk, one(case, "token/"), {}), 409, "already_final")
    assert not ClientToken.objects.exists()


def test_a_lost_answer_is_not_given_again(as_clerk: APIClient, case: Verification) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    first = with_token(send(as_clerk, one(case, "token/"), {}, **key).json()["token"])
    again = send(as_clerk, one(case, "token/"), {}, **key)
    assert_problem(again, 409, "idempotency_key_spent")
    assert first.get(one(case)).status_code == 200


def test_it_is_taken_back(as_clerk: APIClient, clerk: User, case: Verification) -> None:
    client = bearing(case, user=clerk)
    assert send(as_clerk, one(case, "token/revoke/"), {}).status_code == 200
    assert_problem(client.get(one(case)), 401, "token_invalid")
    assert send(as_clerk, one(case, "token/revoke/"), {}).status_code == 200
    actions = case.events.filter(actor=f"user:{clerk.pk}").values_list("action", flat=True)
    assert list(actions) == ["token_issued", "token_revoked"]
