"""The example project's own parts: keys made once, accounts, brokers that make nobody wait."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from queue import Empty
from socket import socket
from time import monotonic

import pytest
from celery import Celery
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import override_settings
from kombu import Connection
from kombu.exceptions import OperationalError

from example_project import broker
from example_project.accounts import DemoTolerantHasher, ensure_accounts
from example_project.secret_files import make_sealing_key, read_or_make


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
