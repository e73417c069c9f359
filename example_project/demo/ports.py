"""Which ports the demo listens on."""

from __future__ import annotations

import socket


class PortInUse(Exception):
    """The message says which, and what to do."""


def claim(port: int, purpose: str, flag: str) -> int:
    """The port if nothing listens there, a free one for 0. Raises ``PortInUse``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortInUse(
                f"Port {port}, wanted for the {purpose}, is in use: stop the program that uses "
                f"it, or choose another port with make demo ARGS='{flag} PORT'."
            ) from None
        free: int = probe.getsockname()[1]
    return free
