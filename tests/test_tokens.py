"""Tokens by themselves: one is active at a time, whoever asks, and old ones are forgotten."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from django_faceverify import intake, retention, tokens
from django_faceverify.audit.purging import deleting_cases
from django_faceverify.exceptions import InputError
from django_faceverify.models import ClientToken, Verification
from django_faceverify.models.clock import db_now


@pytest.fixture
def case(idcard: dict[str, Any], db: None) -> Verification:
    return intake.create(user=None, **idcard)


def test_a_token_has_256_bits(case: Verification) -> None:
    secrets = {tokens.issue(case).secret for _ in range(20)}
    assert len(secrets) == 20
    assert all(tokens.PATTERN.fullmatch(secret) for secret in secrets)
    assert {len(secret) for secret in secrets} == {len("fvt_") + 43}


def test_whoever_issues_on_the_server_needs_no_user(case: Verification) -> None:
    issued = tokens.issue(case, purposes=("read",), expires_in=90)
    holder = tokens.holder(issued.secret)
    assert holder is not None
    assert (holder.verification_id, holder.purposes) == (case.pk, frozenset({"read"}))
    event = case.events.get(action="token_issued")
    assert event.actor == "anonymous"
    token = ClientToken.objects.get()
    assert event.data == {"token": str(token.pk), "purposes": ["read"], "origins": []}
    assert (token.expires_at - token.created_at).total_seconds() == pytest.approx(90, abs=1)


def test_the_settings_say_how_long(case: Verification, settings: Any) -> None:
    rules = {"LIFETIME": 120, "MAX_LIFETIME": 180}
    with override_settings(FACEVERIFY=settings.FACEVERIFY | {"CLIENT_TOKENS": rules}):
        tokens.issue(case)
        with pytest.raises(InputError, match="expires_in_invalid"):
            tokens.issue(case, expires_in=181)
    token = ClientToken.objects.get()
    assert (token.expires_at - token.created_at).total_seconds() == pytest.approx(120, abs=1)


def test_the_history_tells_what_ended_a_token(case: Verification) -> None:
    tokens.issue(case)
    tokens.issue(case)
    assert tokens.revoke(case)
    assert not tokens.revoke(case)
    first, second = ClientToken.objects.order_by("created_at")
    told = case.events.filter(action__startswith="token_").order_by("number")
    assert [(event.action, event.data["token"]) for event in told] == [
        ("token_issued", str(first.pk)),
        ("token_revoked", str(first.pk)),
        ("token_issued", str(second.pk)),
        ("token_revoked", str(second.pk)),
    ]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_stays_active(idcard: dict[str, Any]) -> None:
    case = intake.create(user=None, **idcard)
    secrets: list[str] = []
    barrier = Barrier(6)

    def issue() -> None:
        try:
            barrier.wait()
            secrets.append(tokens.issue(case).secret)
        finally:
            connection.close()

    threads = [Thread(target=issue) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 6
    assert sum(tokens.holder(secret) is not None for secret in secrets) == 1
    assert ClientToken.objects.active().count() == 1


def test_old_tokens_are_forgotten_by_the_purge(case: Verification) -> None:
    for seconds in (-25 * 3600, -23 * 3600):
        tokens.issue(case)
        ClientToken.objects.active().update(expires_at=db_now(seconds))
    tokens.issue(case)
    assert retention.purge().counts["token_count"] == 1
    assert ClientToken.objects.count() == 2
    assert retention.purge().counts["token_count"] == 0


def test_tokens_go_with_their_case(case: Verification) -> None:
    tokens.issue(case)
    with deleting_cases(Verification.objects.all(), actor="system", reason="test") as ids:
        Verification.objects.filter(pk__in=ids).delete()
    assert not ClientToken.objects.exists()
