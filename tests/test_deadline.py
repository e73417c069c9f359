"""One clock for all calls: it ends what is late, and leaves alone what is over."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from django_faceverify.deadline import Deadline


def is_shut_down(other_side: socket.socket, within: float) -> bool:
    other_side.settimeout(within)
    try:
        return other_side.recv(1) == b""
    except TimeoutError:
        return False


def keepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "faceverify-deadlines"]


def test_what_is_late_is_shut_down() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.1) as deadline:
        deadline.watch(ours)
        assert is_shut_down(theirs, within=20)
        assert deadline.expired
        with pytest.raises(TimeoutError):
            deadline.check()


def test_a_socket_watched_too_late_is_shut_down_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.01) as deadline:
        time.sleep(0.05)
        deadline.watch(ours)
        assert is_shut_down(theirs, within=20)


def test_what_is_over_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(0.2) as deadline:
            deadline.watch(ours)
        time.sleep(0.4)
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"


def test_a_shorter_deadline_is_not_kept_waiting_by_a_longer_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(60), Deadline(0.1) as short, Deadline(60):
        short.watch(ours)
        assert is_shut_down(theirs, within=20)


def test_many_deadlines_have_one_thread() -> None:
    with Deadline(60), Deadline(60), Deadline(30):
        assert len(keepers()) == 1


def test_a_forked_process_has_a_clock_of_its_own() -> None:
    with Deadline(60):
        pass
    child = os.fork()
    if not child:
        ours, theirs = socket.socketpair()
        with Deadline(0.1) as deadline:
            deadline.watch(ours)
            os._exit(0 if is_shut_down(theirs, within=5) else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
