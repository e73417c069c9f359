"""A clock on a call: when it runs out, the call's sockets are shut down."""

from __future__ import annotations

import heapq
import itertools
import os
import socket
import threading
import time


class Deadline:
    """A total time for one call, whatever arrives meanwhile.

    Socket timeouts begin anew with every byte, so a server that drips its answer could
    hold a call for hours. Name lookup is the one step that cannot be cut short; a call
    whose lookup outlasts the deadline is never sent.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []

    def __enter__(self) -> Deadline:
        self.ends_at = time.monotonic() + self.seconds
        _Timekeeper.of_this_process().remember(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.is_over = True
        with self._lock:
            for sock in self._watched:
                sock.close()
            self._watched.clear()

    @property
    def expired(self) -> bool:
        return self.remaining() == 0

    def remaining(self) -> float:
        """Seconds that are left, never below zero."""
        return max(0.0, self.ends_at - time.monotonic())

    def check(self) -> None:
        """Raise ``TimeoutError`` when the time is over."""
        if self.expired:
            raise TimeoutError("the deadline of the call has passed")

    def watch(self, sock: socket.socket) -> None:
        """Shut this socket down when the time is over, even in the midst of a TLS handshake."""
        # TLS takes the descriptor away from the plain socket; a duplicate stays ours.
        with self._lock:
            self._watched.append(sock.dup())
        if self.expired:
            self.shut_down()

    def shut_down(self) -> None:
        with self._lock:
            for sock in self._watched:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # not connected yet, or the other side was faster
                    continue


class _Timekeeper:
    """One thread for all deadlines of a process; a thread for each cost more than the call.

    Calls are over long before their deadlines. So what is over is only dropped when the
    thread wakes up, about once in a timeout.
    """

    _current: _Timekeeper | None = None
    _starting = threading.Lock()

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()  # deadlines of the same moment are not compared
        threading.Thread(target=self._watch, name="faceverify-deadlines", daemon=True).start()

    @classmethod
    def of_this_process(cls) -> _Timekeeper:
        with cls._starting:
            if cls._current is None:
                cls._current = cls()
            return cls._current

    @classmethod
    def forget(cls) -> None:
        """A forked process has none of its parent's threads."""
        cls._current, cls._starting = None, threading.Lock()

    def remember(self, deadline: Deadline) -> None:
        entry = (deadline.ends_at, next(self._numbers), deadline)
        with self._changed:
            heapq.heappush(self._deadlines, entry)
            if self._deadlines[0] is entry:
                self._changed.notify()

    def _watch(self) -> None:
        while True:
            for deadline in self._wait_for_expired():
                deadline.shut_down()

    def _wait_for_expired(self) -> list[Deadline]:
        expired = []
        with self._changed:
            while self._deadlines:
                ends_at, _, deadline = self._deadlines[0]
                left = ends_at - time.monotonic()
                if left > 0 and not deadline.is_over:
                    break
                heapq.heappop(self._deadlines)
                if not deadline.is_over:
                    expired.append(deadline)
            if not expired:
                self._changed.wait(left if self._deadlines else None)
        return expired


os.register_at_fork(after_in_child=_Timekeeper.forget)
