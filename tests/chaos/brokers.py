"""A corner of a message broker that is ours alone, and can be wiped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from kombu import Connection

from tests.private_servers import Unavailable, launch_redis, private_server
from tests.services import SERVICES, probe_redis


class RedisCorner:
    """A Redis server of our own, so that all of it can be lost at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.queue = "chaos"
        # short enough that messages are delivered a second time within a run
        self.options: dict[str, Any] = {"visibility_timeout": 8}

    def wipe(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class RabbitCorner:
    """A queue of our own on a RabbitMQ server that others may use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.queue = f"chaos-{uuid.uuid4().hex[:12]}"
        self.options: dict[str, Any] = {"confirm_publish": True}

    def wipe(self) -> None:
        self._tell("queue_purge")

    def remove(self) -> None:
        self._tell("queue_delete")
        self._tell("exchange_delete")

    def _tell(self, command: str) -> None:
        with suppress(Exception), Connection(self.url) as connection:
            getattr(connection.channel(), command)(self.queue)


Corner = RedisCorner | RabbitCorner


@contextmanager
def corner(name: str) -> Iterator[Corner]:
    """A broker of that name until the end of the block; ``Unavailable`` without one."""
    if name == "redis":
        with private_server(launch_redis, SERVICES["redis"].usual_url, probe_redis) as url:
            yield RedisCorner(url)
    elif name == "rabbitmq":
        with SERVICES["rabbitmq"].running() as url:
            rabbit = RabbitCorner(url)
            try:
                yield rabbit
            finally:
                rabbit.remove()
    else:
        raise Unavailable(f"no broker {name}")
