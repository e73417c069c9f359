"""Everything arrives, however long the receiver is away; nothing is sent twice at once."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from django_faceverify import webhooks
from django_faceverify.conf import app_settings
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.models.clock import db_now
from django_faceverify.testing import stub
from django_faceverify.webhooks import delivery as delivering
from django_faceverify.webhooks.delivery import GIVE_UP_AFTER, SCHEDULE
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.providers.authority import Authority
from tests.webhooks.fixtures import Told
from tests.webhooks.receiver import Receiver, pass_time

pytestmark = pytest.mark.django_db(transaction=True)

State, Failure = WebhookDelivery.State, WebhookDelivery.Failure
HOUR = 3600.0


def longest(shortest: float, longest: float) -> float:
    """In place of chance: the end of each window."""
    return longest


def wait_until_due() -> float:
    """Let time pass until something is due; returns how many seconds that took."""
    with connection.cursor():
        soonest = WebhookDelivery.objects.filter(due_at__isnull=False).earliest("due_at").due_at
    assert soonest is not None
    seconds = (soonest - timezone.now()).total_seconds()
    pass_time(seconds + 0.5)
    return seconds


def refused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def elsewhere(told: Told, url: str) -> None:
    WebhookEndpoint.objects.filter(pk=told.endpoint.pk).update(url=url)


def test_what_arrives(told: Told, receiver: Receiver, alice: User) -> None:
    case = submitted(alice, reference="order-7")
    assert webhooks.deliver() == 1
    row = WebhookDelivery.objects.get()
    [got] = receiver.received
    message = got.verified_by(told.secret)
    assert message == got.message
    assert got.webhook_id == str(row.pk)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert got.headers["content-type"] == "application/json"
    assert message == {
        "type": "verification.submitted",
        "timestamp": row.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": str(case.pk),
            "status": "processing",
            "reason_code": "",
            "level": "default",
            "reference": "order-7",
            "is_live": False,
        },
    }
    assert (row.state, row.http_status, row.attempt_count) == (State.DELIVERED, 204, 1)
    assert (row.failure, row.due_at) == ("", None)
    assert row.delivered_at is not None
    assert webhooks.deliver() == 0


def test_what_arrives_is_not_about_a_person(told: Told, receiver: Receiver, alice: User) -> None:
    case = submitted(alice, metadata={"note": "of-alice"})
    webhooks.deliver()
    [got] = receiver.received
    sent = got.body.decode() + str(got.headers)
    for personal in (IDCARD_NAME, IDCARD_NUMBER, case.idcard_number_mask, "of-alice", "alice"):
        assert personal not in sent


def test_another_secret_does_not_verify(told: Told, receiver: Receiver) -> None:
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    [got] = receiver.received
    _, other = webhooks.create_endpoint(receiver.url)
    with pytest.raises(WebhookVerificationError):
        got.verified_by(other)


def test_both_secrets_verify_while_they_change(told: Told, receiver: Receiver) -> None:
    new = webhooks.rotate_secret(told.endpoint)
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    [got] = receiver.received
    assert got.verified_by(new) == got.verified_by(told.secret)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now())
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    assert receiver.received[1].verified_by(new)
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verified_by(told.secret)


def test_a_receiver_that_is_down_for_a_day_gets_everything_in_the_schedule(
    told: Told, receiver: Receiver, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", longest)
    receiver.status = 503
    cases = [submitted(alice) for _ in range(3)]
    row = WebhookDelivery.objects.earliest("occurred_at")
    waits: list[float] = []
    while sum(waits) < 24 * HOUR:
        for _ in cases:
            webhooks.deliver()  # a run leaves an endpoint that fails
        row.refresh_from_db()
        waits.append(wait_until_due())
        pass_time(2)  # the others are not far behind
    expected = [*SCHEDULE, *[SCHEDULE[-1]] * 5][: len(waits)]
    assert waits == [pytest.approx(wait, abs=10) for wait in expected]
    receiver.status = 200
    tries = len(receiver.received)
    webhooks.deliver()
    assert len(receiver.received) == tries + 3
    assert not WebhookDelivery.objects.exclude(state=State.DELIVERED).exists()
    by_id = {got.webhook_id: got.verified_by(told.secret) for got in receiver.received}
    assert {message["data"]["id"] for message in by_id.values()} == {str(c.pk) for c in cases}
    assert len(by_id) == 3
    told.endpoint.refresh_from_db()
    assert (told.endpoint.is_enabled, told.endpoint.failing_since) == (True, None)


def test_waits_are_spread_over_the_whole_window(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[tuple[float, float]] = []

    def choose(*window: float) -> float:
        windows.append((window[0], window[1]))
        return window[1]

    monkeypatch.setattr(random, "uniform", choose)
    receiver.status = 500
    webhooks.send_test(told.endpoint)
    for _ in range(4):
        webhooks.deliver()
        wait_until_due()
    assert windows == [(0, end) for end in SCHEDULE[:4]]


def test_it_is_given_up_three_days_after_the_first_failure(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", longest)
    receiver.status = 500
    row = webhooks.send_test(told.endpoint)
    pass_time(12 * HOUR)  # nobody worked
    webhooks.deliver()
    waited = 0.0
    while WebhookDelivery.objects.filter(state=State.WAITING).exists():
        waited += wait_until_due()
        webhooks.deliver()
    row.refresh_from_db()
    assert (row.state, row.due_at, row.failure) == (State.DEAD, None, Failure.STATUS)
    assert waited == pytest.approx(GIVE_UP_AFTER, abs=60)
    assert row.attempt_count == len(receiver.received) == 18
    assert webhooks.deliver() == 0
    receiver.status = 200
    webhooks.resend([row.pk])
    webhooks.deliver()
    assert {got.webhook_id for got in receiver.received} == {str(row.pk)}
    row.refresh_from_db()
    assert row.state == State.DELIVERED


def test_a_receiver_may_ask_for_later_in_bounds(told: Told, receiver: Receiver) -> None:
    receiver.status = 503
    for asked, wait in (("120", 120), ("31536000", 8 * HOUR), ("soon", None), ("-5", None)):
        receiver.headers = {"Retry-After": asked}
        row = webhooks.send_test(told.endpoint)
        webhooks.deliver()
        row.refresh_from_db()
        assert row.due_at is not None
        seconds = (row.due_at - timezone.now()).total_seconds()
        if wait is None:
            assert 0 <= seconds <= SCHEDULE[0]
        else:
            assert seconds == pytest.approx(wait, abs=SCHEDULE[0] + 1)
    WebhookDelivery.objects.all().delete()
    row = webhooks.send_test(told.endpoint)
    receiver.headers = {"Retry-After": "28800"}
    webhooks.deliver()
    pass_time(GIVE_UP_AFTER - 60)  # not for after the end
    webhooks.deliver()
    row.refresh_from_db()
    assert row.due_at is not None
    assert row.give_up_at is not None
    assert abs((row.give_up_at - row.due_at).total_seconds()) < 1


def test_gone_switches_the_endpoint_off(told: Told, receiver: Receiver) -> None:
    receiver.status = 410
    gone, waiting = webhooks.send_test(told.endpoint), webhooks.send_test(told.endpoint)
    assert webhooks.deliver() == 1
    told.endpoint.refresh_from_db()
    assert (told.endpoint.is_enabled, told.endpoint.disabled_reason) == (False, "gone")
    assert sorted(WebhookDelivery.objects.values_list("state", flat=True)) == ["dead", "waiting"]
    assert webhooks.deliver() == webhooks.deliverers_needed() == 0
    receiver.status = 200
    webhooks.enable(told.endpoint)
    webhooks.resend([gone.pk, waiting.pk])
    assert webhooks.deliver() == 2
    assert WebhookDelivery.objects.filter(state=State.DELIVERED).count() == 2


def test_days_of_failure_switch_the_endpoint_off(told: Told, receiver: Receiver) -> None:
    receiver.status = 500
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    told.endpoint.refresh_from_db()
    assert told.endpoint.failing_since is not None
    pass_time(4.9 * 24 * HOUR)
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    told.endpoint.refresh_from_db()
    assert told.endpoint.is_enabled
    pass_time(0.2 * 24 * HOUR)
    webhooks.send_test(told.endpoint)
    webhooks.deliver()
    told.endpoint.refresh_from_db()
    assert (told.endpoint.is_enabled, told.endpoint.disabled_reason) == (False, "failing")


def test_a_worker_that_dies_after_sending_sends_again_under_the_same_id(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = webhooks.send_test(told.endpoint)

    def die(*args: object) -> None:
        raise SystemExit

    monkeypatch.setattr(delivering, "record_outcome", die)
    with pytest.raises(SystemExit):
        webhooks.deliver()
    monkeypatch.undo()
    assert webhooks.deliver() == 0  # the lease holds
    pass_time(5 + delivering.LEASE_MARGIN + 1)
    assert webhooks.deliver() == 1
    first, second = receiver.received
    assert first.webhook_id == second.webhook_id == str(row.pk)
    assert first.body == second.body
    row.refresh_from_db()
    assert (row.state, row.attempt_count) == (State.DELIVERED, 2)


def test_who_comes_back_late_records_nothing(told: Told, receiver: Receiver) -> None:
    row = webhooks.send_test(told.endpoint)
    late = delivering._claim(row.pk, app_settings.webhooks)
    assert late is not None
    pass_time(60)
    receiver.status = 500
    webhooks.deliver()
    assert not delivering.record_outcome(late, delivering.Outcome(http_status=200))
    row.refresh_from_db()
    assert (row.state, row.attempt_count) == (State.WAITING, 2)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share its test database")
def test_two_workers_never_send_one_delivery_at_once(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = 8
    monkeypatch.setattr(delivering, "MAX_UNDER_WAY", workers)
    receiver.behave = lambda handler: time.sleep(0.02)
    for _ in range(40):
        webhooks.send_test(told.endpoint)
    together = threading.Barrier(workers)

    def work(_: int) -> int:
        try:
            together.wait(10)
            return webhooks.deliver(seconds=15)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        counts = list(pool.map(work, range(workers)))
    webhooks.deliver()
    assert not WebhookDelivery.objects.exclude(state=State.DELIVERED).exists()
    assert sum(counts) <= 40 == len(receiver.received)
    assert len({got.webhook_id for got in receiver.received}) == 40
    assert receiver.most_at_once == 1


def test_a_slow_receiver_starves_nobody(
    told: Told, receiver: Receiver, webhook_rules: Callable[..., None]
) -> None:
    webhook_rules(TIMEOUT=1)
    with Receiver() as slow, Receiver() as silent:
        slow.behave = lambda handler: time.sleep(0.6)
        silent.behave = lambda handler: time.sleep(1.5)
        for url in (slow.url, silent.url):
            endpoint, _ = webhooks.create_endpoint(url)
            for _ in range(50):
                webhooks.send_test(endpoint)
        for _ in range(10):
            webhooks.send_test(told.endpoint)
        started = time.monotonic()
        webhooks.deliver(seconds=8)
        assert time.monotonic() - started < 30
        assert len(receiver.received) == 10  # though what waits for the others takes a minute
        assert 0 < len(slow.received) < 50
        assert len(silent.received) == 1


def test_workers_do_not_all_wait_for_one_endpoint(told: Told, receiver: Receiver) -> None:
    for _ in range(delivering.MAX_UNDER_WAY):
        webhooks.send_test(told.endpoint)
    WebhookDelivery.objects.update(state=State.SENDING, due_at=db_now(60))
    webhooks.send_test(told.endpoint)
    assert webhooks.deliver() == 0
    WebhookDelivery.objects.filter(state=State.SENDING).first().delete()  # type: ignore[union-attr]
    assert webhooks.deliver() == 1


def test_hints_stay_few_for_any_backlog(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhooks.deliverers_needed() == 0
    for _ in range(5):
        webhooks.send_test(told.endpoint)
    assert webhooks.deliverers_needed() == 1
    monkeypatch.setattr(delivering, "ROWS_PER_DELIVERER", 2)
    assert webhooks.deliverers_needed() == 3
    monkeypatch.setattr(delivering, "MAX_DELIVERERS", 2)
    assert webhooks.deliverers_needed() == 2


def test_nothing_is_sent_within_a_transaction(told: Told, receiver: Receiver, alice: User) -> None:
    seen: list[bool] = []
    send = delivering.send

    def watch(*args: Any, **options: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return send(*args, **options)

    delivering.send, undo = watch, send
    try:
        submitted(alice)
        webhooks.deliver()
    finally:
        delivering.send = undo
    assert seen == [False]


def test_a_delivery_does_not_read_what_is_sealed(
    told: Told, receiver: Receiver, alice: User
) -> None:
    submitted(alice)
    with CaptureQueriesContext(connection) as queries:
        webhooks.deliver()
    assert not any("idcard" in query["sql"] for query in queries)
    assert len(receiver.received) == 1


# The wire


def outcome_of(told: Told) -> WebhookDelivery:
    row = webhooks.send_test(told.endpoint)
    assert webhooks.deliver() == 1
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(told: Told, receiver: Receiver, status: int) -> None:
    with Receiver() as other:
        receiver.status, receiver.headers = status, {"Location": other.url}
        row = outcome_of(told)
        assert (row.failure, row.http_status) == (Failure.STATUS, status)
        assert other.received == []


def test_the_environment_names_no_proxy(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert outcome_of(told).state == State.DELIVERED
        assert proxy.received == []


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (stub.never_answer, Failure.NO_ANSWER),
        (stub.drip_headers(), Failure.NO_ANSWER),
        (stub.reset, Failure.NO_ANSWER),
        (stub.answer_raw(b"SSH-2.0-OpenSSH\r\n"), Failure.NO_ANSWER),
        (stub.answer_raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), Failure.NO_ANSWER),
        (stub.answer_raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000_000), Failure.NO_ANSWER),
    ],
    ids=["silence", "drip", "reset", "not http", "many headers", "endless header"],
)
def test_a_receiver_that_misbehaves_costs_one_timeout(
    told: Told, webhook_rules: Callable[..., None], behaviour: stub.Behaviour, failure: str
) -> None:
    webhook_rules(TIMEOUT=0.7)
    with stub.Stub(behaviour) as server:
        elsewhere(told, server.url)
        started = time.monotonic()
        row = outcome_of(told)
    assert (row.state, row.failure, row.http_status) == (State.WAITING, failure, None)
    assert time.monotonic() - started < 30


def test_the_body_of_an_answer_is_not_read(told: Told, webhook_rules: Callable[..., None]) -> None:
    webhook_rules(TIMEOUT=60)

    def pour(exchange: stub.Exchange) -> None:
        exchange.read_request()
        exchange.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not exchange.stub.closing.is_set():
            exchange.sock.sendall(b" " * 65536)

    with stub.Stub(pour) as server:
        elsewhere(told, server.url)
        started = time.monotonic()
        assert outcome_of(told).state == State.DELIVERED
        assert time.monotonic() - started < 30


def test_nobody_listens(told: Told) -> None:
    elsewhere(told, f"http://127.0.0.1:{refused_port()}/")
    assert outcome_of(told).failure == Failure.NOT_CONNECTED


def test_a_secret_that_does_not_open(told: Told, receiver: Receiver, settings: Any) -> None:
    settings.FACEVERIFY = {
        **settings.FACEVERIFY, "KEYS": {"other": "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    }  # fmt: skip
    assert outcome_of(told).failure == Failure.SECRET_LOST
    assert receiver.received == []


def test_a_row_that_cannot_be_sent_counts_its_tries(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("about a person")

    monkeypatch.setattr(delivering, "body_of", fail)
    row = outcome_of(told)
    assert (row.state, row.attempt_count, row.retry_count) == (State.WAITING, 1, 1)
    assert "ValueError" in caplog.text
    assert "about a person" not in caplog.text


def test_a_log_tells_neither_address_nor_secret(
    told: Told, receiver: Receiver, caplog: pytest.LogCaptureFixture, alice: User
) -> None:
    caplog.set_level("DEBUG")
    elsewhere(told, f"http://127.0.0.1:{refused_port()}/?token=a-token")
    submitted(alice, reference="order-7")
    webhooks.deliver()
    assert "webhook_broke delivery=" in caplog.text
    for secret in ("a-token", told.secret, "whsec_", "order-7", IDCARD_NAME):
        assert secret not in caplog.text


class TestTLS:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path)

    def test_verified_for_the_host(
        self, told: Told, webhook_rules: Callable[..., None], authority: Authority
    ) -> None:
        webhook_rules(CA_BUNDLE=str(authority.bundle))
        with stub.Stub(stub.answer(b""), tls=authority.server_context()) as server:
            elsewhere(told, server.url)
            assert outcome_of(told).state == State.DELIVERED

    @pytest.mark.parametrize(
        "server", [{"self_signed": True}, {"days": -1}, {"host": "example.com"}]
    )
    def test_an_impostor_gets_nothing(
        self,
        told: Told,
        webhook_rules: Callable[..., None],
        authority: Authority,
        server: dict[str, Any],
    ) -> None:
        webhook_rules(CA_BUNDLE=str(authority.bundle))
        with stub.Stub(stub.answer(b""), tls=authority.server_context(**server)) as impostor:
            elsewhere(told, impostor.url)
            assert outcome_of(told).failure == Failure.NOT_CONNECTED
            assert impostor.connections == 1
            assert impostor.received == []

    def test_the_name_is_verified_and_the_address_pinned(
        self,
        told: Told,
        webhook_rules: Callable[..., None],
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """One lookup; its address is connected to, and the certificate is for the name."""
        names: list[str] = []
        context = authority.server_context(host="hooks.example.com")
        context.sni_callback = lambda sock, name, context: names.append(name)
        with stub.Stub(stub.answer(b""), tls=context) as server:
            webhook_rules(CA_BUNDLE=str(authority.bundle), PORTS=[server.port])
            lookups = lead(monkeypatch, "hooks.example.com", ["127.0.0.1"])
            elsewhere(told, f"https://hooks.example.com:{server.port}/")
            assert outcome_of(told).state == State.DELIVERED
        assert names == ["hooks.example.com"]
        assert lookups == ["hooks.example.com"]


def lead(monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str]) -> list[str]:
    """Names on the wire: the host leads to each address in turn; returns what was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(name: Any, port: Any, *args: Any, **options: Any) -> Any:
        if name != host:
            return real(name, port, *args, **options)
        address = addresses[min(len(asked), len(addresses) - 1)]
        asked.append(name)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def connections_of(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where sockets are connected to from now on."""
    seen: list[Any] = []

    def connect(sock: socket.socket, address: Any) -> None:
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return seen


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "169.254.169.254", "100.100.100.200", "::1", "fd00:ec2::254",
     "::ffff:192.168.0.1", "0.0.0.0", "168.63.129.16", "64:ff9b::a00:1"],
)  # fmt: skip
def test_a_name_that_was_public_and_leads_inside(
    webhook_rules: Callable[..., None], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the lookup at saving and the one at sending differ."""
    webhook_rules(ALLOW_LOOPBACK=False)
    asked = lead(monkeypatch, "hooks.example.com", ["93.184.215.14", address])
    endpoint, secret = webhooks.create_endpoint("https://hooks.example.com/")
    seen = connections_of(monkeypatch)
    row = outcome_of(Told(endpoint, secret))
    assert row.failure == Failure.TARGET_REFUSED
    assert asked == ["hooks.example.com"] * 2
    assert seen == []


def test_the_address_that_was_judged_is_the_one_connected_to(
    webhook_rules: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_rules(ALLOW_LOOPBACK=False)
    addresses = ["93.184.215.14", "93.184.215.15", "127.0.0.1"]
    asked = lead(monkeypatch, "hooks.example.com", addresses)
    endpoint, secret = webhooks.create_endpoint("https://hooks.example.com/")
    seen = connections_of(monkeypatch)
    assert outcome_of(Told(endpoint, secret)).failure == Failure.NOT_CONNECTED
    assert len(asked) == 2
    assert seen == [("93.184.215.15", 443)]


def test_an_address_that_is_not_allowed_any_more_gets_nothing(
    told: Told, receiver: Receiver, webhook_rules: Callable[..., None]
) -> None:
    webhook_rules(ALLOW_LOOPBACK=False)
    assert outcome_of(told).failure == Failure.TARGET_REFUSED
    assert receiver.received == []
