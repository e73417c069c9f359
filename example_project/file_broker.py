"""Celery's file system broker, made safe for many processes at once.

The original shows a message before it is written out, and rewrites its list of queues while
others read it; either can end a worker that looks at the wrong moment. Here a message
appears whole or not at all, exactly one worker gets it, and the list is read under a lock.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu's own classes disagree on the name
        folder = Path(self.data_folder_out)
        name = f"{time_ns():020}_{uuid4().hex}.{queue}.msg"
        draft = folder / f"{name}.draft"
        draft.write_text(dumps(payload))
        draft.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for file in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            if file.name.partition(".")[2] != f"{queue}.msg":
                continue  # a queue whose name ends as this one's
            taken = file.with_suffix(".taken")
            try:
                file.rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty

    def _queue_bind(self, *args: Any) -> None:
        with self._locked():
            super()._queue_bind(*args)

    def _delete(self, *args: Any, **kwargs: Any) -> None:
        with self._locked():
            super()._delete(*args, **kwargs)

    def get_table(self, exchange: str) -> Any:
        with self._locked():
            return super().get_table(exchange)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with (self.control_folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel
