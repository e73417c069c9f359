"""The engine: one pair of nets for each process, loaded when first needed, behind one lock.

A second pair would take more than 100 MB, and one answers in a fraction of a second. So
threads wait in line, and no longer than they say. Whoever holds the lock holds the one
decoded picture as well, which bounds the memory of a burst.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.views.decorators.debug import sensitive_variables

from django_faceverify import photo as photos
from django_faceverify.faces import scale, weights
from django_faceverify.faces.sight import Sight

if TYPE_CHECKING:
    from django_faceverify.faces.nets import Nets

#: what the extra ``local`` brings
PACKAGES = ("cv2", "numpy", weights.CARRIER)
#: pixels; no canonical photo is larger
MAX_SIDE = 2048
#: seconds that a caller waits for its turn, if it says nothing
PATIENCE = 5.0


class EngineUnavailable(Exception):
    """No face can be looked at on this machine; the message says why, and nothing personal."""


class EngineBusy(Exception):
    """Others were before, and the caller's time is over."""


def missing_packages() -> list[str]:
    """What of the extra ``local`` is not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def is_installed() -> bool:
    return not missing_packages()


@sensitive_variables()
def look(image: bytes, *, patience: float = PATIENCE) -> Sight:
    """What the nets see in a JPEG or PNG; ``patience`` is in seconds.

    Raises ``EngineUnavailable``, ``EngineBusy``, or ``InputError`` for what is no picture.
    """
    with _engine.turn(patience) as nets:
        picture = photos.decode(image, max_side=MAX_SIDE)
        try:
            return nets.look(picture)
        except nets.failure:
            raise EngineUnavailable("OpenCV has failed") from None


def similarity(one: Sight, other: Sight) -> float:
    """How alike the two faces are, from 0 to 100 (``scale``)."""
    return scale.similarity_of(float(one.description @ other.description))


def load() -> None:
    """Read and check the weights now; raises ``EngineUnavailable`` when they cannot be used."""
    with _engine.turn(PATIENCE):
        pass


class _Engine:
    """The nets of this process and the lock before them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nets: Nets | None = None

    @contextmanager
    def turn(self, patience: float) -> Iterator[Nets]:
        if not self._lock.acquire(timeout=max(0.0, patience)):
            raise EngineBusy
        try:
            self._nets = self._nets or _load_nets()
            yield self._nets
        finally:
            self._lock.release()

    def forget(self) -> None:
        """A forked process must not wait for a lock that a thread of its parent holds."""
        self._lock, self._nets = threading.Lock(), None


def _load_nets() -> Nets:
    try:
        nets = import_module("django_faceverify.faces.nets")
    except ImportError as error:
        raise EngineUnavailable(f"{error.name} is not installed") from None
    folder = weights.find_folder()
    try:
        loaded: Nets = nets.Nets(
            weights.read(weights.DETECTOR, folder), weights.read(weights.RECOGNIZER, folder)
        )
    except weights.WeightsUnusable as error:
        raise EngineUnavailable(str(error)) from None
    except nets.Nets.failure:
        raise EngineUnavailable("this version of OpenCV cannot run the nets") from None
    return loaded


_engine = _Engine()
os.register_at_fork(after_in_child=_engine.forget)
