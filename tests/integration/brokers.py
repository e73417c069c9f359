"""Message brokers, each with a queue that only one test uses."""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from amqp.exceptions import NotFound
from kombu import Connection

from tests.services import require


@dataclass(frozen=True)
class Message:
    """A message as it lies on the broker; ``body`` is its content taken out of its wrapping."""

    raw: bytes
    body: bytes

    @property
    def arguments(self) -> list[Any]:
        arguments: list[Any] = json.loads(self.body)[0]
        return arguments


class Broker(ABC):
    """``options`` are Celery's ``broker_transport_options``."""

    url: str
    options: dict[str, Any]

    def __init__(self) -> None:
        self.queue = f"faceverify-{uuid.uuid4().hex[:12]}"

    @abstractmethod
    def waiting(self) -> list[Message]:
        """What has been sent and nobody has taken yet; it stays there."""

    @abstractmethod
    def remove(self) -> None:
        """Leave no trace on a server that others use as well."""


class FilesystemBroker(Broker):
    """Celery's broker without a server: messages are files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder / "messages"
        self.folder.mkdir()
        self.url = "filesystem://"
        self.options = {
            "data_folder_in": str(self.folder),
            "data_folder_out": str(self.folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        }

    def waiting(self) -> list[Message]:
        return [wrapped_in_json(path.read_bytes()) for path in self.folder.glob("*.msg")]

    def remove(self) -> None:
        shutil.rmtree(self.folder)


class RedisBroker(Broker):
    def __init__(self) -> None:
        super().__init__()
        self.url = require("redis")
        self.prefix = f"{self.queue}:"
        self.options = {"global_keyprefix": self.prefix, "polling_interval": 0.1}

    def waiting(self) -> list[Message]:
        with redis.Redis.from_url(self.url) as client:
            texts: Any = client.lrange(f"{self.prefix}{self.queue}", 0, -1)
        return [wrapped_in_json(text) for text in texts]

    def remove(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            for key in client.scan_iter(f"{self.prefix}*"):
                client.delete(key)


class RabbitBroker(Broker):
    def __init__(self) -> None:
        super().__init__()
        self.url = require("rabbitmq")
        self.options = {"confirm_publish": True}

    def waiting(self) -> list[Message]:
        messages = []
        channel: Any
        with Connection(self.url) as connection, connection.channel() as channel:
            while (message := channel.basic_get(self.queue)) is not None:
                raw = repr((message.properties, message.headers, message.body)).encode()
                messages.append(Message(raw, bytes(message.body, "utf-8")))
        return messages  # closing the channel without a word of thanks puts them back

    def remove(self) -> None:
        with Connection(self.url) as connection:
            for delete in ("queue_delete", "exchange_delete"):
                with suppress(NotFound), connection.channel() as channel:
                    getattr(channel, delete)(self.queue)


def wrapped_in_json(raw: bytes) -> Message:
    """How kombu keeps a message where the broker has no form of its own for it."""
    return Message(raw, base64.b64decode(json.loads(raw)["body"]))
