"""For the tests of sites and of providers; nothing here belongs into production.

- ``MemoryProvider`` compares nothing, costs nothing, and keeps what it was asked.
- ``factories`` makes verifications in any status, and photos.
- ``ProviderContract`` is what every provider over HTTP must do: a subclass of three lines
  runs all of it against a server on this machine that behaves well and badly.
- ``plugin`` has the fixtures for pytest, which installing the package makes known.
"""

from __future__ import annotations

from django_faceverify.testing.memory import MemoryProvider

__all__ = ["MemoryProvider"]
