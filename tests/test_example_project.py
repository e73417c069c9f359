"""The example project's own parts: keys made once, accounts, brokers that make nobody wait."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from itertools import chain
from pathlib import Path
from queue import Empty
from runpy import run_path
from socket import socket
from time import monotonic, time
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory, override_settings
from kombu import Connection
from kombu.exceptions import OperationalError

from django_faceverify import sweeper, webhooks
from django_faceverify.conf import THROTTLE_DEFAULTS
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.webhooks import message
from example_project import broker
from example_project.accounts import DemoTolerantHasher, ensure_accounts
from example_project.models import ReceivedWebhook
from example_project.receiver import receive
from example_project.secret_files import make_sealing_key, make_webhook_secret, read_or_make
from tests.conftest import submitted


def test_processes_that_start_together_agree_on_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: read_or_make(path, make_sealing_key), range(64)))
    assert len(secrets) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.django_db
@override_settings(PASSWORD_HASHERS=["example_project.accounts.DemoTolerantHasher"])
def test_accounts_are_made_once_and_put_back() -> None:
    names = ensure_accounts()
    assert names == ["admin", "reviewer", "checker", "alice", "bob"]
    alice = User.objects.get(username="alice")
    alice.set_password("something else")
    alice.is_superuser = True
    alice.save()
    ensure_accounts()
    alice.refresh_from_db()
    assert alice.check_password("alice")
    assert not alice.is_staff
    assert not alice.is_superuser
    reviewer = User.objects.get(username="reviewer")
    assert reviewer.has_perm("django_faceverify.review_verification")
    assert not reviewer.has_perm("django_faceverify.change_verification")
    assert User.objects.count() == len(names)


def test_one_account_may_open_ten_thousand_verifications_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEVERIFY_DATA_DIR", str(tmp_path))
    given = run_path(str(Path(broker.__file__).with_name("settings.py")))["FACEVERIFY"]
    assert set(given["THROTTLES"]) == set(THROTTLE_DEFAULTS)
    limits = [*given["THROTTLES"].values(), *given["QUOTAS"].values()]
    assert min(limits) >= 10_000


def test_only_the_demos_own_hashes_stay_cheap() -> None:
    hasher = DemoTolerantHasher()
    usual = hasher.encode("secret", hasher.salt())
    outdated = hasher.encode("secret", hasher.salt(), iterations=1000)
    assert hasher.decode(usual)["iterations"] == PBKDF2PasswordHasher.iterations
    assert hasher.must_update(outdated)
    assert not hasher.must_update(hasher.encode_cheaply("alice"))


def send_without_answer(url: str) -> float:
    """Seconds until a submit gives up on the broker at that address."""
    app = Celery(broker=url, set_as_current=False)
    app.conf.broker_transport_options = broker.options(url, Path())
    app.conf.broker_connection_timeout = broker.CONNECT_TIMEOUT
    start = monotonic()
    with pytest.raises(OperationalError):
        app.send_task("nothing", retry=False, ignore_result=True)
    return monotonic() - start


#: seconds that a refused broker costs each request with Celery's defaults
CELERY_S_OWN_PATIENCE = 5


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_down_keeps_nobody_waiting(scheme: str) -> None:
    assert send_without_answer(f"{scheme}://127.0.0.1:1//") < CELERY_S_OWN_PATIENCE


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_silent_keeps_nobody_waiting(scheme: str) -> None:
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert (
            send_without_answer(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}//")
            < CELERY_S_OWN_PATIENCE
        )


def test_a_worker_waits_for_a_slow_broker() -> None:
    hasty = broker.options("redis://", Path())
    patient = broker.for_worker(hasty)
    assert patient["socket_timeout"] == broker.WORKER_TIMEOUT
    assert patient["visibility_timeout"] == hasty["visibility_timeout"]
    assert "max_retries" not in patient


def test_files_bring_every_message_to_exactly_one_worker(tmp_path: Path) -> None:
    def connection() -> Connection:
        return Connection(
            "filesystem://localhost",
            transport="example_project.file_broker:Transport",
            transport_options=broker.options("filesystem://", tmp_path / "broker"),
        )

    all_sent = threading.Event()

    def send(sender: int) -> None:
        with connection() as here, here.SimpleQueue("work", no_ack=True) as queue:
            for number in range(100):
                queue.put([sender, number])

    def receive(_: int) -> list[tuple[int, int]]:
        received = []
        with connection() as here, here.SimpleQueue("work", no_ack=True) as queue:
            while True:
                try:
                    received.append(tuple(queue.get(timeout=1).payload))
                except Empty:
                    if all_sent.is_set():
                        return received

    with ThreadPoolExecutor(7) as pool:
        received = pool.map(receive, range(4))
        list(pool.map(send, range(3)))
        all_sent.set()
    assert sorted(chain.from_iterable(received)) == [(s, n) for s in range(3) for n in range(100)]
    assert list((tmp_path / "broker/messages").iterdir()) == []


def hook(row: WebhookDelivery, body: bytes, secret: str) -> Any:
    headers = message.headers_of(row, body, secrets=[secret], sent_at=int(time()))
    request = RequestFactory().post(
        "/hooks/", body, content_type="application/json", headers=headers
    )
    return receive(request).status_code


@pytest.mark.django_db
def test_the_receiver_takes_each_message_once(alice: User, webhook_rules: Any) -> None:
    call_command("demo_webhook", "http://127.0.0.1:9/hooks/", stdout=StringIO())
    call_command("demo_webhook", "http://127.0.0.1:10/hooks/", stdout=StringIO())
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.url == "http://127.0.0.1:10/hooks/"
    case = submitted(alice)
    sweeper.drain()
    for row in WebhookDelivery.objects.all():
        for _ in range(2):
            assert hook(row, message.body_of(row), settings.WEBHOOK_SECRET) == 204
    test = webhooks.send_test(endpoint)
    assert hook(test, message.body_of(test), settings.WEBHOOK_SECRET) == 204
    told = ReceivedWebhook.objects.filter(verification_id=case.pk).values_list("event", flat=True)
    assert sorted(told) == ["verification.submitted", "verification.verified"]
    assert ReceivedWebhook.objects.count() == 3


@pytest.mark.django_db
def test_the_receiver_takes_nothing_from_others() -> None:
    row = WebhookDelivery(endpoint=WebhookEndpoint())
    assert hook(row, b"{}", make_webhook_secret()) == 400
    assert receive(RequestFactory().post("/hooks/", {})).status_code == 400
    assert receive(RequestFactory().get("/hooks/")).status_code == 405
    assert not ReceivedWebhook.objects.exists()


@pytest.mark.parametrize(
    ("provider", "complaint"), [("tests.crash.billing.BillingProvider", ""), ("", "E036")]
)
def test_every_policy_can_be_chosen(tmp_path: Path, provider: str, complaint: str) -> None:
    """``reconcile`` only with a provider that can be asked."""
    done = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=Path(__file__).parent.parent,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "FACEVERIFY_DATA_DIR": str(tmp_path),
            "FACEVERIFY_UNKNOWN_POLICY": "reconcile",
            "FACEVERIFY_PROVIDER": provider,
        },
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == (not complaint), done.stderr
    assert complaint in done.stderr
