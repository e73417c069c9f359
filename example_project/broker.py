"""How Celery talks to its broker: short waits for a visitor, long ones for a worker.

A wake-up that cannot be sent costs a delay of a few seconds, since the sweeper finds the
row. So a broker that is down or frozen must not keep a person's request waiting; Celery by
itself would try for six seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: seconds in which a connection to the broker must stand while a visitor waits
CONNECT_TIMEOUT = 0.5
#: seconds for one answer of the broker while a visitor waits; a failing AMQP
#: connection waits up to three times before it gives up
ANSWER_TIMEOUT = 0.3
WORKER_TIMEOUT = 20.0
#: seconds after which Redis gives a message that was not confirmed to another worker
VISIBILITY_TIMEOUT = 600


def options(url: str, folder: Path) -> dict[str, Any]:
    """Celery's ``broker_transport_options`` for the broker at ``url``.

    ``folder`` is where the messages lie when the file system is the broker.
    """
    match urlsplit(url).scheme:
        case "filesystem":
            return _folders(folder)
        case "redis" | "rediss":
            return {
                "max_retries": 0,
                "visibility_timeout": VISIBILITY_TIMEOUT,
                "socket_connect_timeout": CONNECT_TIMEOUT,
                "socket_timeout": 2 * ANSWER_TIMEOUT,
            }
        case "amqp" | "amqps" | "pyamqp":
            return {
                "max_retries": 0,
                "confirm_publish": True,
                "read_timeout": ANSWER_TIMEOUT,
                "write_timeout": ANSWER_TIMEOUT,
            }
    return {"max_retries": 0}


def for_worker(given: dict[str, Any]) -> dict[str, Any]:
    """The same options with a worker's patience."""
    patient = {name: WORKER_TIMEOUT for name in given if name.endswith("_timeout")}
    patient.pop("visibility_timeout", None)
    return {name: value for name, value in given.items() if name != "max_retries"} | patient


def _folders(folder: Path) -> dict[str, Any]:
    names = {
        "data_folder_in": "messages",
        "data_folder_out": "messages",
        "control_folder": "control",
    }
    folders = {option: folder / name for option, name in names.items()}
    for path in (folder, *folders.values()):
        path.mkdir(mode=0o700, exist_ok=True)
    return {option: str(path) for option, path in folders.items()} | {"polling_interval": 0.1}
